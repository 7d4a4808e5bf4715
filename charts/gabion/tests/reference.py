"""The page about the kinds of the API, from the definitions that the build generates."""
import yaml

from rendering import CHART

ORDER = ["StoragePool", "Volume", "StorageCluster", "StorageNode", "Snapshot"]
WHOSE = {
    "StoragePool": "You make it: it says which directories of which nodes hold data.",
    "Volume": "The driver makes one for each claim. You may make one by hand and bind a PersistentVolume to it; its name is the volume handle.",
    "StorageCluster": "The operator makes the one object, `gabion`. It declares settings and reports on everything.",
    "StorageNode": "The operator makes one for each node that a pool selects; `spec.unschedulable` is yours, the rest is not.",
    "Snapshot": "Reserved: nothing acts on it yet.",
}
# Written by components for components, or as everywhere in Kubernetes: the page names them and does not take them apart.
INNER = {"config", "diskRecords", "conditions", "nodeSelector"}
QUANTITY = "quantity"


def definitions():
    found = [yaml.safe_load(file.read_text()) for file in (CHART / "files/crds").glob("*.yaml")]
    return sorted(found, key=lambda definition: ORDER.index(definition["spec"]["names"]["kind"]))


def type_of(field):
    if field.get("x-kubernetes-int-or-string"):
        return QUANTITY
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if field["type"] == "array":
        return "list"
    if field["type"] == "object" and "additionalProperties" in field:
        return "map"
    return field["type"]


def limits_of(field):
    lowest, highest = field.get("minimum"), field.get("maximum")
    words = []
    if lowest is not None and highest is not None:
        words.append(f"{lowest:g} to {highest:g}")
    elif lowest is not None and lowest > 0:
        words.append(f"at least {lowest:g}")
    elif highest is not None:
        words.append(f"at most {highest:g}")
    if "maxItems" in field:
        words.append(f"at most {field['maxItems']}")
    return ", ".join(words)


def rows_of(schema, prefix=""):
    """A row for each field: path, type, limits, default, meaning."""
    rows = []
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        default = "required" if name in required and not prefix.count(".") else f"`{field['default']}`" if "default" in field else ""
        rows.append([f"`{path}`", type_of(field), limits_of(field), default, field.get("description", "")])
        if name in INNER:
            continue
        rows += rows_of(field, f"{path}.")
        if isinstance(field.get("items"), dict):
            rows += rows_of(field["items"], f"{path}[].")
    return rows


def rules_of(schema):
    """What the API server refuses, in its own words."""
    found = [rule["message"] for rule in schema.get("x-kubernetes-validations", [])]
    for field in [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(field, dict):
            found += rules_of(field)
    return found


def section(definition, table):
    names, version = definition["spec"]["names"], definition["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    kind = names["kind"]
    columns = [c["name"] for c in version["additionalPrinterColumns"] if not c.get("priority")]
    more = [c["name"] for c in version["additionalPrinterColumns"] if c.get("priority")]
    parts = [
        f"## {kind}\n",
        f"`{names['plural']}`, short `{', '.join(names['shortNames'])}`. {schema.get('description', WHOSE[kind])}\n",
        f"`kubectl get` shows {', '.join(columns)}" + (f"; with `-o wide` also {', '.join(more)}." if more else ".")
        + (" `kubectl scale` sets `spec.replicas`." if "scale" in version["subresources"] else "")
        + "".join(f" `--field-selector {f['jsonPath'][1:]}=…` works." for f in version.get("selectableFields", [])) + "\n"]
    for part in ("spec", "status"):
        fields = rows_of(schema["properties"][part])
        if part == "status":
            parts.append(table([f"`{part}`", "type", "meaning"], [[f[0], f[1], f[4]] for f in fields]))
        else:
            parts.append(table([f"`{part}`", "type", "limits", "default", "meaning"], fields))
    rules = list(dict.fromkeys([*rules_of(schema["properties"]["spec"]), *[r["message"] for r in schema.get("x-kubernetes-validations", [])]]))
    if rules:
        parts.append("Refused by the API server: " + "; ".join(rules) + ".\n")
    return "\n".join(parts)


def page(written, table):
    head = (
        "`gabion.io/v1alpha1`; all kinds are cluster-scoped and in the category `gabion` (`kubectl get gabion`). In `status`, `conditions` have the "
        "usual form with reasons from [health-codes.md](health-codes.md); `config` and `diskRecords` are the records of the data plane: do not edit "
        "them, the API server refuses what would make them inconsistent.\n")
    return "\n".join(["# Kinds of the API\n", written, head, *[section(definition, table) for definition in definitions()]])
