#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the bridge in a cache that checkouts share, and copies what they need out of it.
# usage: build.sh CACHE_FOLDER FILE…    (each FILE is a path to copy libpilake_bridge.{a,so} to)
# CARGO_BUILD_TARGET in the environment is another machine to build for: there is only the .a then.
set -eu

cache=$1
shift
source=$(cd "$(dirname "$0")" && pwd)
export CARGO_TARGET_DIR="$cache/cargo"
target=${CARGO_BUILD_TARGET:-}
folder=$CARGO_TARGET_DIR/${target:+$target/}release
mkdir -p "$folder"

# One checkout at a time: cargo's own lock ends before the copy begins.
exec 9>"$cache/bridge.lock"
flock 9

# The file names do not say whose code is inside, and cargo tells checkouts apart by their paths. So
# it is the sources that say: the same ones in another checkout are the same library.
built="$cache/bridge${target:+-$target}.built"
compiler=$(rustc --version)
sources=$( (echo "$compiler" && cd "$source" && cat Cargo.toml Cargo.lock src/*.rs) | sha256sum)
if [ "$(cat "$built" 2>/dev/null)" != "$sources" ] ||
  [ ! -f "$folder/libpilake_bridge.a" ]; then
  rm -f "$built" "$folder"/libpilake_bridge.* "$folder"/deps/libpilake_bridge.*
  if [ -n "$target" ]; then
    cargo rustc --release --locked --manifest-path "$source/Cargo.toml" --lib --crate-type staticlib
  else
    cargo build --release --locked --manifest-path "$source/Cargo.toml"
  fi
  printf '%s\n' "$sources" >"$built"
fi
# Panics name the source files that they come from. In what may be handed out they do so without the
# folders of this machine, which become as many dashes: nothing in the library may move.
dashes() { printf '%s' "$1" | sed 's/./-/g'; }
anonymous() {
  for path in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/* "$CARGO_TARGET_DIR"; do
    set -- "$@" -e "s|$path|$(dashes "$path")|g"
  done
  LC_ALL=C sed --binary --in-place "$@"
}

for file; do
  cp "$folder/$(basename "$file")" "$file.new"
  case $file in *.a) anonymous "$file.new" ;; esac
  mv "$file.new" "$file"
done
