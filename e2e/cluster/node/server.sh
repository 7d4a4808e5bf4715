# The control plane of the cluster: etcd, API server, controller manager, scheduler and CoreDNS as plain processes.

etcd_url=http://127.0.0.1:2379
api_url=https://127.0.0.1:6443

signed_certificate() { # NAME SUBJECT EXTENSIONS
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tls/$1.key" -subj "$2" 2>/dev/null \
    | openssl x509 -req -CA $tls/ca.crt -CAkey $tls/ca.key -CAcreateserial -days 3650 -out "$tls/$1.crt" -extfile <(echo "$3") 2>/dev/null
}

make_secrets() {
  [ -f $tls/complete ] && return 0
  local names name
  umask 077
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $tls/ca.key -out $tls/ca.crt -days 3650 -subj "/CN=gabion-e2e-ca" 2>/dev/null
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $tls/service-accounts.key 2>/dev/null
  names="DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,DNS:$node"
  names+=",IP:127.0.0.1,IP:$api_service_address,IP:$address"
  for name in ${extra_names[@]+"${extra_names[@]}"}; do
    if [[ $name =~ ^[0-9.]+$|: ]]; then names+=",IP:$name"; else names+=",DNS:$name"; fi
  done
  signed_certificate apiserver "/CN=kube-apiserver" "subjectAltName=$names"
  signed_certificate kubelet-client "/O=system:masters/CN=kube-apiserver-kubelet-client" "basicConstraints=CA:FALSE"
  cat > $tls/tokens.csv <<CSV
$token-admin,admin,1,"system:masters"
$token,bootstrap,2,"system:bootstrappers"
$token-controllers,system:kube-controller-manager,3
$token-scheduler,system:kube-scheduler,4
$token-proxy,system:kube-proxy,5,"system:node-proxier"
CSV
  umask 022
  touch $tls/complete
}

start_api() {
  # What a crash of the whole machine would lose is a test cluster's least concern; what a killed process would lose is nothing.
  start etcd etcd --data-dir=$state/etcd --listen-client-urls=$etcd_url --advertise-client-urls=$etcd_url \
    --listen-peer-urls=http://127.0.0.1:2380 --unsafe-no-fsync
  # shellcheck disable=SC2086
  start kube-apiserver kube-apiserver --etcd-servers=$etcd_url --secure-port=6443 --bind-address=0.0.0.0 --advertise-address="$address" \
    --tls-cert-file=$tls/apiserver.crt --tls-private-key-file=$tls/apiserver.key --client-ca-file=$tls/ca.crt \
    --kubelet-client-certificate=$tls/kubelet-client.crt --kubelet-client-key=$tls/kubelet-client.key \
    --kubelet-preferred-address-types=InternalIP --token-auth-file=$tls/tokens.csv --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true --service-cluster-ip-range=$service_cidr \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file=$tls/service-accounts.key --service-account-signing-key-file=$tls/service-accounts.key \
    ${GABION_APISERVER_ARGS:-}
  kubeconfig /etc/rancher/k3s/k3s.yaml $api_url "$token-admin" $tls/ca.crt
  export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
  wait_until "the API server is ready" kubectl get --raw /readyz
}

start_controllers() {
  kubeconfig $config/controllers.kubeconfig $api_url "$token-controllers" $tls/ca.crt
  kubeconfig $config/scheduler.kubeconfig $api_url "$token-scheduler" $tls/ca.crt
  local connection="--kubeconfig=$config/controllers.kubeconfig --authentication-kubeconfig=$config/controllers.kubeconfig --authorization-kubeconfig=$config/controllers.kubeconfig"
  # shellcheck disable=SC2086
  start kube-controller-manager kube-controller-manager $connection \
    --cluster-signing-cert-file=$tls/ca.crt --cluster-signing-key-file=$tls/ca.key --root-ca-file=$tls/ca.crt \
    --service-account-private-key-file=$tls/service-accounts.key --use-service-account-credentials=true \
    --allocate-node-cidrs --cluster-cidr=$cluster_cidr --service-cluster-ip-range=$service_cidr --leader-elect=false ${GABION_CONTROLLER_MANAGER_ARGS:-}
  connection=${connection//controllers.kubeconfig/scheduler.kubeconfig}
  # shellcheck disable=SC2086
  start kube-scheduler kube-scheduler $connection --leader-elect=false
}

# Who joins with the token may ask for a node's certificate and read the certificate authority; kube-proxy reads what it must.
grant_rights() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gabion-e2e:node-bootstrapper}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:node-bootstrapper"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gabion-e2e:approve-new-nodes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gabion-e2e:approve-renewals}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:nodes"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: gabion-e2e:read-ca, namespace: kube-public}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [kube-root-ca.crt], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gabion-e2e:read-ca, namespace: kube-public}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gabion-e2e:read-ca}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers"}]
YAML
}

publish_dns() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: $dns_service_address, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
endpoints: [{addresses: ["$address"]}]
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
YAML
}

start_dns() {
  wait_until "the services of DNS are made" publish_dns
  cat > $config/Corefile <<COREFILE
.:53 {
  bind $address
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig /etc/rancher/k3s/k3s.yaml default
  }
  forward . /etc/resolv.conf
  cache 5
}
COREFILE
  start coredns coredns -conf $config/Corefile
}

run_server() {
  make_secrets
  start_api
  start_controllers
  wait_until "the API server's own roles exist" kubectl get clusterrole system:node-bootstrapper
  wait_until "rights of joining nodes are granted" grant_rights
  start_containerd
  start_kubelet $api_url
  start_network $api_url
  start_dns
  wait_until "node $node is Ready" kubectl wait --for=condition=Ready "node/$node" --timeout=1s
  echo "Node controller sync successful"
}
