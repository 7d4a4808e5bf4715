"""Renders the chart with the real helm."""
import functools
import pathlib
import subprocess

import yaml

TESTS = pathlib.Path(__file__).resolve().parent
CHART = TESTS.parent
ROOT = CHART.parent.parent
NAMESPACE = "gabion-system"
KUBERNETES = "1.34.4"


class Refused(Exception):
    """Helm did not render; the text is what a person sees."""


def helm_template(arguments, kubernetes=KUBERNETES):
    words = ["helm", "template", "gabion", str(CHART), "--namespace", NAMESPACE, "--kube-version", kubernetes, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def objects(text):
    return [document for document in yaml.safe_load_all(text) if document]


# Every set of values that is looked at: file in tests/values, Kubernetes version, further API groups.
SETS = {
    "default": ([], KUBERNETES),
    "development": ([], KUBERNETES),
    "air-gap": ([], KUBERNETES),
    "host-network": ([], KUBERNETES),
    "one-node": ([], KUBERNETES),
    "monitoring": (["--api-versions", "monitoring.coreos.com/v1"], KUBERNETES),
    "snapshots": (["--api-versions", "snapshot.storage.k8s.io/v1"], KUBERNETES),
    "strict-nodes": ([], KUBERNETES),
    "oldest-kubernetes": ([], "1.32.0"),
    "bare": ([], KUBERNETES),
}


def value_files(name):
    """Arguments: the file that comes with the chart, and what the test adds."""
    files = [CHART / f"values-{name}.yaml", TESTS / "values" / f"{name}.yaml"]
    return [word for file in files if file.exists() for word in ("--values", str(file))]


@functools.cache
def render(name):
    arguments, kubernetes = SETS[name]
    return objects(helm_template([*value_files(name), *arguments], kubernetes))


def of_kind(rendered, *kinds):
    return [thing for thing in rendered if thing["kind"] in kinds]


def named(rendered, kind, name):
    found = [thing for thing in of_kind(rendered, kind) if thing["metadata"]["name"] == name]
    assert len(found) == 1, f"{kind} {name}: {len(found)} times"
    return found[0]


def pod_specs(rendered):
    """(workload, pod specification) of everything that makes pods."""
    return [(thing, thing["spec"]["template"]["spec"]) for thing in of_kind(rendered, "Deployment", "DaemonSet", "Job")]


def containers(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]


def running(spec):
    """Those that go on: not the ones that prepare something and end."""
    return [container for container in containers(spec) if container.get("restartPolicy") == "Always" or container in spec["containers"]]
