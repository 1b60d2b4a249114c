#!/usr/bin/env bash
# How far a stream is behind a plant of all its points, and docs/live.svg: `tools/live.sh [--long]`.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh release pilake
FIGURES=$(mktemp)
trap 'rm -f "$FIGURES"' EXIT
STATUS=0
tools/python.sh bench/live.py --rows 2 --json "$FIGURES" "$@" || STATUS=$?
VENV=$(tools/venv.sh bench/requirements.txt)
"$VENV/bin/python" bench/live_plot.py "$FIGURES" docs/live.svg
exit "$STATUS"
