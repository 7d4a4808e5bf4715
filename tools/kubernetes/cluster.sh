# Runs a Kubernetes cluster in containers: a server without disks for Gabion and three storage nodes. Sourced by tools/dev/kubernetes.sh.

cluster_name=${GABION_KUBERNETES_CLUSTER:-gabion-dev}
cluster_label=io.gabion.cluster=$cluster_name
cluster_state=$root/target/kubernetes/$cluster_name
cluster_kubeconfig=$cluster_state/kubeconfig
# A private range that the usual ranges of Docker, the pods and the services do not meet.
cluster_subnet=${GABION_KUBERNETES_SUBNET:-10.213.7.0/24}
cluster_nodes=(server storage-1 storage-2 storage-3)
# Nodes that carry this label hold data; the server does not.
storage_label=gabion.io/storage=true
cluster_ready_seconds=240

# The address stays when a node is killed and started again, as a machine's does.
node_address() { # NODE
  local index=10 name
  for name in "${cluster_nodes[@]}"; do
    [ "$name" = "$1" ] && break
    index=$((index + 1))
  done
  echo "${cluster_subnet%.*}.$index"
}

node_container() { echo "$cluster_name-$1"; }

kubectl_dev() { "$kubernetes_cache/bin/kubectl" --kubeconfig "$cluster_kubeconfig" "$@"; }
helm_dev() { "$kubernetes_cache/bin/helm" --kubeconfig "$cluster_kubeconfig" "$@"; }

cluster_token() {
  [ -s "$cluster_state/token" ] || (umask 077; od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$cluster_state/token")
  cat "$cluster_state/token"
}

container_state() {
  local state
  state=$(docker container inspect -f '{{.State.Status}}' "$1" 2>/dev/null) || state=absent
  echo "$state"
}

start_cluster_node() { # NODE ROLE
  local container
  container=$(node_container "$1")
  case $(container_state "$container") in
    running) return 0 ;;
    absent) ;;
    *) docker start "$container" >/dev/null; return 0 ;;
  esac
  local options=() role=$2
  if [ "$role" = server ]; then options+=(--publish 127.0.0.1::6443); else options+=(--env "K3S_URL=https://$(node_address server):6443"); fi
  # The token goes by a file: a command line can be read by everyone on the machine.
  docker run --detach --name "$container" --hostname "$1" --label "$cluster_label" --privileged --cgroupns host \
    --volume /sys/fs/cgroup:/sys/fs/cgroup:rw --tmpfs /run --tmpfs /var/run \
    --network "$cluster_name" --ip "$(node_address "$1")" --env-file "$cluster_state/environment" "${options[@]}" \
    "$node_image" "$role" >/dev/null || fail "the container of node '$1' does not start"
}

create_cluster_network() {
  docker network inspect "$cluster_name" >/dev/null 2>&1 && return 0
  docker network create --label "$cluster_label" --subnet "$cluster_subnet" \
    --opt com.docker.network.bridge.host_binding_ipv4=127.0.0.1 "$cluster_name" >/dev/null \
    || fail "the network $cluster_subnet cannot be made: set GABION_KUBERNETES_SUBNET to a free private /24"
}

write_kubeconfig() {
  local port
  port=$(docker port "$(node_container server)" 6443/tcp | head -n 1 | sed 's/.*://')
  (umask 077
    docker exec "$(node_container server)" cat /etc/rancher/k3s/k3s.yaml | sed "s#https://127.0.0.1:6443#https://127.0.0.1:$port#" > "$cluster_kubeconfig")
}

# A node that ended says why before the wait runs out.
wait_nodes_ready() {
  local deadline=$((SECONDS + cluster_ready_seconds)) node ready=0
  until [ "$ready" = "${#cluster_nodes[@]}" ]; do
    [ $SECONDS -lt $deadline ] || fail "only $ready of ${#cluster_nodes[@]} nodes are Ready after $cluster_ready_seconds s: docker logs $(node_container server)"
    for node in "${cluster_nodes[@]}"; do
      [ "$(container_state "$(node_container "$node")")" = running ] \
        || { docker logs --tail 20 "$(node_container "$node")" >&2; fail "node '$node' ended while starting"; }
    done
    sleep 0.5
    write_kubeconfig 2>/dev/null || continue
    ready=$(kubectl_dev get nodes --no-headers 2>/dev/null | grep -c -w Ready || true)
  done
}

kubernetes_up() {
  local start=$SECONDS node
  mkdir -p "$cluster_state"
  (umask 077; echo "K3S_TOKEN=$(cluster_token)" > "$cluster_state/environment")
  [ -e "$cluster_state/loop-devices-before" ] || attached_loop_devices | cut -d ' ' -f 1 > "$cluster_state/loop-devices-before"
  create_cluster_network
  for node in "${cluster_nodes[@]}"; do
    if [ "$node" = server ]; then start_cluster_node "$node" server; else start_cluster_node "$node" agent; fi
  done
  wait_nodes_ready
  for node in "${cluster_nodes[@]}"; do
    [ "$node" = server ] || kubectl_dev label node "$node" "$storage_label" --overwrite >/dev/null
  done
  say "kubernetes: ${#cluster_nodes[@]} nodes Ready in $((SECONDS - start)) s; kubeconfig: $cluster_kubeconfig"
}

loaded_images=/var/lib/rancher/k3s/loaded-images

# One archive for all images that a node lacks: what they share travels and is unpacked once. The nodes take it side by side.
kubernetes_load_images() { # IMAGE...
  local start=$SECONDS node image id wanted=() missing archive="$cluster_state/images.tar" lacking=() jobs=() job
  for image in "$@"; do
    id=$(docker image inspect -f '{{.Id}}' "$image") || fail "the image $image was not built"
    wanted+=("$image $id")
  done
  missing=$(for node in "${cluster_nodes[@]}"; do images_missing_on "$node" "${wanted[@]}"; done | sort -u)
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2046
  docker save -o "$archive" $(sed 's/ .*//' <<< "$missing")
  for node in "${cluster_nodes[@]}"; do
    [ -n "$(images_missing_on "$node" "${wanted[@]}")" ] || continue
    load_archive_on "$node" "$archive" "$missing" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || lacking+=("$job"); done
  rm -f "$archive"
  [ ${#lacking[@]} = 0 ] || fail "${#lacking[@]} nodes do not take the images"
  say "kubernetes: images are on every node ($((SECONDS - start)) s)"
}

images_missing_on() { # NODE "IMAGE ID"...
  local have image
  have=$(docker exec "$(node_container "$1")" cat $loaded_images 2>/dev/null || true)
  shift
  for image in "$@"; do grep -q -x -F "$image" <<< "$have" || echo "$image"; done
}

load_archive_on() { # NODE ARCHIVE IMAGES
  docker exec -i "$(node_container "$1")" ctr -a /run/k3s/containerd.sock -n k8s.io images import - < "$2" >/dev/null \
    && docker exec -i "$(node_container "$1")" sh -c "cat >> $loaded_images" <<< "$3"
}

# File systems by FUSE that a process inside a node of ours sees: the numbers of their devices.
cluster_fuse_numbers() {
  local container file
  for container in $(docker ps -q --no-trunc --filter "label=$cluster_label"); do
    grep -l -F "$container" /proc/[0-9]*/cgroup 2>/dev/null || true
  done | while read -r file; do awk '/ - fuse/ { print $3 }' "${file%cgroup}mountinfo" 2>/dev/null || true; done | sort -u
}

attached_loop_devices() { losetup --list --noheadings --raw --output NAME,BACK-MAJ:MIN 2>/dev/null || true; }

# Our loop devices: those on such a file system, and those whose FUSE server is gone with its node (nothing can be asked about their backing
# file any more) unless they were there before the cluster was. Asked while the nodes still run: device numbers are handed out again.
cluster_loop_devices() {
  local name number numbers
  numbers=$(cluster_fuse_numbers)
  attached_loop_devices | while read -r name number; do
    if [ -n "$number" ]; then
      grep -q -x -F "$number" <<< "$numbers" && echo "$name"
    else
      grep -q -x -F "$name" "$cluster_state/loop-devices-before" 2>/dev/null || echo "$name"
    fi
  done
  return 0
}

detach_loop_devices() { # DEVICE...
  local device
  for device in "$@"; do
    losetup "$device" >/dev/null 2>&1 || continue
    timeout 10 losetup --detach "$device" 2>/dev/null || say "kubernetes: $device stays attached: losetup --detach $device"
  done
}

# Whether there is something for kubernetes_down to remove.
kubernetes_is_up() { [ -d "$cluster_state" ]; }

kubernetes_down() {
  docker_answers || { say "kubernetes: no engine answers; nothing runs"; return 0; }
  local containers devices
  mapfile -t devices < <(cluster_loop_devices)
  mapfile -t containers < <(docker ps -aq --filter "label=$cluster_label")
  if [ ${#containers[@]} -gt 0 ]; then docker rm --force --volumes "${containers[@]}" >/dev/null; fi
  detach_loop_devices "${devices[@]}"
  docker network rm "$cluster_name" >/dev/null 2>&1 || true
  rm -rf "$cluster_state"
  say "kubernetes: cluster '$cluster_name' removed (${#containers[@]} nodes, ${#devices[@]} loop devices)"
  docker_stop
}
