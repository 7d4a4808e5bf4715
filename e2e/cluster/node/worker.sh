# The part of a node that runs pods: containerd, kubelet, kube-proxy, and routes to the pods of the other nodes.

start_containerd() {
  cat > /etc/containerd/config.toml <<TOML
version = 2
root = "$state/containerd"
state = "/run/k3s/containerd"
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "gabion.local/pause:1"
  # Scores below the node's own need a capability that not every machine grants.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
TOML
  start containerd containerd -c /etc/containerd/config.toml
  wait_until "containerd answers" ctr -a $containerd_socket version
  local archive
  for archive in /images/*.tar "$state"/agent/images/*.tar; do
    if [ -f "$archive" ]; then ctr -a $containerd_socket -n k8s.io images import "$archive" >> "$logs/images.log" 2>&1; fi
  done
}

start_kubelet() { # SERVER
  kubeconfig $config/bootstrap.yaml "$1" "$token" $tls/ca.crt
  cat > $config/kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $tls/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: "$cgroup_root"
failSwapOn: false
containerRuntimeEndpoint: unix://$containerd_socket
clusterDNS: [$dns_service_address]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
# All nodes share one disk: none of them may evict because of it, nor remove an image that no registry could bring back.
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
rotateCertificates: true
YAML
  # shellcheck disable=SC2086
  start kubelet kubelet --config=$config/kubelet.yaml --bootstrap-kubeconfig=$config/bootstrap.yaml --kubeconfig=$config/kubelet.kubeconfig \
    --cert-dir=$state/kubelet-pki --hostname-override="$node" --node-ip="$address" --root-dir=/var/lib/kubelet --v=2 ${GABION_KUBELET_ARGS:-}
}

start_network() { # SERVER
  kubeconfig $config/proxy.kubeconfig "$1" "$token-proxy" $tls/ca.crt
  cat > $config/proxy.yaml <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $cluster_cidr
hostnameOverride: "$node"
clientConnection: {kubeconfig: $config/proxy.kubeconfig}
# The table of connections is the machine's: a node in a container must not size it.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
  start kube-proxy kube-proxy --config=$config/proxy.yaml --v=2
  start routes keep_routes
}

# One watch instead of a poll: it costs nothing while nothing changes.
keep_routes() {
  local name range peer
  while :; do
    kubectl --kubeconfig=$config/proxy.kubeconfig get nodes --watch \
      -o 'jsonpath={.metadata.name} {.spec.podCIDR} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}' |
      while read -r name range peer; do
        if [[ "$range" != */* ]]; then continue; fi
        if [ "$name" = "$node" ]; then
          write_pod_network "$range"
        elif [ -n "$peer" ]; then
          ip route replace "$range" via "$peer" || true
        fi
      done || true
    sleep 1
  done
}

write_pod_network() { # POD_RANGE
  local file=/etc/cni/net.d/10-bridge.conflist
  if grep -q "\"$1\"" $file 2>/dev/null; then return 0; fi
  cat > $file.new <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/k3s/cni", "ranges": [[{"subnet": "$1"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
  mv $file.new $file
}

fetch_ca() {
  kubectl --kubeconfig=$config/join.kubeconfig -n kube-public get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}' > $tls/ca.crt && [ -s $tls/ca.crt ]
}

run_agent() {
  local server=${K3S_URL:?set K3S_URL: https://SERVER:6443}
  if [ ! -s $tls/ca.crt ]; then
    kubeconfig $config/join.kubeconfig "$server" "$token" insecure
    wait_until "the server at $server hands out its certificate authority" fetch_ca
  fi
  start_containerd
  start_kubelet "$server"
  start_network "$server"
  echo "agent started"
}
