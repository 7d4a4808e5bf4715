"""Values that a person may get wrong: each is refused with a message that names the place."""
import unittest

from rendering import Refused, helm_template

# --set argument -> what the message must hold: the place and what is wrong with it.
WRONG = {
    "operator.replicaCount=3": ["/operator", "'replicaCount' not allowed"],
    "dataplane.hostNetwork=true": ["additional properties 'dataplane' not allowed"],
    "csi.node.replicas=2": ["/csi/node", "'replicas' not allowed"],
    "operator.replicas=two": ["/operator/replicas", "got string, want integer"],
    "operator.replicas=0": ["/operator/replicas", "got 0, want 1"],
    "operator.image=gabion/operator:1": ["/operator/image", "got string, want object"],
    "operator.image.repository=Gabion/Operator": ["/operator/image/repository", "does not match pattern"],
    "agent.image.digest=abc": ["/agent/image/digest", "does not match pattern '^(sha256:[0-9a-f]{64})?$'"],
    "global.imagePullPolicy=Sometimes": ["/global/imagePullPolicy", "'Always', 'IfNotPresent', 'Never'"],
    "global.imagePullSecrets={mirror}": ["/global/imagePullSecrets/0", "got string, want object"],
    "devPool.size=10": ["/devPool/size", "got number, want string"],
    "devPool.size=10GB": ["/devPool/size", "(Gi|Ti|Pi)"],
    "devPool.size=512Mi": ["/devPool/size", "(Gi|Ti|Pi)"],
    "devPool.directory=/mnt": ["/devPool", "'directory' not allowed"],
    "kubeletDirectory=var/lib/kubelet": ["/kubeletDirectory", "does not match pattern"],
    "dataPlane.directories={mnt/fast}": ["/dataPlane/directories/0", "does not match pattern"],
    "dataPlane.directories={/mnt/a,/mnt/a}": ["/dataPlane/directories", "items at 0 and 1 are equal"],
    "dataPlane.directories={/etc}": ["dataPlane.directories: /etc is not a directory for data; name one of its own"],
    "dataPlane.seccompProfile=Default": ["/dataPlane/seccompProfile", "'Localhost', 'RuntimeDefault', 'Unconfined'"],
    "dataPlane.hostNetwork=yes": ["/dataPlane/hostNetwork", "got string, want boolean"],
    "dataPlane.resources.limit.memory=1Gi": ["/dataPlane/resources", "'limit' not allowed"],
    "agent.resources.limits.memory=1GB": ["/agent/resources/limits/memory", "does not match pattern"],
    "csi.node.maxVolumes=0": ["/csi/node/maxVolumes", "got 0, want 1"],
    "storageClasses.gabion-two.parameters.replicas=9": ["/storageClasses/gabion-two/parameters/replicas", "got 9, want 5"],
    "storageClasses.gabion-two.parameters.replica=2": ["/storageClasses/gabion-two/parameters", "'replica' not allowed"],
    "storageClasses.gabion-two.parameters.onPoolFull=Wait": ["/onPoolFull", "'Stall', 'Error'"],
    "storageClasses.gabion-two.parameters.minInSync=3": ["minInSync 3 is more than replicas 2"],
    "storageClasses.gabion-two.isDefault=true": ["only one class can be the default", "gabion-replicated and gabion-two"],
    "storageClasses.gabion-replicated.enabled=false": ["test.storageClassName: name a class, because none of storageClasses is the default"],
    "storageClasses.Fast.enabled=true": ["/storageClasses", "'Fast' not allowed"],
    "storageClasses.gabion-two.reclaimPolicy=Keep": ["/reclaimPolicy", "'Delete', 'Retain'"],
    "volumeAttributesClasses.gabion-two-copies.parameters.pool=fast": ["/volumeAttributesClasses/gabion-two-copies/parameters", "'pool' not allowed"],
    "snapshots.enabled=true": ["the cluster has no snapshot.storage.k8s.io/v1; install the snapshot CRDs"],
    "monitoring.serviceMonitor.mode=Always": ["the cluster has no monitoring.coreos.com/v1; install the Prometheus operator first"],
    "monitoring.serviceMonitor.mode=true": ["/monitoring/serviceMonitor/mode", "'Auto', 'Always', 'Never'"],
}


class WrongValues(unittest.TestCase):
    def test_are_refused_with_the_place_and_the_reason(self):
        for argument, parts in WRONG.items():
            with self.subTest(value=argument):
                with self.assertRaises(Refused) as refused:
                    helm_template(["--set", argument])
                for part in parts:
                    self.assertIn(part, str(refused.exception))

    def test_are_at_least_twenty(self):
        self.assertGreaterEqual(len(WRONG), 20)

    def test_include_a_kubernetes_that_is_too_old(self):
        with self.assertRaises(Refused) as refused:
            helm_template([], kubernetes="1.31.9")
        self.assertIn("requires kubeVersion: >=1.32.0-0", str(refused.exception))


class RightValues(unittest.TestCase):
    def test_may_be_numbers_where_kubernetes_wants_text(self):
        text = helm_template(["--set", "storageClasses.gabion-two.parameters.replicas=1"])
        self.assertIn('replicas: "1"', text)
