#!/usr/bin/env bash
# Fifty thousand commits, and two thousand small files merged beside a writer: the table stays quick.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh release pipeline_test
export PILAKE_COMMITS=${PILAKE_COMMITS:-50000}
export PILAKE_SMALL_FILES=${PILAKE_SMALL_FILES:-2000} PILAKE_SERIES=${PILAKE_SERIES:-10000}
build/release/pipeline_test --gtest_brief=1 \
  --gtest_filter='LedgerTest.StaysQuick*:OptimizeTest.MergesSmallFiles*'
