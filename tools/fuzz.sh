#!/usr/bin/env bash
# Every fuzz target for FUZZ_SECONDS, or those that are named: `tools/fuzz.sh record config`. Inputs that
# reach something new are kept in the cache; one that fails is written to build/fuzz-findings and
# belongs into fuzz/corpus once the fault is mended.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

SECONDS_EACH=${FUZZ_SECONDS:-20}

# One fuzzer keeps one core busy, so each core has one; what it says comes at its end.
fuzz() {
  local name=$1 log=build/fuzz-findings/$1.log code=0
  mkdir -p "$PILAKE_CACHE/corpus/$name"
  "build/fuzz/${name}_fuzz" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix=build/fuzz-findings/"$name"- \
    "$PILAKE_CACHE/corpus/$name" fuzz/corpus/"$name" >"$log" 2>&1 || code=1
  say "fuzzed $name for $SECONDS_EACH s"
  grep -v '^stat::[^n]' "$log" || true
  return "$code"
}

if [ "${1:-}" = --one ]; then
  fuzz "$2"
  exit
fi
NAMES=("$@")
if [ ${#NAMES[@]} -eq 0 ]; then
  tools/build.sh fuzz fuzzers
  mapfile -t NAMES < <(basename -s _fuzz build/fuzz/*_fuzz)
else
  tools/build.sh fuzz "${NAMES[@]/%/_fuzz}"
fi
mkdir -p build/fuzz-findings
printf '%s\0' "${NAMES[@]}" | xargs -0 -n 1 -P "$JOBS" "$0" --one
