"""Rights, policies and life cycle of the release, against a real API server. Each test makes the objects it needs."""
import re
import subprocess
import time
import unittest
import uuid

from api_server import ApiServer, Denied, base64_text
from rendering import CHART, NAMESPACE, ROOT, named, of_kind, pod_specs, render, value_files

GABION = "/apis/gabion.io/v1alpha1"
POLICY_SECONDS = 30
CONFLICT = 409
server: ApiServer
outputs = {}


def setUpModule():
    global server
    server = unittest.enterModuleContext(ApiServer())
    code, text = helm("install", "--create-namespace", "--set", "devPool.size=10Gi")
    assert code == 0, text
    outputs["install"] = text
    # As the operator does.
    cluster = {"apiVersion": "gabion.io/v1alpha1", "kind": "StorageCluster", "metadata": {"name": "gabion"}, "spec": {}}
    server.create(f"{GABION}/storageclusters", cluster)


def helm(verb, *words):
    # Nothing on this machine makes a client close to our API server guess wrongly about its version: it asks.
    return server.helm(verb, "gabion", "--namespace", NAMESPACE, *([str(CHART)] if verb in ("install", "upgrade") else []), *words)


def volume(name, *nodes, config=True):
    """A volume with a copy on each node; the first is primary."""
    server.create(f"{GABION}/volumes", {
        "apiVersion": "gabion.io/v1alpha1", "kind": "Volume", "metadata": {"name": name},
        "spec": {"size": "1Gi", "pool": "default", "replicas": max(len(nodes), 1)}})
    copies = [{"replica": str(uuid.uuid4()), "node": node} for node in nodes]
    if config and copies:
        server.merge(f"{GABION}/volumes/{name}/status", {"status": {
            "volumeId": str(uuid.uuid4()), "placement": copies, "config": {
                "version": 1, "epoch": 1, "primary": copies[0]["replica"], "sizeBytes": 1 << 30, "writer": "test",
                "inSync": [{"replica": c["replica"], "incarnation": 1} for c in copies]}}})
    return copies


def storage_node(name):
    server.create(f"{GABION}/storagenodes", {"apiVersion": "gabion.io/v1alpha1", "kind": "StorageNode", "metadata": {"name": name}, "spec": {}})


def swap(name, version, *more):
    """The patch by which a record changes: from the version to the next."""
    return [
        {"op": "test", "path": "/status/config/version", "value": version},
        {"op": "replace", "path": "/status/config/version", "value": version + 1},
        {"op": "replace", "path": "/status/config/epoch", "value": version + 1},
        *more,
    ]


class Refusals(unittest.TestCase):
    def refused(self, part, action, code=None):
        """The action is refused, at the latest once the API server has taken notice of a new policy."""
        with self.assertRaises(Denied) as denied:
            action()
        self.assertIn(part, denied.exception.message)
        if code:
            self.assertEqual(denied.exception.code, code)

    def eventually_allowed(self, action):
        """The API server hears of the deletion of a parameter a little later."""
        deadline = time.monotonic() + POLICY_SECONDS
        while True:
            try:
                return action()
            except Denied:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def eventually_refused(self, part, action):
        deadline = time.monotonic() + POLICY_SECONDS
        while time.monotonic() < deadline:
            try:
                action()
            except Denied as e:
                if part in e.message:
                    return
                raise
            time.sleep(0.2)
        self.fail(f"not refused: {part}")


class StorageNodeRights(Refusals):
    @classmethod
    def setUpClass(cls):
        for node in ("node-a", "node-b", "node-c"):
            storage_node(node)
        cls.pod = server.pod_on("node-a", NAMESPACE, "gabion-data-plane", "data-plane-a")
        cls.token = server.token(NAMESPACE, "gabion-data-plane", cls.pod)

    def status(self, node, token=None):
        return server.merge(f"{GABION}/storagenodes/{node}/status", {"status": {"softwareVersion": "1"}}, token=token or self.token)

    def swap(self, name, version, *more):
        return server.json_patch(f"{GABION}/volumes/{name}/status", swap(name, version, *more), token=self.token)

    def test_end_at_the_own_storage_node(self):
        self.status("node-a")
        self.eventually_refused("the storage node node-a may not change the StorageNode node-b", lambda: self.status("node-b"))

    def test_end_at_volumes_with_a_copy_on_the_node(self):
        volume("mine", "node-a", "node-b")
        volume("theirs", "node-b", "node-c")
        self.swap("mine", 1)
        self.eventually_refused("the storage node node-a may not change the volume theirs, which has no replica there", lambda: self.swap("theirs", 1))

    def test_do_not_reach_a_volume_without_a_record(self):
        volume("empty", config=False)
        add = [{"op": "add", "path": "/status", "value": {"volumeId": str(uuid.uuid4())}}]
        self.eventually_refused(
            "may not change the volume empty", lambda: server.json_patch(f"{GABION}/volumes/empty/status", add, token=self.token))

    def test_include_leaving_but_not_removing_others_or_inviting(self):
        copies = volume("shared", "node-a", "node-b", "node-c")
        others = [c for c in copies if c["node"] != "node-b"]
        without_b = [{"replica": c["replica"], "incarnation": 1} for c in others]
        self.eventually_refused("takes only itself out of placement and removed", lambda: self.swap(
            "shared", 1, {"op": "replace", "path": "/status/placement", "value": others},
            {"op": "replace", "path": "/status/config/inSync", "value": without_b}))
        self.refused("takes only itself out of placement and removed", lambda: self.swap(
            "shared", 1, {"op": "add", "path": "/status/placement/-", "value": {"replica": str(uuid.uuid4()), "node": "node-d"}}))
        self.refused("a storage node does not delete a volume", lambda: self.swap(
            "shared", 1, {"op": "add", "path": "/status/deleting", "value": True}))
        rest = copies[1:]
        self.swap(
            "shared", 1, {"op": "replace", "path": "/status/placement", "value": rest},
            {"op": "replace", "path": "/status/config/primary", "value": rest[0]["replica"]},
            {"op": "replace", "path": "/status/config/inSync", "value": [{"replica": c["replica"], "incarnation": 1} for c in rest]})

    def test_include_taking_itself_out_of_removed_after_erasing_its_copy(self):
        volume("leaving", "node-b", "node-c")
        gone = {"replica": str(uuid.uuid4()), "node": "node-a"}
        server.json_patch(f"{GABION}/volumes/leaving/status", swap("leaving", 1, {"op": "add", "path": "/status/removed", "value": [gone]}))
        self.swap("leaving", 2, {"op": "replace", "path": "/status/removed", "value": []})
        self.eventually_refused("which has no replica there", lambda: self.swap("leaving", 3))

    def test_do_not_reach_what_the_user_wants(self):
        volume("wanted", "node-a")
        for path in ("volumes/wanted", "storagenodes/node-a", "storagepools/default"):
            self.refused("forbidden", lambda: server.merge(f"{GABION}/{path}", {"metadata": {"labels": {"a": "b"}}}, token=self.token), 403)
        self.refused("forbidden", lambda: server.delete(f"{GABION}/volumes/wanted", token=self.token), 403)

    def test_need_a_token_of_a_pod(self):
        loose = server.token(NAMESPACE, "gabion-data-plane")
        self.eventually_refused("the token names no node", lambda: self.status("node-a", loose))

    def test_include_no_secret(self):
        self.refused("forbidden", lambda: server.get(f"/api/v1/namespaces/{NAMESPACE}/secrets", token=self.token), 403)
        self.refused("forbidden", lambda: server.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/gabion-ca", token=self.token), 403)


class DriverRights(Refusals):
    """Of the controller of the driver: sessions, size and copies wanted, and nothing else of a volume."""

    @classmethod
    def setUpClass(cls):
        pod = server.pod_on("node-a", NAMESPACE, "gabion-csi-controller", "csi-controller-a")
        cls.token = server.token(NAMESPACE, "gabion-csi-controller", pod)

    def swap(self, name, version, *more):
        config = server.get(f"{GABION}/volumes/{name}")["status"]["config"]
        config.update(version=version + 1, writer="driver", verifier=0, attachments=[{"node": "node-a", "generation": version}])
        for change in more:
            change(config)
        patch = [{"op": "test", "path": "/status/config/version", "value": version}, {"op": "add", "path": "/status/config", "value": config}]
        return server.json_patch(f"{GABION}/volumes/{name}/status", patch, token=self.token)

    def test_include_sessions_and_no_other_part_of_the_record(self):
        copies = volume("attached", "node-a", "node-b")
        self.eventually_refused("changes only sessions in the record", lambda: self.swap("attached", 1, lambda c: c.update(epoch=2, primary=copies[1]["replica"])))
        self.refused("changes only sessions in the record", lambda: self.swap("attached", 1, lambda c: c.update(sizeBytes=2 << 30)))
        self.refused("changes only sessions in the record", lambda: self.swap("attached", 1, lambda c: c.update(epoch=2, inSync=c["inSync"][:1])))
        self.refused("does not place, delete or rename", lambda: server.merge(
            f"{GABION}/volumes/attached/status", {"status": {"everWritten": True}}, token=self.token))
        self.swap("attached", 1)
        self.swap("attached", 2, lambda c: c.update(sessionFloor=2, attachments=[]))

    def test_include_size_and_copies_and_no_other_part_of_the_specification(self):
        volume("wished", "node-a")
        path = f"{GABION}/volumes/wished"
        self.eventually_refused(
            "changes only size, replicas, locality and limits", lambda: server.merge(path, {"spec": {"deletionProtection": True}}, token=self.token))
        self.refused("changes only size, replicas", lambda: server.merge(path, {"metadata": {"finalizers": ["gabion.io/x"]}}, token=self.token))
        server.merge(path, {"spec": {"size": "2Gi", "replicas": 3, "locality": "None", "qos": {"iops": 500}}}, token=self.token)


class Certificates(Refusals):
    @classmethod
    def setUpClass(cls):
        pod = server.pod_on("node-a", NAMESPACE, "gabion-agent", "agent-a")
        cls.token = server.token(NAMESPACE, "gabion-agent", pod)
        key = server.directory / "leaf.key"
        done = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/O=agent/CN=node-a"],
            check=True, capture_output=True, text=True)
        cls.request = base64_text(done.stdout)

    def ask(self, name, signer, usages=("client auth", "digital signature")):
        return server.create("/apis/certificates.k8s.io/v1/certificatesigningrequests", {
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
            "spec": {"request": self.request, "signerName": signer, "usages": list(usages)}}, token=self.token)

    def test_come_from_our_signer_only(self):
        made = self.ask("ours", "gabion.io/internal")
        self.assertEqual(made["spec"]["extra"]["authentication.kubernetes.io/node-name"], ["node-a"])
        self.eventually_refused(
            "asks only the signer gabion.io/internal", lambda: self.ask(f"theirs-{uuid.uuid4()}", "kubernetes.io/kube-apiserver-client"))

    def test_are_for_tls_only(self):
        self.eventually_refused("for TLS only", lambda: self.ask(f"code-{uuid.uuid4()}", "gabion.io/internal", ["code signing"]))

    def test_are_approved_and_signed_by_the_operator_for_our_signer_alone(self):
        pod = server.pod_on("node-a", NAMESPACE, "gabion-operator", "operator-c")
        operator = server.token(NAMESPACE, "gabion-operator", pod)
        body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": {
            "request": self.request, "signerName": "example.org/other", "usages": ["client auth"]}}
        requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        for name, signer in (("foreign", "example.org/other"), ("approved", "gabion.io/internal")):
            made = server.create(requests, {**body, "metadata": {"name": name}, "spec": {**body["spec"], "signerName": signer}})
            made["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "Test", "message": "test"}]}
            approve = lambda: server.call("PUT", f"{requests}/{name}/approval", made, token=operator)  # pylint: disable=cell-var-from-loop
            if name == "foreign":
                self.refused("not permitted to approve", approve, 403)
            else:
                approve()


class OperatorRights(Refusals):
    @classmethod
    def setUpClass(cls):
        pod = server.pod_on("node-a", NAMESPACE, "gabion-operator", "operator-a")
        cls.token = server.token(NAMESPACE, "gabion-operator", pod)
        server.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-x", "labels": {"a": "b"}}})
        server.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant"}})
        server.create("/api/v1/namespaces/tenant/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})

    def test_on_nodes_end_at_reading(self):
        server.get("/api/v1/nodes/node-x", token=self.token)
        self.refused("forbidden", lambda: server.merge("/api/v1/nodes/node-x", {"metadata": {"labels": {"a": "c"}}}, token=self.token), 403)

    def test_on_pods_end_at_storage_nodes(self):
        server.pod_on("node-x", "tenant", "default", "theirs")
        self.refused("forbidden", lambda: server.delete("/api/v1/namespaces/tenant/pods/theirs", token=self.token), 403)
        pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
        server.pod_on("node-x", NAMESPACE, "gabion-agent", "agent-x", labels={"app.kubernetes.io/component": "agent"})
        server.pod_on("node-x", NAMESPACE, "gabion-data-plane", "data-plane-x", labels={"app.kubernetes.io/component": "data-plane"})
        self.eventually_refused("deletes only pods of storage nodes", lambda: server.delete(f"{pods}/agent-x", token=self.token))
        server.delete(f"{pods}/data-plane-x", token=self.token)

    def test_on_secrets_end_at_the_authority(self):
        secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"
        server.create(secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gabion-ca"}}, token=self.token)
        server.get(f"{secrets}/gabion-ca", token=self.token)
        self.refused("forbidden", lambda: server.get(secrets, token=self.token), 403)
        self.refused("forbidden", lambda: server.get("/api/v1/namespaces/tenant/secrets/any", token=self.token), 403)


class Rights(unittest.TestCase):
    """What the API server says that an account may do, beside what every account may do, is what the rendered rules say."""

    def review(self, account, namespace):
        token = server.token(NAMESPACE, account)
        spec = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
        return self.flat(server.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", spec, token=token)["status"]["resourceRules"])

    def flat(self, rules):
        return {
            (group, resource, name, verb)
            for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
            for name in rule.get("resourceNames") or ["*"] for verb in rule["verbs"]}

    def rendered(self, account, kinds):
        everything = render("default")
        rules = []
        for binding in of_kind(everything, *kinds):
            if binding["subjects"][0]["name"] == account:
                rules += named(everything, binding["roleRef"]["kind"], binding["roleRef"]["name"])["rules"]
        return self.flat(rules)

    def test_of_every_account_are_those_of_the_chart(self):
        accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        server.create(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}})
        for account in ("gabion-operator", "gabion-data-plane", "gabion-agent", "gabion-csi-controller", "gabion-csi-node"):
            with self.subTest(account=account):
                here = self.review(account, NAMESPACE) - self.review("nobody", NAMESPACE)
                self.assertEqual(here, self.rendered(account, ("RoleBinding", "ClusterRoleBinding")))
                elsewhere = self.review(account, "default") - self.review("nobody", "default")
                self.assertEqual(elsewhere, self.rendered(account, ("ClusterRoleBinding",)))


class PodSecurity(unittest.TestCase):
    """Which pods the levels of pod security take: those without a node under them take the strictest."""

    def test_of_the_strictest_level_takes_what_needs_nothing_from_its_node(self):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "strict", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        server.create("/api/v1/namespaces", namespace)
        needs_nothing = {"gabion-operator", "gabion-csi-controller", "gabion-test"}
        for workload, spec in pod_specs(render("default")):
            name = workload["metadata"]["name"]
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": spec.get("serviceAccountName", "default")}}
            server.create("/api/v1/namespaces/strict/serviceaccounts", account)
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {**spec, "priorityClassName": ""}}
            with self.subTest(pod=name):
                try:
                    server.create("/api/v1/namespaces/strict/pods?dryRun=All", pod)
                    self.assertIn(name, needs_nothing)
                except Denied as e:
                    self.assertIn('violates PodSecurity "restricted', e.message)
                    self.assertNotIn(name, needs_nothing, e.message)


class Pools(Refusals):
    def test_are_not_deleted_while_volumes_use_them_and_each_of_these_is_named(self):
        pool = {"apiVersion": "gabion.io/v1alpha1", "kind": "StoragePool", "metadata": {"name": "fast"}, "spec": {"directories": ["/mnt/fast"]}}
        server.create(f"{GABION}/storagepools", pool)
        for name in ("one", "two"):
            server.create(f"{GABION}/volumes", {
                "apiVersion": "gabion.io/v1alpha1", "kind": "Volume", "metadata": {"name": name},
                "spec": {"size": "1Gi", "pool": "fast", "claimRef": {"namespace": "shop", "name": f"data-{name}", "uid": str(uuid.uuid4())}}})
        refusal = "the pool fast holds the volume"
        self.eventually_refused(refusal, lambda: server.delete(f"{GABION}/storagepools/fast"))
        code, text = server.kubectl("delete", "storagepool", "fast", "--wait=false")
        self.assertNotEqual(code, 0)
        for name in ("one", "two"):
            self.assertIn(f"{refusal} {name} of the claim shop/data-{name}", text)
            server.delete(f"{GABION}/volumes/{name}")
        self.assertNotIn("deletionTimestamp", server.get(f"{GABION}/storagepools/fast")["metadata"])
        self.eventually_allowed(lambda: server.delete(f"{GABION}/storagepools/fast"))


class Documents(unittest.TestCase):
    def test_hold_only_manifests_that_the_api_server_takes(self):
        for page in sorted((ROOT / "docs/kubernetes").glob("*.md")):
            manifests = re.findall(r"<<'YAML'\n(.*?)\nYAML$", page.read_text(), flags=re.S | re.M)
            for number, manifest in enumerate([*manifests]):
                with self.subTest(page=page.name, number=number):
                    file = server.directory / f"{page.stem}-{number}.yaml"
                    file.write_text(manifest)
                    code, text = server.kubectl("apply", "--dry-run=server", "--filename", str(file))
                    self.assertEqual(code, 0, text)


class LifeCycle(Refusals):
    def test_installation_makes_the_pool_and_says_what_comes_next(self):
        self.assertEqual(server.get(f"{GABION}/storagepools/default")["spec"]["capacity"], "10Gi")
        for part in ("helm test gabion -n gabion-system", "kubectl get storageclusters", "sparse files on the root disks", "no pod security label"):
            self.assertIn(part, outputs["install"])

    def test_upgrade_leaves_the_pool_to_its_owner(self):
        server.merge(f"{GABION}/storagepools/default", {"spec": {"overcommitPercent": 300}})
        code, text = helm("upgrade", "--set", "devPool.size=20Gi")
        self.assertEqual(code, 0, text)
        pool = server.get(f"{GABION}/storagepools/default")
        self.assertEqual((pool["spec"]["overcommitPercent"], pool["spec"]["capacity"]), (300, "10Gi"))
        self.assertIn('the pool "default" has 10Gi', text)

    def test_upgrade_brings_definitions_up_to_date(self):
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/volumes.gabion.io"
        before = server.get(path)["spec"]["names"]
        server.merge(path, {"metadata": {"labels": {"helm.sh/chart": "gabion-0.0.1"}}})
        code, text = helm("upgrade", "--set", "devPool.size=10Gi", "--set", "operator.replicas=3")
        self.assertEqual(code, 0, text)
        after = server.get(path)
        self.assertEqual(after["spec"]["names"], before)
        self.assertEqual(after["metadata"]["labels"]["helm.sh/chart"], "gabion-0.1.0-SNAPSHOT")

    def test_every_value_set_is_accepted_by_the_api_server(self):
        for name in ("default", "development", "air-gap", "host-network", "one-node", "strict-nodes"):
            with self.subTest(values=name):
                code, text = helm("upgrade", "--dry-run=server", *value_files(name))
                self.assertEqual(code, 0, text)

    def test_policies_have_no_expression_that_the_api_server_doubts(self):
        policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
        for policy in server.get(policies)["items"]:
            self.assertNotIn("typeChecking", policy.get("status", {}), policy["metadata"]["name"])


class Uninstallation(Refusals):
    """Last by its name, for it takes the release away."""

    def ignore_conflict(self, action):
        try:
            action()
        except Denied as e:
            if e.code != CONFLICT:
                raise

    def test_waits_for_the_last_volume_and_a_new_installation_finds_everything(self):
        storage_node("node-z")
        volume("precious", "node-z")
        server.merge(f"{GABION}/volumes/precious", {"spec": {"claimRef": {"namespace": "shop", "name": "orders", "uid": str(uuid.uuid4())}}})
        refusal = "the volume precious still exists for the claim shop/orders; delete all claims and volumes first"
        for made in server.get(f"{GABION}/volumes")["items"]:
            if made["metadata"]["name"] != "precious":
                server.delete(f"{GABION}/volumes/{made['metadata']['name']}")
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/gabion-agent"
        self.eventually_refused(refusal, lambda: server.delete(account))
        self.refused(refusal, lambda: server.delete(f"/api/v1/namespaces/{NAMESPACE}"))
        self.refused(refusal, lambda: server.delete(f"{GABION}/storageclusters/gabion"))
        secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"
        for name, action in (("gabion-ca", self.refused), ("another", lambda _, act: act())):
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
            self.ignore_conflict(lambda secret=secret: server.create(secrets, secret))
            action(refusal, lambda name=name: server.delete(f"{secrets}/{name}"))
        for more in ((), (), ("--no-hooks",), ()):
            code, text = helm("uninstall", *more)
            self.assertNotEqual(code, 0)
            if not more:
                self.assertIn(refusal, text)
            for path in ("daemonsets/gabion-data-plane", "deployments/gabion-csi-controller"):
                server.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/{path}")
            server.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/gabion-data-plane")
        # An upgrade may drop what a version does not need any more, but nobody drops what serves volumes, one by one or all at once.
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
            "name": "gabion-of-an-older-version", "labels": {"app.kubernetes.io/part-of": "gabion", "app.kubernetes.io/managed-by": "Helm"}}}
        server.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
        server.delete(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/gabion-of-an-older-version")
        self.refused(refusal, lambda: server.delete("/apis/storage.k8s.io/v1/csidrivers"))
        # As the refusal says.
        remedy = re.search(r'the command "helm rollback gabion (\d+) -n gabion-system"', text)
        code, text = helm("rollback", remedy.group(1))
        self.assertEqual(code, 0, text)
        code, text = helm("upgrade", "--set", "devPool.size=10Gi")
        self.assertEqual(code, 0, text)
        server.delete(f"{GABION}/volumes/precious")
        code, text = helm("uninstall")
        self.assertEqual(code, 0, text)
        for path in ("storagepools/default", "storageclusters/gabion", "storagenodes/node-z"):
            server.get(f"{GABION}/{path}")
        code, text = helm("install", "--set", "devPool.size=10Gi")
        self.assertEqual(code, 0, text)


if __name__ == "__main__":
    unittest.main()
