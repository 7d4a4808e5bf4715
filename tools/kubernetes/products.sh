# Builds the images of the product from the jars that Maven made. Sourced by tools/dev/kubernetes.sh, needs `maven` and `find_java`.

product_images=(operator data-plane agent csi-driver)
image_contexts=$root/target/images

product_module() { # IMAGE
  case $1 in
    data-plane) echo data-plane/node ;;
    agent) echo data-plane/agent ;;
    *) echo "$1" ;;
  esac
}

project_version() { sed -n 's#^  <version>\(.*\)</version>$#\1#p' "$root/pom.xml" | head -n 1; }

product_image() { echo "gabion/$1:$(project_version)"; }

# The Java runtime of all images: made once for a JDK, a list of modules and a list of options.
java_runtime() {
  local key directory
  key=$({ cat "$JAVA_HOME/release" "$root/images/java-modules" "$root/images/java-options"; } | sha256sum | cut -c 1-12)
  directory="${GABION_CACHE:-$HOME/.cache/gabion}/java-runtime/$key"
  if [ ! -x "$directory/bin/java" ]; then
    rm -rf "$directory" "$directory.new"
    mkdir -p "$(dirname "$directory")"
    nice "$JAVA_HOME/bin/jlink" --add-modules "$(paste -s -d , "$root/images/java-modules")" --add-options "$(paste -s -d ' ' "$root/images/java-options")" \
      --strip-debug --no-header-files --no-man-pages --generate-cds-archive --output "$directory.new" >/dev/null \
      || fail "jlink cannot make the Java runtime of the images"
    # The archive for heaps without compressed pointers, which none of our heaps is large enough for.
    rm -f "$directory.new/lib/server/classes_nocoops.jsa"
    mv "$directory.new" "$directory"
  fi
  echo "$directory"
}

# Everything that Maven must have made. With GABION_BUILT=1 the jars are taken as they are.
product_jars() {
  local stamp=$root/target/images.stamp modules=operator,csi-driver,data-plane/node,data-plane/agent
  if [ -f "$stamp" ] && [ -z "$(find pom.xml protocol process data-plane crds operator csi-driver -newer "$stamp" \
      \( -name '*.java' -o -name 'pom.xml' -o -name '*.proto' -o -path '*/src/main/resources/*' \) -not -path '*/target/*' -not -path '*/src/test/*' -print -quit)" ]; then
    return 0
  fi
  mkdir -p "$root/target"
  touch "$stamp.new"
  if [ "${GABION_BUILT:-}" = "" ]; then
    say "images: compiling"
    maven -q install -DskipTests -pl "$modules" -am
  fi
  rm -rf {operator,csi-driver,data-plane/node,data-plane/agent}/target/image-lib
  maven -q ${GABION_MAVEN_OPTIONS:-} -pl "$modules" org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory=target/image-lib -DoverWriteSnapshots=true
  mv "$stamp.new" "$stamp"
}

# Native libraries of other systems are most of what some jars hold.
drop_foreign_natives() { # JAR...
  python3 - "$(uname -m)" "$@" <<'PYTHON'
import os, sys, zipfile
mine = {"x86_64": "librocksdbjni-linux64.so", "aarch64": "librocksdbjni-linux-aarch64.so"}[sys.argv[1]]
for path in sys.argv[2:]:
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            native = entry.filename.startswith("librocksdbjni-")
            if not native or entry.filename == mine:
                target.writestr(entry, source.read(entry))
    os.replace(path + ".new", path)
PYTHON
}

static_supervisor() { # DESTINATION
  local source=$root/data-plane/agent/src/main/c/supervisor.c
  [ "$1" -nt "$source" ] && return 0
  mkdir -p "$(dirname "$1")"
  gcc -std=gnu17 -O2 -Wall -Wextra -Werror -static -s -o "$1" "$source" || fail "compiling $source failed"
}

product_context() { # IMAGE
  local context="$image_contexts/$1" module architecture jar runtime=$2
  module="$root/$(product_module "$1")"
  architecture=$(uname -m | sed s/aarch64/aarch_64/)
  rm -rf "$context"
  mkdir -p "$context"/{app,lib}
  # Hard links where the file systems allow it.
  cp -al "$runtime" "$context/runtime" 2>/dev/null || { rm -rf "$context/runtime"; cp -a "$runtime" "$context/runtime"; }
  for jar in "$module"/target/image-lib/*.jar; do
    case $(basename "$jar") in
      gabion-*) cp "$jar" "$context/app/" ;;
      netty-*-"linux-$architecture".jar) cp "$jar" "$context/lib/" ;;
      netty-*-linux-*.jar | netty-*-osx-*.jar | netty-*-windows-*.jar) ;;
      rocksdbjni-*) cp "$jar" "$context/lib/"; drop_foreign_natives "$context/lib/$(basename "$jar")" ;;
      *) cp "$jar" "$context/lib/" ;;
    esac
  done
  cp "$module"/target/gabion-*-"$(project_version)".jar "$context/app/"
  case $1 in
    data-plane | agent) static_supervisor "$image_contexts/supervisor"; install -D -m 0755 "$image_contexts/supervisor" "$context/bin/supervisor" ;;
  esac
}

kubernetes_product_images() {
  local image runtime
  find_java || fail "JDK $java_feature is missing: install one under /usr/lib/jvm or set JAVA_HOME to it"
  product_jars
  runtime=$(java_runtime)
  for image in "${product_images[@]}"; do
    product_context "$image" "$runtime"
    docker_build "$(product_image "$image")" "$image_contexts/$image" "$root/images/$image/Dockerfile" "$runtime"
  done
}
