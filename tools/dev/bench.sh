# fio jobs against the product and the disk in one run; one row per workload. See docs/testing.md for how to read it.

bench() {
  local only=. runtime=10 repeats=1 keep=no
  while [ $# -gt 0 ]; do
    case "$1" in
      --only) only=${2:?--only needs a regular expression}; shift ;;
      --runtime) runtime=${2:?--runtime needs seconds}; shift ;;
      --repeats) repeats=${2:?--repeats needs a number}; shift ;;
      --keep) keep=yes ;;
      *) echo "dev: unknown option '$1'$(nearest "$1" --only --runtime --repeats --keep)" >&2; exit 2 ;;
    esac
    shift
  done
  source tools/dev/up.sh
  dir=target/bench
  base_port=7500
  parse_up_options --dir target/bench --base-port 7500
  setup
  build
  start_cluster
  ensure_volume
  local pids="" name status=0
  for name in "${nodes[@]}" $agent; do pids="$pids $(cat "$dir/run/$name.pid")"; done
  python3 tools/bench/bench.py --uri "$uri" --pids "$pids" --disk-directory "$dir" --only "$only" --runtime "$runtime" --repeats "$repeats" || status=$?
  if [ "$keep" = no ]; then
    for name in $agent "${nodes[@]}" configuration-store; do stop_process "$name"; done
    rm -rf "$root/target/bench"
  fi
  return $status
}
