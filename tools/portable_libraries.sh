#!/usr/bin/env bash
# Prints the folder of a toolchain for binaries that run on glibc 2.28 and later, with the C and C++
# libraries of pilake in it, static: `tools/portable_libraries.sh x86_64` (or aarch64). Made on first
# use from Debian's source packages, and kept in the cache. FOLDER/versions.txt says what they are.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

GLIBC=2.28
ARCH=$1
case $ARCH in
  x86_64) OPENSSL_TARGET=linux-x86_64 ;;
  aarch64) OPENSSL_TARGET=linux-aarch64 ;;
  *) fail "pilake is built for x86_64 and aarch64, not for $ARCH." ;;
esac

STAMP=$(cat tools/portable_libraries.sh tools/portable-requirements.txt | sha256sum | cut -c 1-12)
PREFIX=$PILAKE_CACHE/portable/$ARCH-$STAMP
SOURCES=$PILAKE_CACHE/portable/sources-$STAMP
WORK=$PREFIX/work

mkdir -p "$PILAKE_CACHE/portable"
exec 9>"$PREFIX.lock"
flock 9
if [ -f "$PREFIX/complete" ]; then
  echo "$PREFIX"
  exit
fi

# wrap NAME ZIG-COMMAND…: a program NAME. cc-rs names the target in words that Zig does not know, and
# says it twice; Zig adds traps for undefined behaviour to what is not optimised.
wrap() {
  local name=$1
  shift
  cat >"$PREFIX/bin/$name" <<END
#!/bin/sh
for word; do
  shift
  case \$word in
    --target=*) ;;
    *) set -- "\$@" "\$word" ;;
  esac
done
ZIG_GLOBAL_CACHE_DIR=$PILAKE_CACHE/zig ZIG_LOCAL_CACHE_DIR=$PILAKE_CACHE/zig exec $ZIG $* "\$@"
END
  chmod +x "$PREFIX/bin/$name"
}

toolchain() {
  ZIG=$(tools/venv.sh tools/portable-requirements.txt)
  ZIG=$(echo "$ZIG"/lib/python3*/site-packages/ziglang/zig)
  mkdir -p "$PREFIX"/{bin,include,lib,share,work}
  wrap zig-cc cc -target "$ARCH-linux-gnu.$GLIBC" -fno-sanitize=undefined
  wrap zig-c++ c++ -target "$ARCH-linux-gnu.$GLIBC" -fno-sanitize=undefined
  wrap zig-ar ar
  wrap zig-ranlib ranlib
  # OpenSSL keeps the command line that it was built with: a name without a path in it.
  PATH=$PREFIX/bin:$PATH
}

# Debian's sources, with apt's own signatures checked, but without a change to the machine's settings.
apt() {
  local command=$1
  shift
  "apt-$command" -q -o "Dir::Etc::sourcelist=$SOURCES/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::State::lists=$SOURCES/lists" -o "Dir::Cache=$SOURCES/cache" -o APT::Sandbox::User=root "$@"
}

list_sources() {
  mkdir -p "$SOURCES"/{lists,cache/archives/partial}
  local key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
  printf 'deb-src %s\n' "$key http://deb.debian.org/debian bookworm main" \
    "$key http://deb.debian.org/debian-security bookworm-security main" >"$SOURCES/sources.list"
  apt get update >&2
}

versions_of() {
  apt cache showsrc --only-source "$1" | awk '$1 == "Version:" {print $2}' | sort -Vru
}

# fetch PACKAGE: Debian's newest source of it, patched, in SOURCES/PACKAGE. A mirror may know of a
# version that it does not have yet; then the one before it.
fetch() {
  [ -f "$SOURCES/$1.version" ] && return
  local version
  for version in $(versions_of "$1"); do
    if (cd "$SOURCES" && apt get source --download-only "$1=$version" >&2); then
      rm -rf "${SOURCES:?}/$1"
      (cd "$SOURCES" && dpkg-source --extract "$1_${version#*:}.dsc" "$1" >&2)
      echo "$version" >"$SOURCES/$1.version"
      return
    fi
    say "the mirror does not have $1 $version, so an older one is taken"
  done
  fail "no source package of $1 could be fetched from deb.debian.org"
}

# begin PACKAGE: goes to a fresh copy of its source, and notes its version.
begin() {
  say "building $1 $(cat "$SOURCES/$1.version") for $ARCH"
  rm -rf "${WORK:?}/$1"
  cp -r "$SOURCES/$1" "$WORK/$1"
  echo "$1 $(cat "$SOURCES/$1.version")" >>"$PREFIX/versions.txt"
  cd "$WORK/$1"
}

# by_cmake PACKAGE OPTIONS…
by_cmake() (
  begin "$1"
  shift
  cmake -G Ninja -B build -D CMAKE_TOOLCHAIN_FILE="$ROOT/cmake/portable.cmake" -D PILAKE_PORTABLE="$PREFIX" \
    -D PILAKE_PORTABLE_ARCH="$ARCH" -D CMAKE_BUILD_TYPE=Release -D CMAKE_INSTALL_PREFIX="$PREFIX" \
    -D CMAKE_INSTALL_LIBDIR=lib -D BUILD_SHARED_LIBS=OFF -D CMAKE_POSITION_INDEPENDENT_CODE=ON "$@"
  ninja -C build -j "$JOBS" install
)

zlib() (
  begin zlib
  CHOST=$ARCH-linux-gnu CC=zig-cc AR=zig-ar RANLIB=zig-ranlib CFLAGS='-O2 -fPIC' ./configure --static --prefix="$PREFIX"
  make -j "$JOBS" install
)

# Where other systems keep certificates, src/pi/system_trust.h knows better than its default.
openssl() (
  begin openssl
  CC=zig-cc AR=zig-ar RANLIB=zig-ranlib ./Configure "$OPENSSL_TARGET" no-shared no-tests no-module no-engine no-async \
    --prefix=/usr --libdir=lib --openssldir=/etc/ssl -O2
  make -j "$JOBS" build_libs
  make install_dev DESTDIR="$WORK/openssl-installed"
  cp -r "$WORK"/openssl-installed/usr/{include,lib} "$PREFIX"
)

curl() {
  # What a try run would find out cannot run when it is built for another machine.
  by_cmake curl -D BUILD_CURL_EXE=OFF -D HTTP_ONLY=ON -D CURL_USE_OPENSSL=ON -D CURL_CA_BUNDLE=none -D CURL_CA_PATH=none \
    -D CURL_USE_LIBSSH2=OFF -D CURL_USE_LIBPSL=OFF -D USE_LIBIDN2=OFF -D HAVE_POLL_FINE=1 -D ENABLE_MANUAL=OFF \
    -D BUILD_TESTING=OFF
}

# Libraries that are only headers are Debian's own; beside glibc's they could not be used where they are.
headers() {
  cp -rL /usr/include/{boost,CLI,tl} "$PREFIX/include"
  mkdir -p "$PREFIX/share/cmake"
  cp -r /usr/share/cmake/{CLI11,tl-expected} "$PREFIX/share/cmake"
  local package
  for package in libboost1.81-dev libcli11-dev libexpected-dev; do
    dpkg-query -W -f '${source:Package} ${source:Version}\n' $package >>"$PREFIX/versions.txt"
  done
}

build() {
  rm -rf "$PREFIX"
  toolchain
  list_sources
  local package
  for package in zlib openssl curl fmtlib simdjson libyaml; do fetch "$package"; done
  zlib
  openssl
  curl
  by_cmake fmtlib -D FMT_TEST=OFF -D FMT_DOC=OFF
  by_cmake simdjson -D SIMDJSON_DEVELOPER_MODE=OFF
  by_cmake libyaml -D BUILD_TESTING=OFF
  headers
  mkdir -p "$PREFIX/copyright"
  for package in zlib openssl curl fmtlib simdjson libyaml; do
    cp "$SOURCES/$package/debian/copyright" "$PREFIX/copyright/$package"
  done
  cp /usr/share/doc/libboost1.81-dev/copyright "$PREFIX/copyright/boost1.81"
  cp /usr/share/doc/libcli11-dev/copyright "$PREFIX/copyright/cli11"
  cp /usr/share/doc/libexpected-dev/copyright "$PREFIX/copyright/tl-expected"
  cp "$(dirname "$ZIG")/lib/libcxx/LICENSE.TXT" "$PREFIX/copyright/llvm-runtimes"
  rm -rf "$WORK"
  touch "$PREFIX/complete"
}

say "building pilake's libraries for $ARCH and glibc $GLIBC, once: about five minutes on two cores"
build >"$PREFIX.log" 2>&1 &
wait $! || {
  tail -n 40 "$PREFIX.log" >&2
  fail "the libraries could not be built; all of it: $PREFIX.log"
}
echo "$PREFIX"
