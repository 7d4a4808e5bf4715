# Installs Gabion on the cluster of tools/kubernetes/cluster.sh and shows that it works. Sourced by tools/dev/kubernetes.sh.

gabion_namespace=gabion-system
gabion_workloads=(deployment/gabion-operator deployment/gabion-csi-controller daemonset/gabion-data-plane daemonset/gabion-agent daemonset/gabion-csi-node)
dev_pool_size=${GABION_CAPACITY:-4Gi}
install_seconds=300
first_volume_seconds=120

# The snapshotter is pinned, but the chart does not install it yet.
cluster_images() {
  local image
  for image in "${product_images[@]}"; do product_image "$image"; done
  sidecar_images | grep -v snapshotter
  echo "$base_image"
}

# Nothing of what helm sets here is needed on a cluster with disks and a registry, except a pool.
helm_install() {
  local sets=(--set global.imagePullPolicy=Never --set "devPool.size=$dev_pool_size"
    --set-string 'devPool.nodeSelector.gabion\.io/storage=true' --set-string 'dataPlane.nodeSelector.gabion\.io/storage=true')
  helm_dev upgrade gabion "$root/charts/gabion" --install --namespace "$gabion_namespace" --create-namespace "${sets[@]}" "$@" > "$cluster_state/helm.log" \
    || { cat "$cluster_state/helm.log" >&2; fail "helm install failed"; }
}

# What a person would look at first.
explain_failure() {
  {
    kubectl_dev -n "$gabion_namespace" get pods -o wide
    kubectl_dev get storageclusters,storagepools,storagenodes,volumes,persistentvolumeclaims -A
    kubectl_dev get events -A --field-selector type=Warning --sort-by .lastTimestamp | tail -n 20
  } >&2 || true
}

wait_workloads() {
  local workload deadline=$((SECONDS + install_seconds)) left
  for workload in "${gabion_workloads[@]}"; do
    left=$((deadline - SECONDS))
    # Not `rollout status` alone: it says nothing about a DaemonSet whose pods are replaced only when the operator does it.
    until workload_is_ready "$workload"; do
      [ $SECONDS -lt $deadline ] || { explain_failure; fail "$workload is not ready after $install_seconds s: kubectl -n $gabion_namespace describe $workload"; }
      sleep 1
    done
  done
  say "kubernetes: every part of Gabion is ready after $((install_seconds - left)) s"
}

workload_is_ready() { # KIND/NAME
  local wanted ready
  case $1 in
    daemonset/*) read -r wanted ready < <(kubectl_dev -n "$gabion_namespace" get "$1" -o 'jsonpath={.status.desiredNumberScheduled} {.status.numberReady}{"\n"}' 2>/dev/null) ;;
    *) read -r wanted ready < <(kubectl_dev -n "$gabion_namespace" get "$1" -o 'jsonpath={.spec.replicas} {.status.readyReplicas}{"\n"}' 2>/dev/null) ;;
  esac
  [ -n "${wanted:-}" ] && [ "$wanted" -gt 0 ] && [ "${ready:-0}" = "$wanted" ]
}

first_volume() {
  local start=$SECONDS
  kubectl_dev apply -f "$root/tools/kubernetes/first-volume.yaml" >/dev/null
  kubectl_dev rollout status statefulset/writer --timeout "${first_volume_seconds}s" >/dev/null 2>&1 \
    || { explain_failure; fail "the pod on a claim does not write after $first_volume_seconds s: kubectl describe pvc/first-volume pod/writer-0"; }
  say "kubernetes: a pod writes to its volume after $((SECONDS - start)) s"
}

install_gabion() {
  local images
  mapfile -t images < <(cluster_images)
  kubernetes_load_images "${images[@]}"
  helm_install
  wait_workloads
}

# After a change of the sources: builds, brings the images to the nodes and replaces the pods.
kubernetes_reload() {
  kubernetes_product_images
  install_gabion
  kubectl_dev -n "$gabion_namespace" delete pods --all --wait=false >/dev/null
  sleep 2
  wait_workloads
}

print_next_steps() {
  cat <<TEXT

Gabion runs on a Kubernetes of four nodes; a pod writes to a volume with three copies. Its kubeconfig:

  export KUBECONFIG=$cluster_kubeconfig PATH=$kubernetes_cache/bin:\$PATH

Try next:
  kubectl get scl,spool,snode,vol
  kubectl describe vol
  kubectl exec writer-0 -- tail -n 3 /data/lines
  kubectl cordon \$(kubectl get pod writer-0 -o jsonpath='{.spec.nodeName}') && kubectl delete pod writer-0     # it comes back elsewhere, with its lines
  kubectl scale volume \$(kubectl get vol -o jsonpath='{.items[0].metadata.name}') --replicas 2
  docker kill $(node_container storage-2)        # lose a node; docker start $(node_container storage-2) brings it back
  helm test gabion -n $gabion_namespace
  ./dev down
TEXT
}
