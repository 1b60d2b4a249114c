#!/usr/bin/env bash
# Has Spark compare tables with the truth, and read through the Python package. Spark's packages and
# jars are fetched once, to the cache. Arguments go to pytest: `tools/spark.sh tests/spark -k strangers`; `tools/spark.sh
# bench/spark.py` measures.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

VENV=$(tools/venv.sh tests/spark/requirements.txt)
JARS=$PILAKE_CACHE/delta-jars-$(sha256sum <tests/spark/pom.xml | cut -c 1-12)

exec 9>"$JARS.lock"
flock 9
if [ ! -f "$JARS/complete" ]; then
  say "fetching Delta's jars for Spark, once"
  mvn -q -B -f tests/spark/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$JARS/all"
  # The others come with Spark itself.
  cp "$JARS"/all/delta-*.jar "$JARS"/all/unitycatalog-*.jar "$JARS"
  touch "$JARS/complete"
fi
exec 9>&-
if [ "${1:-}" = --fetch ]; then exit; fi

tools/build.sh release pilake
PYTHONPATH=$(tools/site.sh)
export PYTHONPATH PYSPARK_PYTHON=$VENV/bin/python SPARK_LOCAL_IP=127.0.0.1 PILAKE_SPARK_JARS=$JARS
case "${1:-}" in
  bench/*.py) exec "$VENV/bin/python" "$@" ;;
  "") set -- tests/spark tests/python tests/databricks ;;
esac
# A session of Spark has its own process; two of them leave less of the machine idle.
"$VENV/bin/python" -m pytest -q --numprocesses 2 --dist loadfile "$@"
