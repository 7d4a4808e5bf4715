# The conformance test of CSI against the installed driver. Sourced by tools/dev/kubernetes.sh; nothing else may use volumes while it runs.

sanity_seconds=600
# Below the kubelet's directory: what the driver mounts there is seen on the node.
sanity_directory=/var/lib/kubelet/gabion-sanity

csi_sanity() { # mount|block
  local node pod container socket status=0
  read -r pod node < <(kubectl_dev -n "$gabion_namespace" get pods -l app.kubernetes.io/component=csi-controller \
    -o 'jsonpath={.items[0].metadata.uid} {.items[0].spec.nodeName}{"\n"}')
  container=$(node_container "$node")
  socket=/var/lib/kubelet/pods/$pod/volumes/kubernetes.io~empty-dir/socket/csi.sock
  docker cp "$kubernetes_cache/bin/csi-sanity" "$container:/usr/local/bin/csi-sanity"
  echo 'qosIops: "500"' | docker exec -i "$container" sh -c 'cat > /run/mutable.yaml'
  timeout "$sanity_seconds" docker exec "$container" csi-sanity --csi.endpoint=unix:/var/lib/kubelet/plugins/csi.gabion.io/csi.sock \
    "--csi.controllerendpoint=unix:$socket" --csi.mountdir=$sanity_directory/mount --csi.stagingdir=$sanity_directory/staging \
    --csi.testvolumesize=$((512 << 20)) --csi.testvolumeexpandsize=$((1 << 30)) "--csi.testvolumeaccesstype=$1" \
    --csi.testvolumemutableparameters=/run/mutable.yaml > "$root/target/csi-sanity-$1.log" 2>&1 || status=1
  [ $status = 0 ] || grep -A 12 '\[FAIL\]\|\[Fail\]\|panic' "$root/target/csi-sanity-$1.log" | head -n 60
  say "csi-sanity, $1: $(sed 's/\x1b\[[0-9;]*m//g' "$root/target/csi-sanity-$1.log" | grep -E 'Passed.*Failed' | tail -n 1)"
  return $status
}
