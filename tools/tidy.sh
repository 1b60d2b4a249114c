#!/usr/bin/env bash
# clang-tidy on every source that changed since it was last found clean; minutes on a cold cache.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh dev unit_tests pilake
python3 tools/tidy.py build/dev
