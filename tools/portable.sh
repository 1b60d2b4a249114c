#!/usr/bin/env bash
# Builds the program for any Linux with glibc 2.28 or later, whatever it has else: `tools/portable.sh
# x86_64` makes build/portable-x86_64/pilake; aarch64 likewise.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

ARCH=$1
# shellcheck source=tools/portable_env.sh
source tools/portable_env.sh

FOLDER=build/portable-$ARCH
LOG=$PILAKE_CACHE/cmake-portable-$ARCH.log
cmake --preset portable -B "$FOLDER" "${PORTABLE[@]}" >"$LOG" 2>&1 || {
  cat "$LOG" >&2
  exit 1
}
say "building pilake for $ARCH and glibc 2.28"
ninja -C "$FOLDER" -j "$JOBS" --quiet pilake >&2
