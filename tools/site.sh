#!/usr/bin/env bash
# Builds the wheel and prints a folder in which it is installed, for PYTHONPATH.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

rm -rf build/wheels build/site
tools/wheel.sh
PIP=$(tools/venv.sh python/requirements.txt)/bin/pip
"$PIP" install --quiet --disable-pip-version-check --no-deps --target build/site build/wheels/*.whl >&2
echo "$ROOT/build/site"
