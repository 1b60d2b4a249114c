# SPDX-License-Identifier: Apache-2.0
"""The Spark session of the tests, for pytest and for drivers in processes of their own."""

import os
from pathlib import Path

from pyspark.sql import SparkSession


def start(master: str = "local[2]") -> SparkSession:
    jars = ",".join(sorted(str(jar) for jar in Path(os.environ["PILAKE_SPARK_JARS"]).glob("*.jar")))
    return (
        SparkSession.builder.master(master)
        .config("spark.jars", jars)
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate())
