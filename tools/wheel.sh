#!/usr/bin/env bash
# Builds the Python wheel into build/wheels with the Python of PATH, or with the one that is named:
# `tools/wheel.sh python3.12`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

PYTHON=${1:-python3}
VENV=$(tools/venv.sh python/requirements.txt "$PYTHON")

mkdir -p build/wheels
say "building the wheel for $("$PYTHON" --version)"
"$BRIDGE/build.sh" "$PILAKE_CACHE" >&2
# By the name that the other builds have for it, or ccache takes it for another compiler.
export CC=cc CXX=c++
CMAKE_GENERATOR=Ninja "$VENV/bin/pip" wheel --quiet --disable-pip-version-check --no-deps \
  --no-build-isolation --wheel-dir build/wheels . >&2
