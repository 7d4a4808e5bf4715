# Starts and stops a small cluster on this machine: configuration store, three storage nodes, one agent, each its own process.

dir=target/dev
base_port=7400
demo=no
purge=no
agent=agent-1
nodes=(n1 n2 n3)

parse_up_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --demo) demo=yes ;;
      --dir) dir=${2:?--dir needs a directory}; shift ;;
      --base-port) base_port=${2:?--base-port needs a number}; shift ;;
      --purge) purge=yes ;;
      *) echo "dev: unknown option '$1'$(nearest "$1" --demo --dir --base-port --purge)" >&2; exit 2 ;;
    esac
    shift
  done
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  [ -f "$dir/base-port" ] && [ "$base_port" = 7400 ] && base_port=$(cat "$dir/base-port")
  echo "$base_port" > "$dir/base-port"
}

port_of() { # NAME KIND(data|control|metrics)
  local index
  case "$1" in
    configuration-store) index=0 ;;
    agent-1) index=4 ;;
    n*) index=${1#n} ;;
  esac
  case "$2" in
    control) echo $((base_port + index * 10 + 1)) ;;
    data) echo $((base_port + index * 10 + 2)) ;;
    metrics) echo $((base_port + index * 10 + 3)) ;;
  esac
}

is_running() { # NAME
  local pid
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] \
    && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q 'io\.gabion\.'
}

# Every process: bounded heap and direct memory, no surprise from a growing page cache of class files.
java_options=(-XX:+UseSerialGC -Xms64m -Xmx256m -XX:MaxDirectMemorySize=384m -XX:+ExitOnOutOfMemoryError
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)

start_process() { # NAME MAIN_CLASS ARGS...
  local name=$1 main=$2
  shift 2
  if is_running "$name"; then return 0; fi
  mkdir -p "$dir/run" "$dir/log"
  local archive="$root/target/$main.jsa"
  nohup "$JAVA_HOME/bin/java" "${java_options[@]}" -XX:+AutoCreateSharedArchive "-XX:SharedArchiveFile=$archive" \
    -Xlog:cds=off -Xlog:cds+dynamic=off -cp "$root/$library/*" "$main" "$@" >> "$dir/log/$name.log" 2>&1 < /dev/null &
  echo $! > "$dir/run/$name.pid"
  disown
}

wait_ready() { # NAME PORT
  local deadline=$((SECONDS + 60))
  until (exec 3<> "/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
    is_running "$1" || { tail -n 5 "$dir/log/$1.log" >&2; fail "$1 ended while starting; its log: $dir/log/$1.log"; }
    [ $SECONDS -lt $deadline ] || fail "$1 is not ready after 60 s; its log: $dir/log/$1.log"
    sleep 0.1
  done
}

tls_of() { echo --certificate "$dir/tls/$1.pem" --key "$dir/tls/$1.key" --ca "$dir/tls/ca.pem" --cluster "$cluster"; }

start_configuration_store() {
  # shellcheck disable=SC2046
  start_process configuration-store io.gabion.configstore.ConfigurationStoreServer \
    --data "$dir/configuration-store" --listen "127.0.0.1:$(port_of configuration-store control)" \
    --metrics-listen "127.0.0.1:$(port_of configuration-store metrics)" $(tls_of configuration-store-main)
}

start_node() { # NAME
  # One file of the native library that each start replaces, not one more in /tmp for each.
  mkdir -p "$dir/run/$1.lib"
  # shellcheck disable=SC2046
  ROCKSDB_SHAREDLIB_DIR="$dir/run/$1.lib" start_process "$1" io.gabion.node.StorageNode --name "$1" --data "$dir/$1" --capacity "${GABION_CAPACITY:-4GiB}" \
    --data-listen "127.0.0.1:$(port_of "$1" data)" --control-listen "127.0.0.1:$(port_of "$1" control)" \
    --metrics-listen "127.0.0.1:$(port_of "$1" metrics)" \
    --configuration-store "127.0.0.1:$(port_of configuration-store control)" $(tls_of "node-$1")
}

start_agent() {
  # shellcheck disable=SC2046
  start_process $agent io.gabion.agent.Agent --name $agent --socket-directory "$dir/$agent" \
    --control-listen "127.0.0.1:$(port_of $agent control)" \
    --metrics-listen "127.0.0.1:$(port_of $agent metrics)" $(tls_of agent-$agent)
}

write_context() {
  cat > "$dir/context" <<TEXT
configuration-store=127.0.0.1:$(port_of configuration-store control)
agent-control=127.0.0.1:$(port_of $agent control)
cluster=$cluster
certificate=$dir/tls/operator-admin.pem
key=$dir/tls/operator-admin.key
ca=$dir/tls/ca.pem
TEXT
}

gabion() {
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx256m -XX:TieredStopAtLevel=1 -XX:+AutoCreateSharedArchive \
    "-XX:SharedArchiveFile=$root/target/io.gabion.cli.Gabion.jsa" -Xlog:cds=off -Xlog:cds+dynamic=off \
    --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "$root/$library/*" io.gabion.cli.Gabion --context "$dir/context" "$@"
}

run_gabion() {
  find_java || setup
  [ -d "$library" ] || { setup; build; }
  mkdir -p "$dir"
  dir=$(cd "${GABION_DIR:-$dir}" && pwd)
  gabion "$@"
}

start_cluster() {
  cluster=$(cat "$dir/cluster" 2>/dev/null || true)
  if [ -z "$cluster" ]; then
    cluster=$(cat /proc/sys/kernel/random/uuid)
    echo "$cluster" > "$dir/cluster"
  fi
  local names=(configuration-store/main operator/admin "agent/$agent") node
  for node in "${nodes[@]}"; do names+=("node/$node"); done
  tools/development-ca "$dir/tls" "$cluster" "${names[@]}" > /dev/null
  write_context
  start_configuration_store
  wait_ready configuration-store "$(port_of configuration-store control)"
  for node in "${nodes[@]}"; do start_node "$node"; done
  start_agent
  for node in "${nodes[@]}"; do wait_ready "$node" "$(port_of "$node" control)"; done
  wait_ready $agent "$(port_of $agent control)"
}

ensure_volume() {
  gabion pool list -o json | grep -q '"name" *: *"default"' || gabion pool create default > /dev/null
  if ! gabion volume list -o json | grep -q '"name" *: *"vol1"'; then
    gabion volume create vol1 --size 1GiB --replicas 3 --pool default
  fi
  uri=$(gabion volume attach vol1 --node $agent | grep -o 'nbd+unix:[^ ]*' | tail -n 1)
  [ -n "$uri" ] || fail "attaching vol1 gave no NBD URI"
  echo "$uri" > "$dir/nbd-uri"
}

up() {
  parse_up_options "$@"
  setup
  build
  start_cluster
  ensure_volume
  if [ "$demo" = yes ]; then
    source tools/dev/demo.sh
    run_demo
    return
  fi
  cat <<TEXT

Three storage nodes hold one 1 GiB volume; it is served at

  $uri

Try next:
  nbdinfo '$uri'
  nbdcopy -p some-file '$uri'
  ./dev gabion volume describe vol1
  kill -9 \$(cat $dir/run/n1.pid)       # then look again: another node is primary, nobody saw an error
  ./dev up                              # starts what is missing
  ./dev gabion volume verify vol1       # reads every block of every replica and compares
  curl -s 127.0.0.1:$(port_of n1 metrics)/metrics | grep ^gabion_volume
  ./dev down

Logs: $dir/log   Metrics: ports $(for n in configuration-store "${nodes[@]}" $agent; do printf '%s ' "$(port_of "$n" metrics)"; done)
TEXT
}

stop_process() { # NAME
  local pid deadline
  is_running "$1" || { rm -f "$dir/run/$1.pid"; return 0; }
  pid=$(cat "$dir/run/$1.pid")
  kill "$pid" 2>/dev/null || true
  deadline=$((SECONDS + 15))
  while [ -d "/proc/$pid" ] && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  if [ -d "/proc/$pid" ]; then kill -9 "$pid" 2>/dev/null || true; fi
  rm -f "$dir/run/$1.pid"
}

kill_process() { # NAME: as a crash would
  local pid
  pid=$(cat "$dir/run/$1.pid")
  kill -9 "$pid"
  while [ -d "/proc/$pid" ]; do sleep 0.02; done
}

down() {
  parse_up_options "$@"
  source tools/dev/demo.sh
  demo_cleanup
  local name
  for name in $agent "${nodes[@]}" configuration-store; do stop_process "$name"; done
  say "stopped; the data is in $dir"
  if [ "$purge" = yes ]; then
    case "$dir" in "$root"/target/*|/tmp/*) rm -rf "$dir" ;; *) rm -rf "$dir"/{n1,n2,n3,agent-1,configuration-store,tls,log,run,cluster,context,nbd-uri,base-port} ;; esac
    say "and removed"
  fi
}

status() {
  parse_up_options "$@"
  local name
  for name in configuration-store "${nodes[@]}" $agent; do
    if is_running "$name"; then echo "$name running pid $(cat "$dir/run/$name.pid")"; else echo "$name stopped"; fi
  done
}
