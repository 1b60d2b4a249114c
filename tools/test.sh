#!/usr/bin/env bash
# `make test`: unit tests with assertions on, the bridge's own tests, then whole runs of the release
# binary. Arguments go to pytest: `tools/test.sh -k killed`. UNIT_TESTS says what runs the unit tests:
# .ci/run has the sanitizers do it, which have all assertions too, and spares a build without them.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

plain_unit_tests() {
  tools/build.sh dev unit_tests
  ctest --preset dev --progress
}

# Fetched from afar while the compilers work.
tools/venv.sh tests/requirements.txt >/dev/null &

tools/build.sh release pilake
say "unit tests"
${UNIT_TESTS:-plain_unit_tests}
say "tests of the bridge"
(cd "$BRIDGE" && cargo test --release --locked --quiet)
say "whole runs"
tools/python.sh -m pytest tests/e2e -q --numprocesses "$((JOBS + 1))" --dist worksteal "$@"
