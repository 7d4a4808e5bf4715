"""Writes or checks the pages of docs/kubernetes that are made from the chart, the definitions and the health codes."""
import re
import sys

import yaml

import reference
from rendering import CHART, KUBERNETES, NAMESPACE, ROOT, containers, helm_template, objects, pod_specs

DOCUMENTS = ROOT / "docs" / "kubernetes"
HEALTH_CODES = ROOT / "crds/src/main/java/io/gabion/api/health/HealthCode.java"
REPORTERS = ["operator/src/main/java", "csi-driver/src/main/java", "data-plane/node/src/main/java", "data-plane/agent/src/main/java"]
WRITTEN = "Made by `charts/gabion/tests/documents.py --write`; a test fails when it is out of date.\n"
ACCOUNTS = ["gabion-operator", "gabion-data-plane", "gabion-agent", "gabion-csi-controller", "gabion-csi-node"]
SIDECAR_ROLES = {"gabion-csi-provisioner": "csi-provisioner", "gabion-csi-attacher": "csi-attacher", "gabion-csi-resizer": "csi-resizer"}


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines) + "\n"


def code(words):
    return ", ".join(f"`{word}`" for word in words)


def rules_with_reasons(text):
    """{(kind, name): [(reason, rule)]} of a render: the reason is the comment above a rule."""
    roles = {}
    for document in re.split(r"^---$", text, flags=re.M):
        parsed = yaml.safe_load(document)
        if not parsed or parsed["kind"] not in ("Role", "ClusterRole"):
            continue
        reasons, comment = [], []
        for line in document.split("\nrules:\n")[1].splitlines():
            if line.strip().startswith("#"):
                comment.append(line.strip("# "))
            elif line.startswith("  - "):
                reasons.append(" ".join(comment))
                comment = []
        roles[parsed["kind"], parsed["metadata"]["name"]] = list(zip(reasons, parsed["rules"], strict=True))
    return roles


def permissions():
    text = helm_template([])
    rendered = objects(text)
    roles = rules_with_reasons(text)
    bindings = [thing for thing in rendered if thing["kind"] in ("RoleBinding", "ClusterRoleBinding")]
    page = [
        "# Permissions\n", WRITTEN,
        "What each component may do at the API server and on its node, with the values that the chart ships. No rule has a wildcard. A right "
        "marked *namespace* ends at the namespace of the release. Where the last column names an admission policy, that narrows "
        "the rule; the policies are at the end.\n"]
    for account in ACCOUNTS:
        page.append(f"## {account}\n")
        rows = []
        for binding in bindings:
            if binding["subjects"][0]["name"] != account:
                continue
            reference = (binding["roleRef"]["kind"], binding["roleRef"]["name"])
            scope = "namespace" if binding["kind"] == "RoleBinding" else "cluster"
            for reason, rule in roles[reference]:
                who = SIDECAR_ROLES.get(reference[1], "")
                rows.append([
                    code(group or "core" for group in rule["apiGroups"]), code(rule["resources"]),
                    code(rule.get("resourceNames", [])) or "all", ", ".join(rule["verbs"]), scope,
                    f"{who}: {reason}".strip(": ") if who else reason])
        page.append(table(["group", "resources", "names", "verbs", "scope", "why"], rows))
    page += ["## On the nodes\n", table(["pod", "container", "user", "privilege", "directories of the node"], node_rights(rendered))]
    page.append("## Admission policies\n")
    rows = []
    for policy in rendered:
        if policy["kind"] == "ValidatingAdmissionPolicy":
            for validation in policy["spec"]["validations"]:
                rows.append([f'`{policy["metadata"]["name"]}`', message(validation)])
    page.append(table(["policy", "refusal"], rows))
    return "\n".join(page)


def message(validation):
    """The words of a refusal; what the expression puts in is shown as an ellipsis."""
    if "message" in validation:
        return validation["message"]
    parts = [part.strip() for part in re.findall(r"'([^']*)'", validation["messageExpression"])]
    return " … ".join(part for part in parts if re.search("[a-z]", part)).replace(" … ;", " …;").replace(" … ,", " …,")


def node_rights(rendered):
    rows = []
    for workload, spec in pod_specs(rendered):
        host = {v["name"]: v["hostPath"]["path"] for v in spec["volumes"] if "hostPath" in v}
        for container in containers(spec):
            security = {**spec.get("securityContext", {}), **container["securityContext"]}
            added = security.get("capabilities", {}).get("add", [])
            privilege = "privileged" if security.get("privileged") else f"only {', '.join(added)}" if added else "none"
            paths = [f'`{host[m["name"]]}`' + (f' ({m["mountPropagation"]})' if "mountPropagation" in m else "")
                     for m in container["volumeMounts"] if m["name"] in host]
            rows.append([workload["metadata"]["name"], container["name"], str(security["runAsUser"]), privilege, ", ".join(paths) or "none"])
    return rows


def ports():
    rows = []
    for component in yaml.safe_load((CHART / "ports.yaml").read_text()):
        for row in component["ports"]:
            source = ", ".join("whoever reads metrics" if f == "metrics" else f for f in row["from"])
            only = f' (with `{row["with"]}.enabled`)' if "with" in row else ""
            rows.append([f'gabion-{component["component"]}', str(row["port"]), row["name"], source, row["carries"] + only])
    head = ["pods", "port", "name", "may be reached by", "carries"]
    return (f"# Ports\n\n{WRITTEN}\n{table(head, rows)}\nThe NetworkPolicies of the chart allow exactly this. Probes come from the node itself, "
            "which network plug-ins allow. All pods must reach the API server; nothing else leaves the cluster.\n")


def health_codes():
    text = HEALTH_CODES.read_text()
    strings = r'"((?:[^"\\]|\\.)*)"'
    found = re.findall(rf"^    (\w+)\(\s*(INFO|WARNING|CRITICAL),\s*{strings},\s*{strings}\)", text, flags=re.M)
    constants = len(re.findall(r"^    [A-Z]\w+\($|^    [A-Z]\w+\((?:INFO|WARNING|CRITICAL)", text, flags=re.M))
    assert len(found) == constants, f"{len(found)} health codes were read of {constants}"
    page = [
        "# Health codes\n", WRITTEN,
        "The word that `kubectl get` shows under REASON, that conditions, events and `status.health` of the StorageCluster carry. "
        "How to go on from there: [troubleshooting.md](troubleshooting.md).\n"]
    reported = reported_words()
    for severity in ("CRITICAL", "WARNING", "INFO"):
        rows = [[f"`{name}`", meaning, remedy] for name, level, meaning, remedy in found if level == severity and name in reported]
        page += [f"## {severity.capitalize()}\n", table(["code", "meaning", "what to do"], rows)]
    rows = [[f"`{name}`", meaning, remedy] for name, _, meaning, remedy in found if name not in reported]
    if rows:
        page += ["## Not reported yet\n\nNo component says these words so far.\n", table(["code", "meaning", "what to do"], rows)]
    return "\n".join(page)


def reported_words():
    """Every word in the sources of the components that write conditions and events."""
    return {word for folder in REPORTERS for file in (ROOT / folder).rglob("*.java") for word in re.findall(r"\w+", file.read_text())}


def values():
    """Every key of values.yaml with its default; the meaning is the comment above it."""
    rows, path, comment = [], [], []
    for line in (CHART / "values.yaml").read_text().splitlines():
        words = line.strip()
        if words.startswith("#"):
            comment.append(words.lstrip("# "))
            continue
        if not words:
            comment = []
            continue
        key, default = re.match(r"([\w.-]+):\s*(.*)$", words).groups()
        path = [*path[:(len(line) - len(line.lstrip())) // 2], key]
        if default or comment:
            rows.append([f'`{".".join(path)}`', f"`{default}`" if default else "", " ".join(comment)])
        comment = []
    return f"# Values of the chart\n\n{WRITTEN}\n{table(['key', 'default', 'meaning'], rows)}"


def kinds():
    return reference.page(WRITTEN, table)


PAGES = {"permissions.md": permissions, "ports.md": ports, "health-codes.md": health_codes, "values.md": values, "kinds.md": kinds}


def alike(name, standing, made):
    """Which health codes are reported changes with every component; a page that is behind with that alone may wait for the next writing."""
    if name != "health-codes.md":
        return standing == made
    rows = [{line for line in text.splitlines() if line.startswith("| `")} for text in (standing, made)]
    return rows[0] == rows[1]


def main(mode):
    DOCUMENTS.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, make in PAGES.items():
        text = make().replace(NAMESPACE, "gabion-system")
        file = DOCUMENTS / name
        if mode == "--write":
            file.write_text(text)
        elif not file.exists() or not alike(name, file.read_text(), text):
            stale.append(f"docs/kubernetes/{name}")
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run charts/gabion/tests/run --update")


if __name__ == "__main__":
    if sys.argv[1:] not in (["--write"], ["--check"]):
        sys.exit(f"usage: documents.py --write | --check   (renders for Kubernetes {KUBERNETES})")
    main(sys.argv[1])
