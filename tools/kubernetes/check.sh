# Checks the cluster by itself: pods on every node, traffic between nodes, DNS, mounts that propagate, a loop device on FUSE inside a pod.
# Sourced by tools/dev/kubernetes.sh.

check_namespace=cluster-check
check_pod_seconds=60

in_check_pod() { # POD CONTAINER SCRIPT
  kubectl_dev -n $check_namespace exec "$1" -c "$2" -- sh -euc "$3"
}

# Every pod reaches every pod by its address and the service by its name.
check_network() {
  local pods addresses pod address
  mapfile -t pods < <(kubectl_dev -n $check_namespace get pods -l app=probe -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}')
  mapfile -t addresses < <(kubectl_dev -n $check_namespace get pods -l app=probe -o 'jsonpath={range .items[*]}{.status.podIP}{"\n"}{end}')
  for pod in "${pods[@]}"; do
    for address in "${addresses[@]}"; do
      in_check_pod "$pod" web "curl -sf -m 5 -o /dev/null http://$address:8080/" || fail "pod $pod does not reach $address"
    done
    in_check_pod "$pod" web "curl -sf -m 10 -o /dev/null http://probe.$check_namespace.svc.cluster.local/" || fail "pod $pod does not reach the service by its name"
    in_check_pod "$pod" web "curl -skf -m 10 -o /dev/null https://kubernetes.default.svc/readyz" || fail "pod $pod does not reach the API server"
  done
  say "check: ${#pods[@]} pods reach each other, the service by name and the API server"
}

# A file system on a loop device whose backing file is served by FUSE, mounted by one container and seen by another. This is Gabion's own path.
check_devices() {
  local pod
  for pod in $(kubectl_dev -n $check_namespace get pods -l app=probe -o name); do
    in_check_pod "$pod" mounter '
      mkdir -p /served /shared/volume
      truncate -s 256M /backing && mkfs.ext4 -q /backing
      fuse2fs -o fakeroot /backing /served 2>/dev/null
      truncate -s 64M /served/device
      loop=$(losetup --find --show --direct-io=on /served/device 2>/dev/null || losetup --find --show /served/device)
      echo "$loop" > /loop
      mkfs.ext4 -q "$loop" && mount "$loop" /shared/volume
      echo seen > /shared/volume/file' || fail "$pod cannot mount a loop device on FUSE"
    [ "$(in_check_pod "$pod" reader 'cat /shared/volume/file')" = seen ] || fail "$pod: the mount does not propagate to the other container"
    in_check_pod "$pod" mounter 'umount /shared/volume; losetup --detach "$(cat /loop)"; umount /served'
  done
  say "check: a loop device on FUSE mounts in a pod on every node and propagates"
}

kubernetes_check() {
  local status=0
  kubernetes_test_images tools
  kubernetes_load_images "$(test_image tools)"
  kubectl_dev apply -f "$root/e2e/cluster/check/check.yaml" >/dev/null
  kubectl_dev -n $check_namespace rollout status daemonset/probe --timeout "${check_pod_seconds}s" >/dev/null || fail "the pods of the check do not run"
  (check_network && check_devices) || status=1
  kubectl_dev delete namespace $check_namespace --wait=false >/dev/null
  return $status
}
