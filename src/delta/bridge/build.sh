#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the bridge in a cache that checkouts share, and copies what they need out of it.
# usage: build.sh CACHE_FOLDER FILE…    (each FILE is a path to copy libpilake_bridge.{a,so} to)
set -eu

cache=$1
shift
source=$(cd "$(dirname "$0")" && pwd)
export CARGO_TARGET_DIR="$cache/cargo"
mkdir -p "$CARGO_TARGET_DIR/release"

# One checkout at a time: cargo's own lock ends before the copy begins.
exec 9>"$cache/bridge.lock"
flock 9

# The file names do not say whose code is inside. If another checkout built last, cargo would take
# its library for ours, so it must find none.
owner="$cache/bridge.owner"
if [ "$(cat "$owner" 2>/dev/null)" != "$source" ]; then
  rm -f "$CARGO_TARGET_DIR"/release/libpilake_bridge.* "$CARGO_TARGET_DIR"/release/deps/libpilake_bridge.*
  printf '%s\n' "$source" >"$owner"
fi

cargo build --release --locked --manifest-path "$source/Cargo.toml"
for file; do
  cp "$CARGO_TARGET_DIR/release/$(basename "$file")" "$file.new"
  mv "$file.new" "$file"
done
