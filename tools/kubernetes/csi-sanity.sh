#!/usr/bin/env bash
# The conformance suite of CSI (csi-sanity) against Gabion as it is installed, with raw block volumes and with mounted ones.
#   tools/kubernetes/csi-sanity.sh [mount|block ...]
# On the cluster of ./dev up --kubernetes, once its volumes are deleted: the suite counts all volumes, so there must be no others. Else on one
# that is started for it and removed afterwards. It passes when nothing fails and exactly what
# csi-driver/src/test/resources/csi-sanity-skips.txt lists is skipped.
# The same suite against the driver alone, without a cluster: CsiSanityIT.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
source tools/dev/setup.sh
source tools/dev/kubernetes.sh

# Volumes of one node: the suite makes as many and one more.
sanity_max_volumes=6
sanity_volume_bytes=$((64 << 20))
sanity_seconds=1200
sanity_plugin=/var/lib/kubelet/plugins/csi.gabion.io
sanity_skips=$root/csi-driver/src/test/resources/csi-sanity-skips.txt
sanity_out=$cluster_state/csi-sanity

# The suite wants every part that the specification marks as alpha, and a limit that it can reach.
sanity_install() {
  local images
  mapfile -t images < <(cluster_images)
  kubernetes_load_images "${images[@]}"
  helm_install --set csi.alpha=true --set "csi.node.maxVolumes=$sanity_max_volumes"
  # Pods of an earlier installation run the images of that time.
  kubectl_dev -n "$gabion_namespace" rollout restart deployment/gabion-csi-controller daemonset/gabion-csi-node >/dev/null
  kubectl_dev -n "$gabion_namespace" rollout status deployment/gabion-csi-controller --timeout "${install_seconds}s" >/dev/null
  kubectl_dev -n "$gabion_namespace" rollout status daemonset/gabion-csi-node --timeout "${install_seconds}s" >/dev/null
  wait_workloads
}

# Prints NODE UID of a pod of the controller: its socket lies in its own directory on that node.
sanity_controller() {
  kubectl_dev -n "$gabion_namespace" get pods -l app.kubernetes.io/component=csi-controller --field-selector status.phase=Running \
    -o 'go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.spec.nodeName}} {{.metadata.uid}}{{"\n"}}{{end}}{{end}}' | head -n 1
}

sanity_run() { # ACCESS_TYPE
  local node uid container directory
  read -r node uid < <(sanity_controller)
  container=$(node_container "$node")
  # Below the kubelet's directory, where mounts of the driver's container reach the node.
  directory=$sanity_plugin/sanity-$1
  docker exec "$container" sh -c "mkdir -p $directory && echo 'qosIops: \"500\"' > $directory/mutable.yaml"
  docker cp "$kubernetes_cache/bin/csi-sanity" "$container:/usr/local/bin/csi-sanity" >/dev/null
  mkdir -p "$sanity_out"
  say "csi-sanity: $1 volumes on node $node"
  local ended=0
  timeout "$sanity_seconds" docker exec "$container" csi-sanity \
    "--csi.endpoint=unix:$sanity_plugin/csi.sock" \
    "--csi.controllerendpoint=unix:/var/lib/kubelet/pods/$uid/volumes/kubernetes.io~empty-dir/socket/csi.sock" \
    "--csi.mountdir=$directory/mount" "--csi.stagingdir=$directory/staging" \
    "--csi.testvolumesize=$sanity_volume_bytes" "--csi.testvolumeexpandsize=$((2 * sanity_volume_bytes))" \
    "--csi.testvolumeaccesstype=$1" "--csi.testvolumemutableparameters=$directory/mutable.yaml" --csi.testnodevolumeattachlimit \
    "--ginkgo.junit-report=$directory/report.xml" > "$sanity_out/$1.log" 2>&1 || ended=$?
  docker exec "$container" cat "$directory/report.xml" > "$sanity_out/$1.xml" || true
  docker exec "$container" rm -rf "$directory/mutable.yaml" "$directory/report.xml"
  sanity_judge "$1" "$ended"
}

sanity_judge() { # ACCESS_TYPE EXIT_CODE
  python3 - "$sanity_out/$1.xml" "$sanity_skips" "$1" "$2" <<'PYTHON' || fail "csi-sanity with $1 volumes did not pass: $sanity_out/$1.log"
import sys, xml.etree.ElementTree as tree
report, allowed_file, access, ended = sys.argv[1:]
allowed = {line.strip() for line in open(allowed_file, encoding="utf-8") if line.strip() and not line.startswith("#")}
results = {}
for test in tree.parse(report).iter("testcase"):
    results.setdefault(test.get("status"), set()).add(test.get("name"))
passed = results.pop("passed", set())
skipped = results.pop("skipped", set()) | results.pop("pending", set())
problems = [f"failed: {name}" for names in results.values() for name in sorted(names)]
problems += [f"skipped without leave: {name}" for name in sorted(skipped - allowed)]
problems += [f"runs now, take it off the list: {name}" for name in sorted(allowed - skipped)]
if ended != "0" and not problems:
    problems.append(f"ended with {ended}")
for problem in problems:
    print(f"[dev] csi-sanity: {problem}", file=sys.stderr)
print(f"[dev] csi-sanity: {access}: {len(passed)} passed, {len(skipped)} skipped as agreed, {len(problems)} problems")
sys.exit(1 if problems else 0)
PYTHON
}

# What the chart ships.
sanity_restore() {
  helm_install
  kubectl_dev -n "$gabion_namespace" rollout status deployment/gabion-csi-controller --timeout "${install_seconds}s" >/dev/null
  kubectl_dev -n "$gabion_namespace" rollout status daemonset/gabion-csi-node --timeout "${install_seconds}s" >/dev/null
}

sanity_mine=no
kubernetes_is_up || sanity_mine=yes
kubernetes_setup
kubernetes_build
kubernetes_images_for_up no
kubernetes_up
[ -z "$(kubectl_dev get volumes.gabion.io -o name 2>/dev/null)" ] || fail "csi-sanity counts all volumes; delete yours first: kubectl get volumes.gabion.io"
[ $# -gt 0 ] || set -- mount block
# Not as part of a condition: errors would end nothing in there.
set +e
(
  set -e
  sanity_install
  for access in "$@"; do sanity_run "$access"; done
  [ -z "$(kubectl_dev get volumes.gabion.io -o name)" ] || fail "csi-sanity left volumes behind: kubectl get volumes.gabion.io"
  say "csi-sanity: passed"
)
sanity_status=$?
set -e
if [ $sanity_mine = yes ]; then kubernetes_down; else sanity_restore; fi
exit $sanity_status
