# End-to-end tests on a Kubernetes cluster: ./dev e2e. Sourced by ./dev, after tools/dev/setup.sh and tools/dev/kubernetes.sh.
# The cluster is the one of the variable KUBECONFIG, else the one of ./dev up --kubernetes, else one that is started for the tests and removed afterwards.
# With --containers the tests make their own by Testcontainers: of the public k3s image where a registry can be reached, else of the image built here.

k3s_image=$(sed -n 's/.*PUBLIC_IMAGE = "\(.*\)";/\1/p' "$root/e2e/src/main/java/io/gabion/e2e/ClusterContainers.java")

e2e_names() { sed -n 's/^@Tag("\(.*\)")$/\1/p' e2e/src/test/java/io/gabion/e2e/*.java | sort -u; }

# The images of applications that a journey needs.
journey_images() { # NAME
  echo tools
  case $1 in
    metrics) echo prometheus ;;
    postgresql) echo postgresql ;;
    wordpress) printf '%s\n' mariadb wordpress ;;
  esac
}

run_e2e() { # [--quick] [--only NAME] [--keep | --containers]
  local groups=e2e keep=no containers=no name mine=no status=0
  local images=("${test_images[@]}")
  journey_properties=()
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) groups='e2e & quick'; images=(tools) ;;
      --only)
        name=${2:?--only needs the name of a journey: $(e2e_names | paste -s -d ' ')}
        shift
        e2e_names | grep -q -x -F -e "$name" \
          || { echo "dev: no journey '$name'$(nearest "$name" $(e2e_names)); there are: $(e2e_names | paste -s -d ' ')" >&2; return 2; }
        groups="e2e & $name"
        mapfile -t images < <(journey_images "$name")
        ;;
      --keep) keep=yes ;;
      --containers) containers=yes ;;
      *) echo "dev: unknown option '$1'$(nearest "$1" --quick --only --keep --containers)" >&2; return 2 ;;
    esac
    shift
  done
  # What pods do with volumes depends on no operator: its leader is deleted every minute, but for short runs.
  if [ "$groups" != 'e2e & quick' ]; then journey_properties+=(-Dgabion.deleted.leaders=true); fi
  setup
  if [ $containers = yes ]; then
    tests_make_the_cluster "${images[@]}"
  elif [ -z "${KUBECONFIG:-}" ]; then
    kubernetes_is_up || mine=yes
    kubernetes_setup
    kubernetes_build
    kubernetes_images_for_up no
    kubernetes_up
    install_gabion
    kubernetes_test_images "${images[@]}"
    mapfile -t images < <(for name in "${images[@]}"; do test_image "$name"; done)
    kubernetes_load_images "${images[@]}"
    export KUBECONFIG=$cluster_kubeconfig
    journey_properties+=("-Dgabion.node.containers=$cluster_name-")
  fi
  (run_journeys "$groups") || status=1
  if [ $mine = yes ] && [ $keep = no ]; then kubernetes_down; fi
  return $status
}

# Says to the fixture of the tests what the nodes are made of and which images they get.
tests_make_the_cluster() { # IMAGE...
  local name loaded=() node=$k3s_image
  unset KUBECONFIG
  kubernetes_setup
  kubernetes_build
  kubernetes_images_for_up no
  kubernetes_test_images "$@"
  mapfile -t loaded < <(cluster_images; for name in "$@"; do test_image "$name"; done)
  if [ "${GABION_NO_PULL:-}" != "" ] || ! timeout "$pull_seconds" docker pull -q "$k3s_image" >/dev/null 2>&1; then
    say "kubernetes: no registry gives $k3s_image; the nodes are $node_image"
    kubernetes_probe_image
    node=$node_image
  fi
  # Its own way to remove containers needs an image of a registry; the fixture removes what it made.
  export TESTCONTAINERS_RYUK_DISABLED=true
  journey_properties+=("-Dgabion.node.image=$node" "-Dgabion.images=$(IFS=,; echo "${loaded[*]}")"
    "-Dgabion.helm=$kubernetes_cache/bin/helm" "-Dgabion.chart=$root/charts/gabion")
}

run_journeys() { # GROUPS
  local kubectl=$kubernetes_cache/bin/kubectl
  [ -x "$kubectl" ] || kubectl=kubectl
  rm -rf e2e/target/surefire-reports
  maven test -pl e2e "-Dtest.groups=$1" -Dtest.excluded.groups=none "-Dtest.jvm.arguments=-Dgabion.kubectl=$kubectl ${journey_properties[*]}" > target/e2e.log 2>&1 \
    || { grep -v -e '^\[INFO\] *$' target/e2e.log | tail -n 100; report_journeys; return 1; }
  report_journeys
}

# Every test with its time, and what it measured; fails when none ran.
report_journeys() {
  sed -n 's/^\[gabion\]/[dev]/p' target/e2e.log
  python3 - <<'PYTHON'
import glob, sys, xml.etree.ElementTree as xml
tests = [test for file in sorted(glob.glob("e2e/target/surefire-reports/TEST-*.xml")) for test in xml.parse(file).getroot().iter("testcase")]
for test in tests:
    wrong = test.find("failure") is not None or test.find("error") is not None
    print("[dev] %s %s.%s (%.0f s)" % ("FAILED" if wrong else "passed", test.get("classname").rsplit(".", 1)[1], test.get("name").split("(")[0], float(test.get("time"))))
print("[dev] %d journeys" % len(tests))
sys.exit(0 if tests else 1)
PYTHON
}
