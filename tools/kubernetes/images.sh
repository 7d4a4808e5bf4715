# Builds the node image, the product's images and the images of the tests, without a registry. Sourced by tools/dev/kubernetes.sh.

# Everything that goes into the node image decides its tag; set by kubernetes_node_image.
node_image=
pause_image=gabion.local/pause:1
product_images=(operator data-plane agent csi-driver)
image_contexts=target/images

project_version() { sed -n 's#^  <version>\(.*\)</version>$#\1#p' "$root/pom.xml" | head -n 1; }

# Runs a build of a context only if something in it is newer than the image that the last build made.
docker_build() { # IMAGE CONTEXT DOCKERFILE
  local start=$SECONDS
  nice docker build -q -t "$1" --build-arg "BASE=$base_image" -f "$3" "$2" >/dev/null || fail "building the image $1 failed; repeat: docker build -f $3 $2"
  say "images: $1 ($((SECONDS - start)) s)"
}

# An image of one static program and nothing else.
single_program_image() { # IMAGE PROGRAM
  tar -C "$(dirname "$2")" --owner 0 --group 0 --numeric-owner --mtime @0 -cf - "$(basename "$2")" \
    | docker import --change "ENTRYPOINT [\"/$(basename "$2")\"]" - "$1" >/dev/null
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
  image_exists "$pause_image" || single_program_image "$pause_image" "$kubernetes_cache/pause/pause"
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
