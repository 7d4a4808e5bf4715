# Everything that must pass. Each stage is a name for `--only`; a stage that fails does not stop the others.

test_stages_fast=(unit)
# Those from `kubernetes` on need the programs of Kubernetes, which are built once per machine.
test_stages_all=(unit simulation crash power-cuts block-clients fencing bad-input kills snapshots kubernetes chart csi-sanity e2e)
# Stages that wait more than they compute run beside each other: lanes divided by `|`, each with its stages in order.
test_order_default=(unit simulation crash 'power-cuts,snapshots|block-clients,fencing,bad-input' 'kills|kubernetes,chart' e2e)
test_order_full=("${test_order_default[@]}" csi-sanity)
passed=0
failed=0
failed_names=()
# Whether this run has put every module into Maven's repository.
installed=no

run_stage() { # NAME
  local start=$SECONDS
  say "test: $1"
  if "stage_${1//-/_}"; then
    passed=$((passed + 1))
    say "test: $1 passed in $((SECONDS - start)) s"
  else
    failed=$((failed + 1))
    failed_names+=("$1")
    say "test: $1 FAILED after $((SECONDS - start)) s"
  fi
}

# Each lane says what it has to say when all have ended.
run_beside() { # LANES
  local lanes lane
  # Once for all: two builds at a time are in each other's way.
  build
  IFS='|' read -r -a lanes <<< "$1"
  say "test: beside each other: ${1//|/ and }"
  for lane in "${lanes[@]}"; do
    (
      passed=0 failed=0 failed_names=()
      for name in ${lane//,/ }; do run_stage "$name"; done > "target/lane-$lane.log" 2>&1
      echo "$passed $failed ${failed_names[*]}" > "target/lane-$lane.result"
    ) &
  done
  wait
  for lane in "${lanes[@]}"; do
    cat "target/lane-$lane.log"
    local lane_passed lane_failed lane_names
    read -r lane_passed lane_failed lane_names < "target/lane-$lane.result"
    rm "target/lane-$lane.result"
    passed=$((passed + lane_passed))
    failed=$((failed + lane_failed))
    [ -z "$lane_names" ] || failed_names+=("$lane_names")
  done
}

# Compiles with every check as an error, checks layout and sizes, runs unit tests, integration tests and the module borders.
stage_unit() {
  maven install -Dtest.excluded.groups=long,faults,kubernetes com.diffplug.spotless:spotless-maven-plugin:3.0.0:check checkstyle:check \
    > target/unit.log 2>&1 || {
    grep -E '^\[(ERROR|WARNING)\]' target/unit.log | head -n 60
    # The other stages speak for themselves.
    maven -q install -DskipTests > target/unit-install.log 2>&1 || true
    return 1
  }
  grep -E '^\[INFO\] Tests run:.*Time' target/unit.log | awk '{runs += $4} END {printf "[dev] %d tests in %d classes\n", runs, NR}'
  touch "$stamp"
  installed=yes
}

class_path_of() { # MODULE
  local file=$1/target/class-path
  if [ ! -f "$file" ] || [ "$1/pom.xml" -nt "$file" ]; then
    maven -q dependency:build-classpath -pl "$1" "-Dmdep.outputFile=$root/$file" -Dmdep.includeScope=test >&2
  fi
  printf '%s' "$1/target/classes:$1/target/test-classes:$(cat "$file")"
}

stage_simulation() {
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx1g -cp "$(class_path_of data-plane/simulator)" \
    io.gabion.simulator.Simulate --seeds "${GABION_SEEDS:-200}" | tail -n 20
  return "${PIPESTATUS[0]}"
}

# The store after a power loss at every point of its writing.
stage_crash() {
  local size=()
  [ "$scope" != full ] || size=(--full)
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx1g --enable-native-access=ALL-UNNAMED -cp "$(class_path_of data-plane/store)" \
    io.gabion.store.CrashEnumeration "${size[@]}" > target/crash.log 2>&1 || { tail -n 60 target/crash.log; return 1; }
  tail -n 1 target/crash.log
}

fault_tests() { # TAG [PROPERTY...]
  local tag=$1
  shift
  build
  maven surefire:test -pl data-plane/faults "-Dtest.groups=$tag" -Dtest.excluded.groups=none -Dgabion.root="$root" "$@" \
    > "target/$tag.log" 2>&1 || { grep -v -e '^\[INFO\] *$' "target/$tag.log" | tail -n 60; return 1; }
  grep -E '^(\[gabion\]|\[INFO\] Tests run:.*Time)' "target/$tag.log" || { echo "[dev] no test of '$tag' ran"; return 1; }
}

stage_power_cuts() { fault_tests power-cuts; }
stage_fencing() { fault_tests fencing; }
stage_bad_input() { fault_tests bad-input; }
stage_snapshots() { fault_tests snapshots; }
stage_block_clients() { bash tools/test/block-clients; }
stage_kills() {
  if [ "$scope" = only ] || [ "$scope" = full ]; then
    fault_tests kills -Dgabion.kills=20 -Dgabion.kills.seconds=600
  else
    fault_tests kills -Dgabion.kills=4 -Dgabion.kills.seconds=100
  fi
}

# The programs of Kubernetes in the cache, from where the tests take them.
kubernetes_programs() {
  source tools/dev/kubernetes.sh
  kubernetes_setup
  kubernetes_build
}

# Two lanes of about the same length: each test starts an API server of its own, and waits more than it computes.
kubernetes_lanes=(operator crds,csi-driver,data-plane/node,data-plane/agent)

# Against a real API server, and the conformance test of CSI.
stage_kubernetes() {
  local lane all failed_lanes=0 jobs=() job
  all=$(IFS=,; echo "${kubernetes_lanes[*]}")
  (kubernetes_programs) || return 1
  # The stage before has installed everything already, if it ran.
  [ "$installed" = yes ] || maven -q install -DskipTests -pl "$all" -am || return 1
  for lane in "${kubernetes_lanes[@]}"; do
    maven surefire:test -pl "$lane" -Dtest.groups=kubernetes -Dtest.excluded.groups=none > "target/kubernetes-${lane%%,*}.log" 2>&1 &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed_lanes=$((failed_lanes + 1)); done
  for lane in "${kubernetes_lanes[@]}"; do
    grep -E '^\[INFO\] Tests run:.*Time' "target/kubernetes-${lane%%,*}.log" \
      || { echo "[dev] no test of $lane against an API server ran"; failed_lanes=$((failed_lanes + 1)); }
  done
  [ $failed_lanes = 0 ] || { cat target/kubernetes-*.log | grep -E '^\[(ERROR|WARNING)\]' | head -n 60; return 1; }
}

stage_chart() {
  (kubernetes_programs) || return 1
  charts/gabion/tests/run
}

# The same suite against the driver alone is part of the stage kubernetes.
stage_csi_sanity() { bash tools/kubernetes/csi-sanity.sh; }

stage_e2e() { (source tools/dev/kubernetes.sh; source tools/dev/e2e.sh; run_e2e --quick); }

run_tests() {
  local stages=() name
  scope=default
  while [ $# -gt 0 ]; do
    case "$1" in
      --fast) stages=("${test_stages_fast[@]}"); scope=fast ;;
      --full) stages=("${test_order_full[@]}"); scope=full ;;
      --only)
        name=${2:?--only needs the name of a stage: ${test_stages_all[*]}}
        shift
        case " ${test_stages_all[*]} " in
          *" $name "*) stages+=("$name"); scope=only ;;
          *) echo "dev: no stage '$name'$(nearest "$name" "${test_stages_all[@]}"); there are: ${test_stages_all[*]}" >&2; exit 2 ;;
        esac
        ;;
      *) echo "dev: unknown option '$1'$(nearest "$1" --fast --full --only)" >&2; exit 2 ;;
    esac
    shift
  done
  [ ${#stages[@]} -gt 0 ] || stages=("${test_order_default[@]}")
  setup
  mkdir -p target
  if [ "${stages[0]}" != unit ]; then
    build
    maven -q install -DskipTests -pl data-plane/faults,data-plane/simulator,data-plane/store
  fi
  local begin=$SECONDS
  for name in "${stages[@]}"; do
    case $name in
      *'|'*) run_beside "$name" ;;
      *) run_stage "$name" ;;
    esac
  done
  say "all stages took $((SECONDS - begin)) s${failed_names[*]:+; failed: ${failed_names[*]}}"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
