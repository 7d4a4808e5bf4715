# Builds the programs of a Kubernetes cluster, of its CSI sidecars and of the CSI conformance test from Go modules, whose versions are pinned
# in e2e/cluster/modules. A module's programs live in a directory named after a hash of everything that decides them: a second build
# finds them there and takes no time. Sourced by tools/dev/kubernetes.sh; needs `say`, `fail` and `root`.

kubernetes_cache=${GABION_CACHE:-$HOME/.cache/gabion}/kubernetes
kubernetes_modules=(kubernetes addons csi-sanity)
# How many compilers run at once, and how politely. One job needs about 2 GiB of memory.
kubernetes_build_jobs=${GABION_BUILD_JOBS:-$(nproc)}
kubernetes_build_niceness=${GABION_BUILD_NICENESS:-10}

kubernetes_module() { echo "$root/e2e/cluster/modules/$1"; }

kubernetes_version() { sed -n 's#^.*[^/]k8s.io/kubernetes \(v[0-9.]*\).*#\1#p' "$(kubernetes_module kubernetes)/go.mod" | head -n 1; }

# The version that the binaries report; without these stamps the API server says v0.0.0.
kubernetes_stamps() {
  local version minor
  version=$(kubernetes_version)
  minor=${version#v1.}
  printf -- '-X k8s.io/component-base/version.%s ' \
    "gitVersion=$version" gitMajor=1 "gitMinor=${minor%%.*}" gitCommit=unknown gitTreeState=clean
  printf -- '-X k8s.io/client-go/pkg/version.gitVersion=%s' "$version"
}

# The compiler, the pinned modules and the recipe (the flags below; count it up when they change) decide a build.
kubernetes_recipe=1
kubernetes_module_key() { # MODULE
  { go version; echo "$kubernetes_recipe"; cat "$(kubernetes_module "$1")"/go.{mod,sum}; } | sha256sum | cut -c 1-12
}

# The packages of the module's `tool` directives, the API server and its client first: other tests wait for those.
kubernetes_packages() { # MODULE
  (cd "$(kubernetes_module "$1")" && go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' tool) \
    | awk '/kube-apiserver$|kubectl$/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }'
}

kubernetes_build_module() { # MODULE
  local module=$1 directory package flags="-s -w" start=$SECONDS
  directory="$kubernetes_cache/builds/$module-$(kubernetes_module_key "$module")"
  if [ ! -e "$directory/complete" ]; then
    say "kubernetes: building the programs of '$module' (once per machine)"
    mkdir -p "$directory"
    [ "$module" = kubernetes ] && flags+=" $(kubernetes_stamps)"
    while read -r package; do
      [ -x "$directory/$(kubernetes_program_name "$package")" ] && continue
      (cd "$(kubernetes_module "$module")" \
        && CGO_ENABLED=0 GOMAXPROCS=$kubernetes_build_jobs nice -n "$kubernetes_build_niceness" \
          go build -p "$kubernetes_build_jobs" -trimpath -ldflags "$flags" \
          -o "$directory/.unfinished" "$package") || fail "building $package failed"
      mv "$directory/.unfinished" "$directory/$(kubernetes_program_name "$package")"
      kubernetes_link "$directory"
    done < <(kubernetes_packages "$module")
    touch "$directory/complete"
    say "kubernetes: '$module' built in $((SECONDS - start)) s"
  fi
  kubernetes_link "$directory"
}

# The last element of an import path that is not a major version.
kubernetes_program_name() { sed -E 's#/v[0-9]+$##; s#.*/##' <<< "$1"; }

# Hard links: a build context or a bind mount then needs no knowledge of where a program was built.
kubernetes_link() { # DIRECTORY
  local program
  mkdir -p "$kubernetes_cache/bin"
  for program in "$1"/*; do
    [ -x "$program" ] && [ -f "$program" ] && ln -f "$program" "$kubernetes_cache/bin/"
  done
  return 0
}

# Where the API server test of the Kubernetes client library looks when it must not download anything.
kubernetes_link_api_test() {
  local architecture directory program
  architecture=$(go env GOARCH)
  directory="$kubernetes_cache/kube-api-test/k8s/$(kubernetes_version | tr -d v)-linux-$architecture"
  mkdir -p "$directory"
  for program in kube-apiserver kubectl etcd; do
    [ -x "$kubernetes_cache/bin/$program" ] && ln -f "$kubernetes_cache/bin/$program" "$directory/"
  done
  return 0
}

# etcd is Debian's: its module brings nothing that the package does not.
kubernetes_link_etcd() {
  local etcd
  etcd=$(command -v etcd) || fail "'etcd' is missing: on Debian it comes with etcd-server"
  mkdir -p "$kubernetes_cache/bin"
  cmp -s "$etcd" "$kubernetes_cache/bin/etcd" || install -m 0755 "$etcd" "$kubernetes_cache/bin/etcd"
}

kubernetes_build_pause() {
  local directory="$kubernetes_cache/pause"
  [ "$directory/pause" -nt "$root/e2e/cluster/pause/main.go" ] && return 0
  mkdir -p "$directory"
  (cd "$root/e2e/cluster/pause" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$directory/pause" .) || fail "building the pause program failed"
}

kubernetes_build() {
  local module
  command -v go >/dev/null || fail "'go' is missing: it builds Kubernetes; install Go 1.26 or newer from https://go.dev/dl"
  mkdir -p "$kubernetes_cache"
  kubernetes_link_etcd
  for module in "${kubernetes_modules[@]}"; do
    kubernetes_build_module "$module"
    kubernetes_link_api_test
  done
  kubernetes_build_pause
}
