#!/usr/bin/env bash
# The long proofs: tidy, fuzzing for ten minutes a target, a thousand kills, bench and memory at full
# size. What they say is kept in docs/proof/. Names run those alone: `tools/nightly.sh fuzz kills`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

WANTED=${*:-tidy fuzz kills chaos storms tail care year strangers company packages wheels bench governor}
mkdir -p docs/proof
FAILED=0

# prove NAME COMMAND…: keeps what it printed, with the day and the commit it speaks of, and goes on.
prove() {
  local name=$1
  shift
  [[ " $WANTED " == *" $name "* ]] || return 0
  say "$name"
  {
    printf '%s, commit %s, %s cores\n\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)" "$(nproc)"
    "$@" 2>&1 && printf '\npassed\n' || { printf '\nFAILED\n' && false; }
  } | tee "docs/proof/$name.txt" || FAILED=1
}

tools/build.sh release pilake
prove tidy tools/tidy.sh
FUZZ_SECONDS=${FUZZ_SECONDS:-600} prove fuzz tools/fuzz.sh
PILAKE_KILLS=${PILAKE_KILLS:-1000} prove kills tools/python.sh -m pytest tests/e2e/test_crash.py -q
# They mostly wait for one another.
prove chaos tools/python.sh -u tests/chaos/chaos.py --seeds 500 --each-kind 100 --at-once 6
prove storms tools/sanitize.sh asan --storms 20
PILAKE_TAIL_MINUTES=1440 prove tail tools/python.sh -m pytest tests/e2e/test_tail.py -q -k minute
prove care tools/care.sh
prove year tools/year.sh
PILAKE_STRANGERS=all prove strangers tools/spark.sh tests/spark -k strangers
PILAKE_COMPANY=long prove company tools/company.sh
prove packages make --no-print-directory test-packages
prove wheels make --no-print-directory test-wheels
prove bench tools/bench.sh long
prove governor tools/governor.sh
exit "$FAILED"
