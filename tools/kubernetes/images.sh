# Builds the node image, the product's images and the images of the tests, without a registry. Sourced by tools/dev/kubernetes.sh.

# Everything that goes into the node image decides its tag; set by kubernetes_node_image.
node_image=
pause_image=gabion.local/pause:1

# What an image was made of is written on it; it is made again only if that changed.
source_label=io.gabion.source

image_is_of() { # IMAGE SOURCE
  [ "$(docker image inspect -f "{{index .Config.Labels \"$source_label\"}}" "$1" 2>/dev/null)" = "$2" ]
}

# The Java runtime of a context is left out: the name of its directory in the cache says what it is made of.
context_source() { # CONTEXT DOCKERFILE [MORE]
  { docker image inspect -f '{{.Id}}' "$base_image"; cat "$2"; echo "${3:-}"
    (cd "$1" && find . -path ./runtime -prune -o -type f -print0 | sort -z | xargs -0 -r sha256sum); } | sha256sum | cut -c 1-16
}

docker_build() { # IMAGE CONTEXT DOCKERFILE [MORE]
  local start=$SECONDS source
  source=$(context_source "$2" "$3" "${4:-}")
  image_is_of "$1" "$source" && return 0
  nice docker build -q -t "$1" --label "$source_label=$source" --build-arg "BASE=$base_image" -f "$3" "$2" > "$kubernetes_cache/build.log" 2>&1 \
    || { tail -n 30 "$kubernetes_cache/build.log" >&2; fail "building the image $1 failed; repeat: docker build -f $3 $2"; }
  say "images: $1 ($((SECONDS - start)) s)"
}

# An image of one static program and nothing else.
single_program_image() { # IMAGE PROGRAM
  local source
  source=$(sha256sum < "$2" | cut -c 1-16)
  image_is_of "$1" "$source" && return 0
  tar -C "$(dirname "$2")" --owner 0 --group 0 --numeric-owner --mtime @0 -cf - "$(basename "$2")" \
    | docker import --change "ENTRYPOINT [\"/$(basename "$2")\"]" --change "LABEL $source_label=$source" - "$1" >/dev/null
  say "images: $1"
}

kubernetes_node_image() {
  node_image=gabion.local/node:$(kubernetes_node_tag)
  image_exists "$node_image" && return 0
  local context="$kubernetes_cache/node-context" program
  rm -rf "$context"
  mkdir -p "$context"/{bin,images}
  for program in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl coredns; do
    ln "$kubernetes_cache/bin/$program" "$context/bin/"
  done
  cp -r "$root/e2e/cluster/node" "$context/node"
  single_program_image "$pause_image" "$kubernetes_cache/pause/pause"
  docker save "$pause_image" -o "$context/images/pause.tar"
  docker_build "$node_image" "$context" "$root/e2e/cluster/node/Dockerfile"
  rm -rf "$context"
}

kubernetes_node_tag() {
  local module
  { for module in kubernetes addons; do kubernetes_module_key "$module"; done; cat "$root"/e2e/cluster/node/* "$root"/e2e/cluster/pause/main.go; } | sha256sum | cut -c 1-12
}

# Testcontainers asks for an image of this name to find out how containers are reached.
kubernetes_probe_image() {
  image_exists alpine:3.17 && return 0
  local context="$kubernetes_cache/probe-context" tool
  rm -rf "$context"
  mkdir -p "$context/bin"
  cp /bin/busybox "$context/bin/busybox"
  for tool in sh ip awk cat ls; do ln -s busybox "$context/bin/$tool"; done
  tar -C "$context" --owner 0 --group 0 --numeric-owner -cf - . | docker import --change 'CMD ["/bin/sh"]' - alpine:3.17 >/dev/null
  rm -rf "$context"
}

# The sidecars under the names that the chart gives them: what is tested here is what is installed elsewhere.
sidecar_images() {
  sed -n 's#^.*image: {registry: \([^,]*\), repository: \(sig-storage/[^,]*\), tag: \([^,]*\),.*#\1/\2:\3#p' "$root/charts/gabion/values.yaml"
}

kubernetes_sidecar_images() {
  local image program version
  for image in $(sidecar_images); do
    program=${image##*/}
    version=${program#*:}
    program=${program%:*}
    grep -q -E "external-${program#csi-}(/v[0-9]+)? $version( |$)" "$(kubernetes_module addons)/go.mod" \
      || fail "the chart names $program $version, but e2e/cluster/modules/addons pins another version"
    single_program_image "$image" "$kubernetes_cache/bin/$program"
  done
}

test_images=(tools postgresql mariadb wordpress prometheus)
test_image() { echo "gabion.local/test-$1:1"; }

kubernetes_test_images() { # [NAME...]
  local name
  for name in "${@:-${test_images[@]}}"; do
    docker_build "$(test_image "$name")" "$root/images/test/$name" "$root/images/test/$name/Dockerfile"
  done
}
