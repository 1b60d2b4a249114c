#!/usr/bin/env bash
# Builds the wheel for Databricks into databricks/dist. `databricks bundle deploy` calls it. Runtimes from 16 on have
# Python 3.12 or newer, which all take a wheel that was built with any of those.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

for PYTHON in ${PILAKE_PYTHON:-python3.14 python3.13 python3.12 python3}; do
  if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then break; fi
  PYTHON=
done
[ -n "$PYTHON" ] || fail "the wheel for Databricks needs Python 3.12 or newer to be built; say where it is by PILAKE_PYTHON"

rm -rf databricks/dist build/wheels/*-cp312-*.whl
mkdir -p databricks/dist
tools/wheel.sh "$PYTHON"
cp build/wheels/*-cp312-*.whl databricks/dist
