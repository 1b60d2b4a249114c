#!/usr/bin/env bash
# Prints the folder of a Python environment with exactly what a requirements file pins, made on first
# use and kept in the cache: `tools/venv.sh tests/requirements.txt`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

REQUIREMENTS=$1
VENV=$PILAKE_CACHE/venv-$(sha256sum <"$REQUIREMENTS" | cut -c 1-12)

if [ ! -f "$VENV/complete" ]; then
  say "installing the Python packages of $REQUIREMENTS, once"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --requirement "$REQUIREMENTS" >&2
  touch "$VENV/complete"
fi
echo "$VENV"
