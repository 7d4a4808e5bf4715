# Finds or installs what the build and the tests need. Sourced by ./dev; nothing here needs to have been done by hand.

java_feature=25
debian_packages=(maven openssl fio libnbd-bin python3 python3-libnbd python3-yaml qemu-utils nbdkit fuse3 libfuse3-3 e2fsprogs xfsprogs util-linux procps iproute2 gcc libc6-dev)

say() { echo "[dev] $*"; }
fail() { echo "[dev] $*" >&2; exit 1; }

# " (did you mean X?)" for the candidate that is closest to the word, else nothing.
nearest() {
  local word=$1; shift
  local candidate best="" best_score=0 score i
  for candidate in "$@"; do
    score=0
    for ((i = 0; i < ${#word} && i < ${#candidate}; i++)); do
      [ "${word:i:1}" = "${candidate:i:1}" ] && score=$((score + 1))
    done
    if [ "$score" -gt "$best_score" ]; then best=$candidate; best_score=$score; fi
  done
  [ "$best_score" -ge 2 ] && printf ' (did you mean %s?)' "$best"
  return 0
}

java_version_of() { "$1/bin/java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }

find_java() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/*jdk* /opt/java/*; do
    [ -n "$home" ] && [ -x "$home/bin/javac" ] || continue
    if [ "$(java_version_of "$home")" = "$java_feature" ]; then
      export JAVA_HOME=$home
      return 0
    fi
  done
  return 1
}

is_debian_root() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

missing_packages() {
  local package
  for package in "${debian_packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

apt_install() {
  say "installing Debian packages: $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

setup() {
  [ -n "${GABION_SETUP_DONE:-}" ] && return 0
  if ! find_java; then
    if is_debian_root; then
      apt_install "openjdk-$java_feature-jdk-headless" || true
      find_java || fail "JDK $java_feature is missing and Debian has no package for it here: install any JDK $java_feature under /usr/lib/jvm or set JAVA_HOME"
    else
      fail "JDK $java_feature is missing: install one under /usr/lib/jvm or set JAVA_HOME to it"
    fi
  fi
  say "JDK $(java_version_of "$JAVA_HOME"): $JAVA_HOME"
  if command -v dpkg-query >/dev/null; then
    local missing
    mapfile -t missing < <(missing_packages)
    if [ ${#missing[@]} -gt 0 ]; then
      is_debian_root || fail "these Debian packages are missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
      apt_install "${missing[@]}"
    fi
    say "Debian packages: all ${#debian_packages[@]} present"
  else
    local tool
    for tool in mvn openssl fio nbdinfo nbdcopy nbdfuse qemu-img mkfs.ext4 mkfs.xfs losetup python3; do
      command -v "$tool" >/dev/null || fail "'$tool' is missing; on Debian it comes with: ${debian_packages[*]}"
    done
  fi
  export GABION_SETUP_DONE=1
}

maven() { MAVEN_OPTS="${MAVEN_OPTS:-} -XX:+UseSerialGC" mvn -B "$@" 2> >(grep -v -i -e 'sun.misc.Unsafe' -e 'terminally deprecated' >&2); }

library=distribution/target/gabion/lib
stamp=target/dev-build.stamp

needs_build() {
  [ -f "$stamp" ] && [ -d "$library" ] || return 0
  [ -n "$(find pom.xml .mvn protocol process crds data-plane cli distribution -newer "$stamp" \( -name '*.java' -o -name 'pom.xml' -o -name '*.proto' -o -name '*.config' -o -path '*/resources/*' \) -not -path '*/target/*' -not -path '*/src/test/*' -print -quit)" ]
}

build() {
  if ! needs_build; then
    say "build: up to date"
    return 0
  fi
  say "build: compiling and assembling (the first time also downloads what Maven needs)"
  local start=$SECONDS
  mkdir -p target
  touch "$stamp.new"
  maven -q install -DskipTests -pl distribution -am
  mv "$stamp.new" "$stamp"
  say "build: done in $((SECONDS - start)) s"
}
