"""What the chart and the programs must agree on, read from the programs' sources."""
import json
import re
import subprocess
import unittest

import yaml

from api_server import CACHE
from rendering import CHART, ROOT, named, pod_specs, render, running

SOURCES = {
    "data-plane": ("data-plane/node/src/main/java", "io/gabion/node/KubernetesOptions.java"),
    "agent": ("data-plane/agent/src/main/java", "io/gabion/agent/AgentOptions.java"),
    "csi-node": ("csi-driver/src/main/java", "io/gabion/csi/CsiOptions.java"),
    "csi-controller": ("csi-driver/src/main/java", "io/gabion/csi/CsiOptions.java"),
}
PARAMETERS = ROOT / "csi-driver/src/main/java/io/gabion/csi/controller/VolumeParameters.java"
OPTION = re.compile(r'"(--[a-z-]+)"')
FROM_THE_SIDECAR = "csi.storage.k8s.io/"


def java(path):
    return (ROOT / path).read_text()


def constant(path, name):
    return re.search(rf'\b{name}\s*=\s*"([^"]+)"', java(path)).group(1)


def container(component):
    workload = next(w for w, _ in pod_specs(render("default")) if w["metadata"]["name"] == f"gabion-{component}")
    return running(workload["spec"]["template"]["spec"])[0]


class CommandLines(unittest.TestCase):
    def test_use_options_that_the_programs_know(self):
        for component, (folder, file) in SOURCES.items():
            known = set(OPTION.findall(java(f"{folder}/{file}"))) | {"--kubernetes"}
            used = {word for word in container(component)["args"] if word.startswith("--")}
            self.assertLessEqual(used, known, component)

    def test_give_every_option_that_a_program_demands(self):
        for component, (folder, file) in SOURCES.items():
            source = java(f"{folder}/{file}")
            # Those in brackets of the usage may be left out, or are one of two ways; another way, or notes, may follow.
            usage = re.split(r"\n\s*or: |\n {12}[A-Z]", re.search(r'USAGE = """(.*?)"""', source, flags=re.S).group(1))[0]
            demanded = set(re.findall(r"--[a-z-]+", re.sub(r"\[[^]]*\]|\([^)]*\)", "", usage)))
            environment = {variable["name"] for variable in container(component)["env"]}
            demanded -= {"--endpoint", "--node-name"} if "NODE_NAME" in environment else set()
            self.assertLessEqual(demanded, set(container(component)["args"]), component)

    def test_of_the_operator_is_its_environment(self):
        source = java("operator/src/main/java/io/gabion/operator/OperatorOptions.java")
        operator = container("operator")
        self.assertNotIn("args", operator)
        for variable in ("POD_NAMESPACE", "POD_NAME"):
            self.assertIn(f'"{variable}"', source)
            self.assertIn(variable, {entry["name"] for entry in operator["env"]})
        port = int(re.search(r"DEFAULT_HTTP_PORT = (\d+)", source).group(1))
        self.assertEqual([p["containerPort"] for p in operator["ports"]], [port])


class Sidecars(unittest.TestCase):
    def test_know_their_options(self):
        """Without a cluster they end as soon as they have read their options; an unknown one they name first."""
        spec = named(render("snapshots"), "Deployment", "gabion-csi-controller")["spec"]["template"]["spec"]
        for sidecar in spec["containers"]:
            program = CACHE / f"csi-{sidecar['name']}"
            with self.subTest(sidecar=sidecar["name"]):
                if not program.exists():
                    self.skipTest(f"{program} is missing; ./dev up --kubernetes builds it")
                words = [word.replace("$(NAMESPACE)", "gabion-system") for word in sidecar["args"]]
                done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=20, env={})
                self.assertIn("in-cluster config", done.stderr)


    def test_are_followed_as_fast_as_the_operator(self):
        """What a dead node held up (a deletion, a pod that moves) needs the leaders of all of them, one after the other."""
        source = java("operator/src/main/java/io/gabion/operator/Lead.java")
        spec = named(render("snapshots"), "Deployment", "gabion-csi-controller")["spec"]["template"]["spec"]
        for name in ("lease-duration", "renew-deadline", "retry-period"):
            field = name.upper().replace("-", "_")
            seconds = re.search(rf"{field} = Duration\.ofSeconds\((\d+)\)", source).group(1)
            for sidecar in spec["containers"]:
                self.assertIn(f"--leader-election-{name}={seconds}s", sidecar["args"], sidecar["name"])


class Names(unittest.TestCase):
    def test_of_workloads_labels_and_leases_are_those_the_operator_looks_for(self):
        rendered = render("default")
        operator = "operator/src/main/java/io/gabion/operator"
        data_plane = named(rendered, "DaemonSet", constant(f"{operator}/rollout/RolloutControl.java", "DAEMON_SET"))
        labels = data_plane["spec"]["template"]["metadata"]["labels"]
        wanted = re.search(r"DATA_PLANE_LABELS =\s*Map\.of\(([^)]*)\)", java(f"{operator}/view/InformerView.java")).group(1)
        words = re.findall(r'"([^"]+)"', wanted)
        self.assertLessEqual(dict(zip(words[::2], words[1::2], strict=True)).items(), labels.items())
        for name in re.findall(r'"(gabion-[a-z-]+)"', java(f"{operator}/cluster/StorageClusterControl.java")):
            named(rendered, "DaemonSet", name)
        lease = constant(f"{operator}/Operator.java", "LEASE")
        rules = named(rendered, "Role", "gabion-operator")["rules"]
        self.assertIn([lease], [rule.get("resourceNames") for rule in rules if rule["resources"] == ["leases"]])

    def test_of_accounts_are_those_that_get_certificates(self):
        source = java("operator/src/main/java/io/gabion/operator/certificate/RequestRules.java")
        accounts = set(re.findall(r'Map\.of\("(gabion-[a-z-]+)"|"(gabion-[a-z-]+)", ControlRole', source))
        accounts = {name for pair in accounts for name in pair if name}
        self.assertEqual(accounts, {"gabion-data-plane", "gabion-agent", "gabion-csi-controller"})
        for account in accounts:
            rules = named(render("default"), "ClusterRole", account)["rules"]
            self.assertIn(["certificatesigningrequests"], [rule["resources"] for rule in rules], account)

    def test_of_the_driver_the_signer_and_the_authority_are_one(self):
        api = "crds/src/main/java/io/gabion/api/v1alpha1/GabionApi.java"
        text = yaml.safe_dump_all(render("default"))
        for name in ("DRIVER_NAME", "SIGNER_NAME", "CA_CONFIG_MAP", "NAMESPACE"):
            self.assertIn(constant(api, name), text)

    def test_of_users_are_those_of_the_images(self):
        for image in ("operator", "data-plane", "csi-driver"):
            dockerfile = java(f"images/{image}/Dockerfile")
            self.assertIn("USER 64535:64535", dockerfile)


class Documents(unittest.TestCase):
    """The pages that people write name what exists."""

    def pages(self):
        return sorted((ROOT / "docs/kubernetes").glob("*.md"))

    def test_name_health_codes_that_there_are(self):
        known = set(re.findall(r"^    ([A-Z]\w+)\(", java("crds/src/main/java/io/gabion/api/health/HealthCode.java"), flags=re.M))
        kinds = {"StorageClass", "StorageCluster", "StorageNode", "StoragePool", "VolumeAttributesClass", "ServiceMonitor", "NetworkPolicy"}
        made = {"values.md", "health-codes.md", "kinds.md", "permissions.md", "ports.md"}
        known |= kinds | {"WaitForFirstConsumer", "ReadWriteMany", "ReadWriteOncePod", "ReadWriteOnce", "RuntimeDefault", "CatchingUp", "InSync"}
        for page in [page for page in self.pages() if page.name not in made]:
            words = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page.read_text()))
            self.assertLessEqual(words, known, page.name)

    def test_link_to_pages_and_headings_that_there_are(self):
        for page in [*self.pages(), ROOT / "README.md"]:
            for target in re.findall(r"\]\(([^)#:]*)(?:#[^)]*)?\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")
            for target, heading in re.findall(r"\]\(([^):]*)#([^)]*)\)", page.read_text()):
                text = ((page.parent / target) if target else page).read_text()
                headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, flags=re.M)}
                self.assertIn(heading, headings, f"{page.name}: {target}#{heading}")

    def test_speak_of_every_code_that_needs_somebody(self):
        text = java("docs/kubernetes/troubleshooting.md") + java("docs/kubernetes/health-codes.md")
        for code in re.findall(r"^    ([A-Z]\w+)\(\s*(?:WARNING|CRITICAL)", java("crds/src/main/java/io/gabion/api/health/HealthCode.java"), flags=re.M):
            self.assertIn(f"`{code}`", text)


class Parameters(unittest.TestCase):
    """Of classes: the driver, the schema of the values and the page say the same."""

    def keys(self, name):
        source = PARAMETERS.read_text()
        words = re.search(rf"{name} = List\.of\(([^)]*)\)", source).group(1)
        return {constant(PARAMETERS.relative_to(ROOT), word.strip()) for word in words.split(",")}

    def schema(self, definition):
        definitions = json.loads((CHART / "values.schema.json").read_text())["definitions"]
        return set(definitions[definition]["properties"]["parameters"]["properties"])

    def page(self):
        text = java("docs/kubernetes/storage-classes.md")
        tables = [set(re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", part, flags=re.M)) for part in text.split("| parameter |")[1:]]
        return [{word for cell in table for word in re.findall(r"`([^`]+)`", cell)} for table in tables]

    def test_of_storage_classes(self):
        known = self.keys("CLASS_KEYS") | {FROM_THE_SIDECAR + "fstype"}
        self.assertEqual(self.schema("storageClass"), known)
        self.assertEqual(self.page()[0], known)

    def test_of_attributes_classes(self):
        known = self.keys("MUTABLE_KEYS")
        self.assertEqual(self.schema("attributesClass"), known)
        self.assertEqual(self.page()[1], known)


if __name__ == "__main__":
    unittest.main()
