#!/usr/bin/env bash
# `make bench`: the ceiling of each stage, then whole runs against it, then memory. Figures as JSON go to
# build/bench/; docs/benchmarks.md says what they mean. `tools/bench.sh long` takes memory over ten
# times as many events.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

LENGTH=${1:-short}
RESULTS=$ROOT/build/bench
mkdir -p "$RESULTS"
# Tables are written to the disk that holds the checkout: a folder in memory would cost no sync.
export TMPDIR=$RESULTS

tools/build.sh release pilake stages_bench

FAILED=0
bench() {
  local name=$1
  shift
  tools/python.sh "bench/$name.py" --json "$RESULTS/$name.json" "$@" || FAILED=1
}

say "each stage alone"
build/release/stages_bench --benchmark_out="$RESULTS/stages.json" --benchmark_out_format=json
say "whole runs"
bench end_to_end --stages "$RESULTS/stages.json"
bench discover
bench forecast
if [ "$LENGTH" = long ]; then
  bench verify
  bench memory
else
  bench verify --points 2000 --days 10
  bench memory --short
fi
exit "$FAILED"
