# Makes a privileged container look like a machine to the kubelet and to the pods.

prepare_mounts() {
  # Bidirectional mounts of pods (a CSI driver's node service) need shared propagation.
  mount --make-rshared /
  # Loop devices that are made later must appear: the devices of the kernel instead of the container's copy.
  mount -t devtmpfs devtmpfs /dev
  mkdir -p /dev/pts /dev/shm
  mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs tmpfs /dev/shm
}

# The control group that pods go under. The node shares the control groups' tree with the other nodes of this machine: under the root, each kubelet
# would take the pods of the others for orphans and kill them.
prepare_cgroups() {
  if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
    cgroup_root=$(sed -n 's/^0:://p' /proc/self/cgroup)
    # A group with processes in it cannot pass controllers on: they move one level down.
    local directory=/sys/fs/cgroup${cgroup_root%/} pid controllers
    mkdir -p "$directory/node"
    while read -r pid; do echo "$pid" > "$directory/node/cgroup.procs" 2>/dev/null || true; done < "$directory/cgroup.procs"
    controllers=$(sed -E 's/(^| )/\1+/g' "$directory/cgroup.controllers")
    echo "$controllers" > "$directory/cgroup.subtree_control"
  else
    cgroup_root=$(sed -n 's/^[0-9]*:[^:]*\bpids\b[^:]*://p' /proc/self/cgroup)
  fi
}
