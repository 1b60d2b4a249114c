#!/usr/bin/env bash
# Every fuzz target for FUZZ_SECONDS. Inputs that reach something new are kept in the cache; one that
# fails is written to build/fuzz-findings and belongs into fuzz/corpus once the fault is mended.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

SECONDS_EACH=${FUZZ_SECONDS:-20}

tools/build.sh fuzz fuzzers
mkdir -p build/fuzz-findings
for fuzzer in build/fuzz/*_fuzz; do
  name=$(basename "$fuzzer" _fuzz)
  say "fuzzing $name for $SECONDS_EACH s"
  mkdir -p "$PILAKE_CACHE/corpus/$name"
  "$fuzzer" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix=build/fuzz-findings/"$name"- \
    "$PILAKE_CACHE/corpus/$name" fuzz/corpus/"$name" 2>&1 | grep -v '^stat::[^n]' || exit 1
done
