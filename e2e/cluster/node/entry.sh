#!/bin/bash
# Starts a Kubernetes node: "server" (control plane and worker) or "agent" (worker). Environment, ports, files and log lines are those of the public
# k3s image, so that a test fixture made for that image drives this one too:
#   K3S_TOKEN      what agents join with; the cluster's only secret
#   K3S_URL        (agent) https://SERVER:6443
#   K3S_NODE_NAME  the node's name, else the host name
#   --tls-san=X    (server) a further name of the API server; other options of k3s are accepted and ignored
# /etc/rancher/k3s/k3s.yaml is the administrator's kubeconfig, and "Node controller sync successful" is logged when the server is ready.
# GABION_APISERVER_ARGS, GABION_CONTROLLER_MANAGER_ARGS and GABION_KUBELET_ARGS add options. Control-plane timings are Kubernetes' own.
set -euo pipefail

role=${1:-agent}
shift || true
extra_names=()
for option in "$@"; do
  case $option in --tls-san=*) extra_names+=("${option#*=}") ;; esac
done

node=${K3S_NODE_NAME:-$(hostname)}
token=${K3S_TOKEN:?set K3S_TOKEN: agents join with it}
address=$(hostname -i | awk '{ print $1 }')

state=/var/lib/rancher/k3s
logs=$state/logs
tls=$state/tls
config=$state/config
pids=/run/k3s/pids
containerd_socket=/run/k3s/containerd.sock
cluster_cidr=10.42.0.0/16
service_cidr=10.43.0.0/16
api_service_address=10.43.0.1
dns_service_address=10.43.0.10
# Seconds until a part that does not come up fails the start.
start_seconds=180

mkdir -p $logs $tls $config $pids /etc/rancher/k3s /etc/cni/net.d /var/lib/kubelet
chmod 0700 $tls $config

# Starts a part of the node in the background; the node ends when one of them does.
start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" > "$logs/$name.log" 2>&1 &
  echo $! > "$pids/$name"
}

wait_until() { # WHAT COMMAND...
  local what=$1 deadline=$((SECONDS + start_seconds))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then echo "$what: not after $start_seconds s" >&2; report_ended; exit 1; fi
    sleep 0.2
  done
}

report_ended() {
  local file name
  for file in "$pids"/*; do
    name=$(basename "$file")
    kill -0 "$(cat "$file")" 2>/dev/null && continue
    echo "== $name ended; its last lines:" >&2
    tail -n 20 "$logs/$name.log" >&2
  done
}

kubeconfig() { # FILE SERVER TOKEN CA_FILE|insecure
  local trust="insecure-skip-tls-verify: true"
  [ "$4" = insecure ] || trust="certificate-authority-data: $(base64 -w 0 "$4")"
  (umask 077; cat > "$1" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: default, cluster: {server: "$2", $trust}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
users: [{name: default, user: {token: "$3"}}]
YAML
  )
}

stop_all() {
  local file
  for file in "$pids"/*; do kill "$(cat "$file")" 2>/dev/null || true; done
  exit 0
}
trap stop_all TERM INT

rm -f "$pids"/*
source /node/prepare.sh
source /node/worker.sh
prepare_mounts
prepare_cgroups
case $role in
  server) source /node/server.sh; run_server ;;
  agent) run_agent ;;
  *) echo "unknown role '$role': server or agent" >&2; exit 2 ;;
esac

# shellcheck disable=SC2046
wait -n $(cat "$pids"/*) || true
report_ended
exit 1
