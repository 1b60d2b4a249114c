#!/usr/bin/env bash
# Builds targets of a preset: `tools/build.sh release pilake`. Without targets: all of it.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

PRESET=$1
shift

# The bridge takes longest by far, so it starts first; CMake's own call then finds the work done.
start_bridge() {
  if ! ls "$CARGO_TARGET_DIR"/release/libpilake_bridge.* >/dev/null 2>&1; then
    say "first build: about 10 minutes on two cores for the Rust bridge, once; then a few for the C++"
  fi
  "$BRIDGE/build.sh" "$PILAKE_CACHE" >&2 &
  BRIDGE_PID=$!
}

if [ -f "$BRIDGE/Cargo.toml" ]; then start_bridge; fi
cmake --preset "$PRESET" >"$PILAKE_CACHE/cmake-$PRESET.log" 2>&1 || {
  cat "$PILAKE_CACHE/cmake-$PRESET.log" >&2
  exit 1
}
say "building $PRESET ${*:-all}"
ninja -C "build/$PRESET" -j "$JOBS" --quiet "$@" >&2
wait "${BRIDGE_PID:-}"
