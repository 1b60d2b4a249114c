#!/usr/bin/env bash
# Prints the folder of a Python environment with exactly what a requirements file pins, made on first
# use and kept in the cache: `tools/venv.sh tests/requirements.txt`, or with another Python as
# `tools/venv.sh python/requirements.txt python3.12`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

REQUIREMENTS=$1
PYTHON=${2:-python3}
VENV=$PILAKE_CACHE/venv-$({ cat "$REQUIREMENTS" && "$PYTHON" --version; } | sha256sum | cut -c 1-12)

# Another script may be making the same one.
exec 9>"$VENV.lock"
flock 9
if [ ! -f "$VENV/complete" ]; then
  say "installing the Python packages of $REQUIREMENTS, once"
  rm -rf "$VENV"
  "$PYTHON" -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --requirement "$REQUIREMENTS" >&2
  touch "$VENV/complete"
fi
echo "$VENV"
