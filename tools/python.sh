#!/usr/bin/env bash
# Runs Python with the packages of the tests: `tools/python.sh bench/memory.py --ci`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

VENV=$(tools/venv.sh tests/requirements.txt)
exec "$VENV/bin/python" "$@"
