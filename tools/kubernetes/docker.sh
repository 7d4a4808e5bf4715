# Finds a Docker engine or starts Debian's by hand, and makes the base image. Sourced by tools/dev/kubernetes.sh.

# What the cluster needs from Debian besides what ./dev needs anyway. Debian's iproute2, e2fsprogs and so on inside the nodes come with their image.
kubernetes_packages_engine=(docker.io iptables)
kubernetes_packages_build=(mmdebstrap etcd-server busybox-static gcc libc6-dev python3)

# The engine that this script starts: its own data, its own process id; nothing of an engine that runs already is touched.
docker_directory=${GABION_CACHE:-$HOME/.cache/gabion}/docker
docker_run_directory=/run/gabion-docker
docker_pid_file=$docker_run_directory/dockerd.pid
docker_start_seconds=30

# The base of every image, under the name that the public Dockerfiles use.
base_image=debian:bookworm-slim
base_suite=bookworm
pull_seconds=60

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# CAP_SYS_RESOURCE is bit 24. Without it old engines cannot start a privileged container.
lacks_sys_resource() { (( (0x$(sed -n 's/^CapEff:\s*//p' /proc/self/status) >> 24 & 1) == 0 )); }

kubernetes_missing_packages() {
  local package wanted=("${kubernetes_packages_build[@]}")
  command -v dockerd >/dev/null || docker_answers || wanted+=("${kubernetes_packages_engine[@]}")
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

kubernetes_setup() {
  local missing
  mapfile -t missing < <(kubernetes_missing_packages)
  if [ ${#missing[@]} -gt 0 ]; then
    is_debian_root || fail "these Debian packages are missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
    apt_install "${missing[@]}"
  fi
  [ -e /dev/fuse ] || fail "/dev/fuse is missing: load the kernel module 'fuse'"
  [ -e /dev/loop-control ] || fail "/dev/loop-control is missing: load the kernel module 'loop'"
  docker_ensure
}

docker_ensure() {
  docker_answers || docker_start
  # Engines before 23 have a builder of their own; the newer builder needs a plugin of the client that Debian does not package.
  local major
  major=$(docker version --format '{{.Server.Version}}' | cut -d . -f 1)
  if [ "$major" -lt 23 ]; then export DOCKER_BUILDKIT=0; fi
  say "docker: engine $(docker version --format '{{.Server.Version}}')"
}

docker_start() {
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one: start Docker or run as root"
  command -v dockerd >/dev/null || fail "no Docker engine answers and 'dockerd' is missing: on Debian it comes with docker.io"
  [ -z "${DOCKER_HOST:-}" ] || fail "the Docker engine at DOCKER_HOST=$DOCKER_HOST does not answer"
  local options=() deadline
  if lacks_sys_resource; then
    options+=(--add-runtime "within-capabilities=$root/e2e/cluster/docker/runc-within-capabilities" --default-runtime within-capabilities)
  fi
  mkdir -p "$docker_directory" "$docker_run_directory"
  setsid nohup dockerd --data-root "$docker_directory" --exec-root "$docker_run_directory/exec" --pidfile "$docker_pid_file" \
    --host unix:///var/run/docker.sock --log-level warn "${options[@]}" > "$docker_directory/dockerd.log" 2>&1 < /dev/null &
  disown
  deadline=$((SECONDS + docker_start_seconds))
  until docker_answers; do
    [ $SECONDS -lt $deadline ] || { tail -n 5 "$docker_directory/dockerd.log" >&2; fail "dockerd does not answer after $docker_start_seconds s; its log: $docker_directory/dockerd.log"; }
    sleep 0.2
  done
  say "docker: started an engine of our own (process id in $docker_pid_file)"
}

# Ends the engine only if docker_start began it and no container runs on it.
docker_stop() {
  local pid deadline
  pid=$(cat "$docker_pid_file" 2>/dev/null) || return 0
  tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q -- "--pidfile $docker_pid_file" || return 0
  if [ -n "$(docker ps -q)" ]; then
    say "docker: containers still run on the engine; it stays"
    return 0
  fi
  kill "$pid"
  deadline=$((SECONDS + docker_start_seconds))
  while [ -d "/proc/$pid" ] && [ $SECONDS -lt $deadline ]; do sleep 0.2; done
  [ ! -d "/proc/$pid" ] || fail "dockerd (process $pid) did not end within $docker_start_seconds s"
  say "docker: engine stopped; images stay in $docker_directory"
}

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

# The public base where a registry can be reached, else the same from Debian's archive.
docker_base_image() {
  image_exists "$base_image" && return 0
  local start=$SECONDS
  if [ "${GABION_NO_PULL:-}" = "" ] && timeout "$pull_seconds" docker pull -q "$base_image" >/dev/null 2>&1; then
    say "images: pulled $base_image"
    return 0
  fi
  say "images: no registry; building $base_image from Debian's archive"
  nice mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="copy-in $root/e2e/cluster/docker/apt-keeps-nothing /etc/apt/apt.conf.d" \
    --customize-hook='rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/* "$1"/etc/resolv.conf "$1"/etc/hostname' \
    "$base_suite" - | docker import - "$base_image" >/dev/null
  say "images: $base_image built in $((SECONDS - start)) s"
}
