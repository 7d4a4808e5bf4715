# A Kubernetes cluster on this machine with Gabion installed: ./dev up --kubernetes. Sourced by ./dev, after tools/dev/setup.sh.
# Everything is built here, once per machine, in ${GABION_CACHE:-~/.cache/gabion}; no registry is needed.

source "$root/tools/kubernetes/binaries.sh"
source "$root/tools/kubernetes/docker.sh"
source "$root/tools/kubernetes/images.sh"
source "$root/tools/kubernetes/cluster.sh"
source "$root/tools/kubernetes/check.sh"
