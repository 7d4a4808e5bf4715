# The story that `./dev up --demo` tells: a file system, a writer, a dead primary, a clean return. Exits non-zero if a promise breaks.

demo_dir() { echo "$dir/demo"; }

demo_cleanup() {
  local d
  d=$(demo_dir)
  if [ -f "$d/writer.pid" ]; then kill "$(cat "$d/writer.pid")" 2>/dev/null || true; rm -f "$d/writer.pid"; fi
  if mountpoint -q "$d/files" 2>/dev/null; then umount "$d/files" || umount -l "$d/files"; fi
  if [ -f "$d/loop" ]; then losetup -d "$(cat "$d/loop")" 2>/dev/null || true; rm -f "$d/loop"; fi
  if mountpoint -q "$d/device" 2>/dev/null; then fusermount3 -u "$d/device" || umount -l "$d/device"; fi
  if [ -f "$d/nbdfuse.pid" ]; then kill "$(cat "$d/nbdfuse.pid")" 2>/dev/null || true; rm -f "$d/nbdfuse.pid"; fi
  return 0
}

demo_attach_device() {
  local d=$1 deadline
  mkdir -p "$d/device" "$d/files"
  nbdfuse -P "$d/nbdfuse.pid" "$d/device/volume" "$uri" &
  deadline=$((SECONDS + 20))
  until [ -e "$d/device/volume" ]; do
    [ $SECONDS -lt $deadline ] || fail "nbdfuse did not show the device within 20 s"
    sleep 0.1
  done
  losetup --find --show --direct-io=on "$d/device/volume" > "$d/loop"
}

primary_of() { gabion volume describe vol1 -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)["primaryNode"])'; }
in_sync_count() { gabion volume describe vol1 -o json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["inSync"]))'; }

wait_in_sync() { # COUNT SECONDS
  local deadline=$((SECONDS + $2))
  until [ "$(in_sync_count)" = "$1" ]; do
    [ $SECONDS -lt $deadline ] || { gabion volume describe vol1 >&2; fail "not $1 replicas in sync after $2 s"; }
    sleep 0.2
  done
}

run_demo() {
  local d before after node
  d=$(demo_dir)
  demo_cleanup
  rm -rf "$d"
  mkdir -p "$d"
  trap demo_cleanup EXIT
  wait_in_sync 3 60
  say "1. a file system on the volume: ext4 through nbdfuse and a loop device"
  demo_attach_device "$d"
  mkfs.ext4 -q -F "$(cat "$d/loop")"
  mount "$(cat "$d/loop")" "$d/files"

  say "2. a writer with O_DSYNC; every acknowledged write goes into a ledger outside the volume"
  python3 tools/demo/ledger.py write "$d/files/data" "$d/ledger" 24 &
  echo $! > "$d/writer.pid"
  sleep 5
  before=$(primary_of)
  say "3. kill -9 of the primary, $before"
  date +%s.%N > "$d/killed-at"
  kill_process "$before"
  sleep 4
  after=$(primary_of)
  [ "$after" != "$before" ] || fail "$before is still listed as primary"
  say "   new primary: $after"
  start_node "$before"
  wait_ready "$before" "$(port_of "$before" control)"
  wait_in_sync 3 60
  say "4. $before is back: it received what it had missed and is in sync again"
  wait "$(cat "$d/writer.pid")" && writer_status=0 || writer_status=$?
  rm -f "$d/writer.pid"
  python3 tools/demo/ledger.py pause "$d/ledger" "$(cat "$d/killed-at")" > "$d/pause"

  say "5. unmount, detach, restart of all nodes, read back with O_DIRECT"
  umount "$d/files"
  losetup -d "$(cat "$d/loop")"
  rm -f "$d/loop"
  fusermount3 -u "$d/device"
  rm -f "$d/nbdfuse.pid"
  gabion volume detach vol1 > /dev/null
  for node in "${nodes[@]}"; do stop_process "$node"; done
  for node in "${nodes[@]}"; do start_node "$node"; done
  for node in "${nodes[@]}"; do wait_ready "$node" "$(port_of "$node" control)"; done
  wait_in_sync 3 60
  ensure_volume
  demo_attach_device "$d"
  mount -o ro "$(cat "$d/loop")" "$d/files"
  python3 tools/demo/ledger.py check "$d/files/data" "$d/ledger" > "$d/check" || true
  demo_cleanup
  trap - EXIT
  gabion volume verify vol1 > "$d/verify" || { cat "$d/verify" >&2; fail "the replicas differ"; }
  echo
  cat "$d/pause"
  echo "errors $writer_status"
  cat "$d/check"
  grep -o 'replicas identical' "$d/verify"
  [ "$writer_status" = 0 ] && grep -q '^lost writes 0$' "$d/check"
}
