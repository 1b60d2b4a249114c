#!/usr/bin/env bash
# Proves what `make packages` made, in bare systems (made once, root alone may enter them). Arguments go
# to pytest: `tools/test_packages.sh -k bullseye`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

# The portable program plays the plant, too, so that nothing else has to be built.
PILAKE_BINARY=$ROOT/build/portable-$(uname -m)/pilake
export PILAKE_BINARY
[ "$(id -u)" = 0 ] || fail "These tests enter systems of their own, which is for root alone."
ls build/packages/pilake* >/dev/null 2>&1 || fail "Nothing to test in build/packages: run 'make packages' first."
tools/python.sh -m pytest tests/packages -q --ignore tests/packages/test_wheels.py "$@"
