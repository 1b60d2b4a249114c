#!/usr/bin/env bash
# A year with late, edited and deleted events: `verify` finds and repairs them. All types of points, then many.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh release pilake
FAILED=0
for plant in mixed wide; do
  tools/python.sh bench/year.py --plant "$plant" "$@" || FAILED=1
done
exit "$FAILED"
