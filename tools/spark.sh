#!/usr/bin/env bash
# Has Spark compare a table with the truth. Its Python packages and jars are fetched once, to the cache.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

VENV=$(tools/venv.sh tests/spark/requirements.txt)
JARS=$PILAKE_CACHE/delta-jars-$(sha256sum <tests/spark/pom.xml | cut -c 1-12)

if [ ! -f "$JARS/complete" ]; then
  say "fetching Delta's jars for Spark, once"
  mvn -q -B -f tests/spark/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$JARS/all"
  # The others come with Spark itself.
  cp "$JARS"/all/delta-*.jar "$JARS"/all/unitycatalog-*.jar "$JARS"
  touch "$JARS/complete"
fi

tools/build.sh release pilake
export PYSPARK_PYTHON=$VENV/bin/python SPARK_LOCAL_IP=127.0.0.1 PILAKE_SPARK_JARS=$JARS
"$VENV/bin/python" -m pytest tests/spark -q "$@"
