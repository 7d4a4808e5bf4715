# A Kubernetes cluster on this machine with Gabion installed: ./dev up --kubernetes. Sourced by ./dev, after tools/dev/setup.sh.
# Everything is built here, once per machine, in ${GABION_CACHE:-~/.cache/gabion}; no registry is needed.

source "$root/tools/kubernetes/binaries.sh"
source "$root/tools/kubernetes/docker.sh"
source "$root/tools/kubernetes/images.sh"
source "$root/tools/kubernetes/products.sh"
source "$root/tools/kubernetes/cluster.sh"
source "$root/tools/kubernetes/check.sh"
source "$root/tools/kubernetes/install.sh"

kubernetes_images() {
  docker_base_image
  kubernetes_node_image
  kubernetes_probe_image
  kubernetes_sidecar_images
  kubernetes_test_images "$@"
  kubernetes_product_images
}

# up: builds what is missing and starts the cluster. reload: after a change, builds, brings it to the nodes and replaces the pods.
# images: builds every image, those of the tests too. down: removes the cluster and its loop devices, and the engine if it was started here.
kubernetes_main() { # up|reload|images|down [--bare] [--check]
  local command=${1:-} bare=no check=no start=$SECONDS
  [ $# -gt 0 ] && shift
  while [ $# -gt 0 ]; do
    case $1 in
      --bare) bare=yes ;;
      --check) check=yes ;;
      *) echo "dev: unknown option '$1'$(nearest "$1" --bare --check)" >&2; return 2 ;;
    esac
    shift
  done
  case $command in
    up)
      kubernetes_setup
      kubernetes_build
      kubernetes_images_for_up "$bare"
      kubernetes_up
      if [ "$check" = yes ]; then kubernetes_check; fi
      if [ "$bare" = yes ]; then return 0; fi
      install_gabion
      first_volume
      say "kubernetes: up in $((SECONDS - start)) s"
      print_next_steps
      ;;
    reload) kubernetes_setup; kubernetes_node_image; kubernetes_reload ;;
    images) kubernetes_setup; kubernetes_build; kubernetes_images ;;
    down) kubernetes_down ;;
  esac
}

kubernetes_images_for_up() { # BARE
  docker_base_image
  kubernetes_node_image
  if [ "$1" = no ]; then
    setup
    kubernetes_sidecar_images
    kubernetes_product_images
  fi
}
