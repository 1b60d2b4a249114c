#!/usr/bin/env bash
# Builds the Python wheel into build/wheels with the Python of PATH, or with the one that is named:
# `tools/wheel.sh python3.12`. With `--portable` before it is one for any Linux with glibc 2.28 or later, in
# build/packages; from Python 3.12 on one wheel serves all later versions.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

PORTABLE=()
FOLDER=build/wheels
if [ "${1:-}" = --portable ]; then
  shift
  ARCH=$(uname -m)
  # shellcheck source=tools/portable_env.sh
  source tools/portable_env.sh
  # What pyproject.toml says for this machine's compiler and linker means nothing to that one.
  PORTABLE+=(-D CMAKE_MODULE_LINKER_FLAGS=-s -D "CMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG" -D PILAKE_WERROR=OFF -D PILAKE_TESTS=OFF)
  FOLDER=build/packages
  export SKBUILD_BUILD_DIR='build/portable-{wheel_tag}'
else
  # By the name that the other builds have for it, or ccache takes it for another compiler.
  export CC=cc CXX=c++
fi
PYTHON=${1:-python3}
VENV=$(tools/venv.sh python/requirements.txt "$PYTHON")

mkdir -p "$FOLDER"
say "building the wheel for $("$PYTHON" --version)${ARCH:+, portable}"
"$BRIDGE/build.sh" "$PILAKE_CACHE" >&2
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
SKBUILD_CMAKE_ARGS=$(IFS=';' && printf '%s' "${PORTABLE[*]}") CMAKE_GENERATOR=Ninja "$VENV/bin/pip" wheel --quiet \
  --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$STAGE" . >&2
if [ -n "${ARCH:-}" ]; then
  "$VENV/bin/python" -m wheel tags --remove --platform-tag "manylinux_2_28_$ARCH" "$STAGE"/*.whl >/dev/null
fi
mv "$STAGE"/*.whl "$FOLDER"
