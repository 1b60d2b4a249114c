#!/usr/bin/env bash
# `make test`: unit tests with assertions on, the bridge's own tests, then whole runs of the release
# binary. Arguments go to pytest: `tools/test.sh -k killed`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh dev unit_tests
tools/build.sh release pilake

say "unit tests"
ctest --preset dev --progress
say "tests of the bridge"
(cd "$BRIDGE" && cargo test --release --locked --quiet)
say "whole runs"
tools/python.sh -m pytest tests/e2e -q --numprocesses "$JOBS" --dist worksteal "$@"
