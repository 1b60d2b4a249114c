#!/usr/bin/env bash
# Unit tests under a sanitizer: `tools/sanitize.sh asan`, or `tools/sanitize.sh tsan core pi` for those
# rooms alone; WITHOUT is a regular expression of tests to leave out. `tools/sanitize.sh asan --storms 10`:
# the whole program in storms of tests/chaos.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

PRESET=$1
shift

# The Rust bridge is not instrumented: what happens within it is not for these sanitizers to judge.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export LSAN_OPTIONS=suppressions=$ROOT/tools/lsan.supp
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$ROOT/tools/tsan.supp
# A commit takes many times as long; tools/care.sh makes fifty thousand.
export PILAKE_COMMITS=${PILAKE_COMMITS:-240}

if [ "${1:-}" = --storms ]; then
  tools/build.sh "$PRESET" pilake
  export PILAKE_BINARY=$ROOT/build/$PRESET/pilake PILAKE_HUNG_AFTER=900
  tools/python.sh tests/chaos/chaos.py --seeds "$2"
elif [ $# -eq 0 ]; then
  tools/build.sh "$PRESET" unit_tests
  ctest --preset "$PRESET"
else
  tools/build.sh "$PRESET" "${@/%/_test}"
  for room in "$@"; do
    ctest --test-dir "build/$PRESET/src/$room" --output-on-failure --no-tests=error -j "$JOBS" -E "${WITHOUT:-^$}"
  done
fi
