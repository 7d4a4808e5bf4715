"""What every render must be, whatever the values, and what single values change."""
import os
import unittest

import yaml

from rendering import CHART, NAMESPACE, SETS, TESTS, containers, named, of_kind, pod_specs, render, running

PRIVILEGED = {"gabion-agent", "gabion-csi-node"}
ACCOUNTS = {"gabion-operator", "gabion-data-plane", "gabion-agent", "gabion-csi-controller", "gabion-csi-node"}
CLUSTER_SCOPED = {
    "ClusterRole", "ClusterRoleBinding", "CSIDriver", "StorageClass", "VolumeAttributesClass", "VolumeSnapshotClass", "FlowSchema",
    "PriorityLevelConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "CustomResourceDefinition",
    "StorageCluster", "StoragePool",
}
PORTS = {row["component"]: row["ports"] for row in yaml.safe_load((CHART / "ports.yaml").read_text())}


class EveryRender(unittest.TestCase):
    def each(self):
        for name in SETS:
            with self.subTest(values=name):
                yield render(name)

    def test_is_the_golden_list_of_objects(self):
        for name in SETS:
            with self.subTest(values=name):
                lines = sorted(f'{thing["kind"]} {thing["metadata"].get("namespace", "-")} {thing["metadata"]["name"]}' for thing in render(name))
                text = "\n".join(lines) + "\n"
                golden = TESTS / "golden" / f"{name}.txt"
                if os.environ.get("GABION_UPDATE_GOLDEN"):
                    golden.write_text(text)
                self.assertEqual(golden.read_text(), text)

    def test_names_no_object_twice_and_none_without_labels(self):
        for rendered in self.each():
            names = [(thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"]) for thing in rendered]
            self.assertEqual(len(names), len(set(names)))
            for thing in rendered:
                self.assertEqual(thing["metadata"]["labels"]["app.kubernetes.io/part-of"], "gabion", thing["metadata"]["name"])

    def test_puts_namespaced_objects_into_the_namespace_of_the_release(self):
        for rendered in self.each():
            for thing in rendered:
                expected = None if thing["kind"] in CLUSTER_SCOPED else NAMESPACE
                self.assertEqual(thing["metadata"].get("namespace"), expected, f'{thing["kind"]} {thing["metadata"]["name"]}')

    def test_grants_no_right_by_a_wildcard(self):
        for rendered in self.each():
            for role in of_kind(rendered, "Role", "ClusterRole", "FlowSchema"):
                self.assertNotIn("*", yaml.safe_dump(role), role["metadata"]["name"])

    def test_reads_secrets_by_name_only(self):
        for rendered in self.each():
            for role in of_kind(rendered, "Role", "ClusterRole"):
                for rule in role["rules"]:
                    if "secrets" in rule["resources"] and rule["verbs"] != ["create"]:
                        self.assertEqual(("Role", ["gabion-ca"]), (role["kind"], rule["resourceNames"]))

    def test_binds_every_role_to_one_existing_account(self):
        for rendered in self.each():
            self.assertEqual({a["metadata"]["name"] for a in of_kind(rendered, "ServiceAccount")}, ACCOUNTS)
            roles = {(r["kind"], r["metadata"]["name"]) for r in of_kind(rendered, "Role", "ClusterRole")}
            bound = set()
            for binding in of_kind(rendered, "RoleBinding", "ClusterRoleBinding"):
                bound.add((binding["roleRef"]["kind"], binding["roleRef"]["name"]))
                self.assertEqual([(s["kind"], s["namespace"]) for s in binding["subjects"]], [("ServiceAccount", NAMESPACE)])
                self.assertIn(binding["subjects"][0]["name"], ACCOUNTS)
            self.assertEqual(roles, bound)

    def test_gives_privilege_to_agent_and_csi_node_only(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                name = workload["metadata"]["name"]
                for container in containers(spec):
                    security = container["securityContext"]
                    if name in PRIVILEGED:
                        self.assertTrue(security["privileged"])
                        continue
                    self.assertNotIn("privileged", security)
                    self.assertFalse(security["allowPrivilegeEscalation"], name)
                    self.assertEqual(security["capabilities"]["drop"], ["ALL"], name)
                    added = security["capabilities"].get("add", [])
                    self.assertEqual(added, ["CHOWN"] if container["name"] == "directories" else [], name)

    def test_keeps_root_file_systems_read_only_and_users_unprivileged(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                for container in containers(spec):
                    self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"], container["name"])
                for container in running(spec):
                    security = {**spec.get("securityContext", {}), **container["securityContext"]}
                    if workload["metadata"]["name"] not in PRIVILEGED:
                        self.assertEqual((security["runAsUser"], security["runAsNonRoot"]), (64535, True))
                        self.assertIn("seccompProfile", security)

    def test_gives_every_container_requests_a_memory_limit_and_an_image_of_one_version(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                for container in containers(spec):
                    self.assertIn("memory", container["resources"]["limits"], workload["metadata"]["name"])
                    self.assertEqual({"cpu", "memory"}, set(container["resources"]["requests"]))
                    self.assertRegex(container["image"], r"(:[\w.-]+|@sha256:[0-9a-f]{64})$")
                    self.assertNotRegex(container["image"], ":latest$")

    def test_probes_every_long_running_container(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                for container in running(spec) if workload["kind"] != "Job" else []:
                    probes = {kind: probe for kind, probe in container.items() if kind.endswith("Probe")}
                    # The first process of the agent's pod keeps the devices open: the kubelet may not restart it.
                    self.assertEqual("livenessProbe" in probes, container["name"] != "agent")
                    self.assertTrue(probes)
                    for probe in probes.values():
                        self.assertIn(probe["httpGet"]["port"], [p["name"] for p in container["ports"]])

    def test_gives_critical_priority_to_every_component(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                if workload["kind"] != "Job":
                    expected = "system-node-critical" if workload["kind"] == "DaemonSet" else "system-cluster-critical"
                    self.assertEqual(spec["priorityClassName"], expected)

    def test_mounts_only_volumes_that_exist_and_all_of_them(self):
        for rendered in self.each():
            for workload, spec in pod_specs(rendered):
                mounted = {mount["name"] for container in containers(spec) for mount in container["volumeMounts"]}
                self.assertEqual(mounted, {volume["name"] for volume in spec["volumes"]}, workload["metadata"]["name"])

    def test_selects_its_own_pods(self):
        for rendered in self.each():
            for workload in of_kind(rendered, "Deployment", "DaemonSet"):
                labels = workload["spec"]["template"]["metadata"]["labels"]
                self.assertLessEqual(workload["spec"]["selector"]["matchLabels"].items(), labels.items())


class Ports(unittest.TestCase):
    def expected(self, component, snapshots=False):
        return {row["name"]: row["port"] for row in PORTS[component] if snapshots or row.get("with") != "snapshots"}

    def test_of_containers_services_and_policies_are_those_of_the_table(self):
        for name in ("default", "snapshots"):
            rendered = render(name)
            for component in PORTS:
                expected = self.expected(component, name == "snapshots")
                workload = next(w for w, _ in pod_specs(rendered) if w["metadata"]["name"] == f"gabion-{component}")
                spec = workload["spec"]["template"]["spec"]
                opened = {p["name"]: p["containerPort"] for c in running(spec) for p in c["ports"]}
                self.assertEqual(opened, expected)
                service = named(rendered, "Service", f"gabion-{component}")
                scraped = {name: port for name, port in expected.items() if name.startswith("metrics")}
                self.assertEqual({p["name"]: p["port"] for p in service["spec"]["ports"]}, scraped)
                policy = named(rendered, "NetworkPolicy", f"gabion-{component}")
                self.assertEqual([p["port"] for rule in policy["spec"]["ingress"] for p in rule["ports"]], list(expected.values()))

    def test_are_unique_over_all_components(self):
        numbers = [row["port"] for rows in PORTS.values() for row in rows]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_of_blocks_are_reached_by_storage_nodes_and_agents_only(self):
        policy = named(render("default"), "NetworkPolicy", "gabion-data-plane")
        rule = next(r for r in policy["spec"]["ingress"] if r["ports"][0]["port"] == 7400)
        self.assertEqual(
            sorted(peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]), ["agent", "data-plane"])

    def test_of_metrics_are_closed_to_others_where_values_name_a_reader(self):
        for policy in of_kind(render("monitoring"), "NetworkPolicy"):
            for rule in policy["spec"]["ingress"]:
                self.assertTrue(rule["from"])

    def test_on_the_command_lines_are_those_of_the_table(self):
        arguments = render("default")
        for component in ("data-plane", "agent", "csi-node", "csi-controller"):
            workload = next(w for w, _ in pod_specs(arguments) if w["metadata"]["name"] == f"gabion-{component}")
            words = running(workload["spec"]["template"]["spec"])[0]["args"]
            listening = {int(w.split(":")[1]) for w in words if w.startswith("0.0.0.0:")}
            self.assertLessEqual(listening, set(self.expected(component).values()))
            self.assertIn(self.expected(component)["metrics"], listening)


class Values(unittest.TestCase):
    def test_of_an_air_gap_move_every_image_to_the_mirror(self):
        for _, spec in pod_specs(render("air-gap")):
            for container in containers(spec):
                self.assertTrue(container["image"].startswith("registry.example.org:5000/mirror/"), container["image"])
                self.assertEqual(container["imagePullPolicy"], "Always")
            self.assertEqual(spec["imagePullSecrets"], [{"name": "mirror"}])

    def test_replace_a_tag_by_a_digest(self):
        spec = named(render("air-gap"), "DaemonSet", "gabion-data-plane")["spec"]["template"]["spec"]
        self.assertRegex(spec["containers"][0]["image"], "/gabion/data-plane@sha256:0123")

    def test_put_the_storage_nodes_on_the_network_of_the_nodes(self):
        spec = named(render("host-network"), "DaemonSet", "gabion-data-plane")["spec"]["template"]["spec"]
        self.assertTrue(spec["hostNetwork"])
        self.assertEqual(spec["dnsPolicy"], "ClusterFirstWithHostNet")
        self.assertNotIn("seccomp-profile", [c["name"] for c in spec["initContainers"]])

    def test_add_directories_to_the_storage_nodes_and_give_them_to_their_user(self):
        spec = named(render("strict-nodes"), "DaemonSet", "gabion-data-plane")["spec"]["template"]["spec"]
        paths = [v["hostPath"]["path"] for v in spec["volumes"] if v["name"].startswith("data-")]
        self.assertEqual(paths, ["/var/lib/gabion", "/mnt/fast", "/mnt/slow"])
        self.assertEqual(spec["initContainers"][0]["args"][2:], paths)
        for container in (spec["initContainers"][0], spec["containers"][0]):
            self.assertLessEqual(set(paths), {m["mountPath"] for m in container["volumeMounts"]})

    def test_move_everything_of_the_kubelet(self):
        node = named(render("strict-nodes"), "DaemonSet", "gabion-csi-node")
        text = yaml.safe_dump(node) + yaml.safe_dump(named(render("strict-nodes"), "DaemonSet", "gabion-data-plane"))
        self.assertNotIn("/var/lib/kubelet", text)
        self.assertIn("/opt/kubelet/plugins/csi.gabion.io", text)
        self.assertIn("/opt/kubelet/seccomp/gabion", text)

    def test_make_a_pool_once_and_leave_it_to_its_owner(self):
        pool = named(render("development"), "StoragePool", "default")
        self.assertEqual(pool["spec"]["directories"], ["/var/lib/gabion/pools/default"])
        self.assertEqual(pool["spec"]["capacity"], "10Gi")
        self.assertEqual(pool["spec"]["nodeSelector"], {"matchLabels": {"gabion.io/storage": "yes"}})
        self.assertEqual(pool["metadata"]["annotations"]["helm.sh/hook-delete-policy"], "hook-failed")

    def test_keep_the_definitions_at_an_uninstallation(self):
        definitions = of_kind(render("default"), "CustomResourceDefinition")
        self.assertEqual(len(definitions), 5)
        for definition in definitions:
            self.assertEqual(definition["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")

    def test_give_no_budget_to_a_single_pod(self):
        self.assertEqual(of_kind(render("one-node"), "PodDisruptionBudget"), [])

    def test_scrape_every_metrics_port_by_the_service_monitor(self):
        monitor = named(render("monitoring"), "ServiceMonitor", "gabion")
        names = {row["name"] for rows in PORTS.values() for row in rows if row["name"].startswith("metrics") and "with" not in row}
        self.assertEqual({e["port"] for e in monitor["spec"]["endpoints"]}, names)
        self.assertEqual(monitor["metadata"]["labels"]["release"], "prometheus")


class Driver(unittest.TestCase):
    def test_declares_what_the_design_says(self):
        spec = named(render("default"), "CSIDriver", "csi.gabion.io")["spec"]
        self.assertEqual(
            spec,
            {
                "attachRequired": True, "podInfoOnMount": True, "fsGroupPolicy": "File", "storageCapacity": False, "seLinuxMount": True,
                "requiresRepublish": False, "volumeLifecycleModes": ["Persistent"],
            })

    def test_classes_bind_late_and_grow_and_one_is_the_default(self):
        classes = of_kind(render("default"), "StorageClass")
        self.assertEqual(
            {c["metadata"]["name"]: c["parameters"]["replicas"] for c in classes},
            {"gabion-replicated": "3", "gabion-two": "2", "gabion-single": "1"})
        for storage_class in classes:
            self.assertEqual(storage_class["volumeBindingMode"], "WaitForFirstConsumer")
            self.assertTrue(storage_class["allowVolumeExpansion"])
        defaults = [c["metadata"]["name"] for c in classes if c["metadata"].get("annotations")]
        self.assertEqual(defaults, ["gabion-replicated"])

    def test_updates_follow_the_rules_of_each_workload(self):
        rendered = render("default")
        self.assertEqual(named(rendered, "DaemonSet", "gabion-data-plane")["spec"]["updateStrategy"], {"type": "OnDelete"})
        self.assertEqual(
            named(rendered, "DaemonSet", "gabion-agent")["spec"]["updateStrategy"],
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})

    def test_nodes_have_neither_registrar_nor_liveness_container(self):
        spec = named(render("default"), "DaemonSet", "gabion-csi-node")["spec"]["template"]["spec"]
        self.assertEqual([c["name"] for c in containers(spec)], ["driver"])

    def test_mounts_reach_the_node_and_come_from_it(self):
        rendered = render("default")
        agent = named(rendered, "DaemonSet", "gabion-agent")["spec"]["template"]["spec"]["containers"][0]
        node = named(rendered, "DaemonSet", "gabion-csi-node")["spec"]["template"]["spec"]["containers"][0]
        propagation = {m["mountPath"]: m.get("mountPropagation") for m in agent["volumeMounts"]}
        self.assertEqual(propagation["/run/gabion/agent"], "Bidirectional")
        propagation = {m["mountPath"]: m.get("mountPropagation") for m in node["volumeMounts"]}
        self.assertEqual((propagation["/var/lib/kubelet"], propagation["/run/gabion/agent"]), ("Bidirectional", "HostToContainer"))

    def test_is_there_before_the_sidecars_that_would_give_up_without_it(self):
        spec = named(render("default"), "Deployment", "gabion-csi-controller")["spec"]["template"]["spec"]
        driver = spec["initContainers"][0]
        self.assertEqual((driver["name"], driver["restartPolicy"]), ("driver", "Always"))
        self.assertIn("startupProbe", driver)

    def test_snapshots_bring_sidecar_class_and_rights(self):
        rendered = render("snapshots")
        spec = named(rendered, "Deployment", "gabion-csi-controller")["spec"]["template"]["spec"]
        self.assertIn("snapshotter", [c["name"] for c in spec["containers"]])
        named(rendered, "VolumeSnapshotClass", "gabion")
        named(rendered, "ClusterRole", "gabion-csi-snapshotter")

    def test_attributes_classes_appear_only_where_the_api_server_knows_them(self):
        self.assertEqual(of_kind(render("oldest-kubernetes"), "VolumeAttributesClass"), [])
        self.assertEqual(len(of_kind(render("default"), "VolumeAttributesClass")), 3)
