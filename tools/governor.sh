#!/usr/bin/env bash
# What pilake asks of a server whose capacity halves and recovers: five minutes, and docs/governor.svg.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/build.sh release pilake
VENV=$(tools/venv.sh bench/requirements.txt)
exec "$VENV/bin/python" bench/governor.py --plot docs/governor.svg
