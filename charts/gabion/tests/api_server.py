"""A real API server with its store, on loopback and in a directory of its own; nothing else of a cluster runs."""
import base64
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("GABION_CACHE", str(pathlib.Path.home() / ".cache/gabion"))) / "kubernetes/bin"
START_SECONDS = 90
ADMIN = "admin-token-of-a-test"


class Denied(Exception):
    """The API server answered with an error."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ApiServer:
    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gabion-chart-test-"))
        self.processes = []
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        store, peers, self.port = free_port(), free_port(), free_port()
        store_url = f"http://127.0.0.1:{store}"
        peer_url = f"http://127.0.0.1:{peers}"
        self.run(
            "etcd", "--data-dir", self.directory / "etcd", "--listen-client-urls", store_url, "--advertise-client-urls", store_url,
            "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url, "--initial-cluster", f"default={peer_url}",
            "--unsafe-no-fsync")
        key = self.directory / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens = self.directory / "tokens.csv"
        tokens.write_text(f'{ADMIN},admin,admin,"system:masters"\n')
        self.run(
            "kube-apiserver", "--etcd-servers", store_url, "--bind-address", "127.0.0.1", "--secure-port", self.port,
            "--cert-dir", self.directory / "certificates", "--authorization-mode", "RBAC", "--token-auth-file", tokens,
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key,
            "--service-account-signing-key-file", key, "--service-cluster-ip-range", "10.96.0.0/16",
            "--endpoint-reconciler-type", "none", "--allow-privileged=true")
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE
        self.kubeconfig = self.directory / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url(), "insecure-skip-tls-verify": True}}],
            "users": [{"name": "test", "user": {"token": ADMIN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        self.await_ready()

    def run(self, program, *arguments):
        command = [str(CACHE / program), *[str(a) for a in arguments]]
        with open(self.directory / f"{program}.log", "wb") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def await_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.call("GET", "/readyz")
                return
            except (Denied, OSError) as e:
                if time.monotonic() > deadline or any(p.poll() is not None for p in self.processes):
                    tail = (self.directory / "kube-apiserver.log").read_text()[-2000:]
                    raise AssertionError(f"the API server did not start: {e}\n{tail}") from e
                time.sleep(0.2)

    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def call(self, verb, path, body=None, token=ADMIN, content="application/json"):
        request = urllib.request.Request(self.url() + path, method=verb, data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=30) as answer:
                data = answer.read()
        except urllib.error.HTTPError as e:
            text = e.read().decode()
            try:
                text = json.loads(text)["message"]
            except ValueError:
                pass
            raise Denied(e.code, text) from None
        return json.loads(data) if data[:1] == b"{" else data.decode()

    def get(self, path, **kw):
        return self.call("GET", path, **kw)

    def create(self, path, body, **kw):
        return self.call("POST", path, body, **kw)

    def delete(self, path, **kw):
        return self.call("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}, **kw)

    def json_patch(self, path, operations, **kw):
        return self.call("PATCH", path, operations, content="application/json-patch+json", **kw)

    def merge(self, path, body, **kw):
        return self.call("PATCH", path, body, content="application/merge-patch+json", **kw)

    def helm(self, *words):
        return self.tool("helm", *words)

    def kubectl(self, *words):
        return self.tool("kubectl", *words)

    def tool(self, program, *words):
        done = subprocess.run([program, "--kubeconfig", str(self.kubeconfig), *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def token(self, namespace, account, pod=None):
        """A token as the kubelet asks for it: bound to the pod when one is named."""
        spec = {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": 3600}
        if pod:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", request)["status"]["token"]

    def pod_on(self, node, namespace, account, name, labels=None):
        body = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
            "spec": {
                "serviceAccountName": account, "automountServiceAccountToken": False, "nodeName": node,
                "containers": [{"name": "c", "image": "none"}]}}
        return self.create(f"/api/v1/namespaces/{namespace}/pods", body)


def base64_text(text):
    return base64.b64encode(text.encode()).decode()
