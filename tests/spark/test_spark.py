# SPDX-License-Identifier: Apache-2.0
"""Spark, which shares no code with us or with delta-rs, finds the same rows in the table."""

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, unix_micros

from drive import Clock, Plant, Simulator, Site, utc
from truth import COLUMNS, final, span, visible

PLANT = Plant("mixed", points=320, begins=utc("2026-03-02T00:00:00Z"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A table that three runs made, a day apart and an hour apart."""
    folder = tmp_path_factory.mktemp("spark")
    clock = Clock(folder / "clock", utc("2026-03-03T09:30:00Z"))
    with Simulator(PLANT, clock, folder) as simulator:
        here = Site(folder / "site", simulator.url, PLANT.begins, clock)
        for hours in (24, 1, 0):
            here.run()
            clock.advance(hours=hours)
        yield here


def table_of(spark: SparkSession, site: Site) -> DataFrame:
    rows = spark.read.format("delta").load(str(site.table))
    return rows.withColumn("timestamp", unix_micros(col("timestamp"))).select(COLUMNS.names)


def truth_of(spark: SparkSession, site: Site) -> DataFrame:
    file = site.folder / "truth.parquet"
    rows = final(visible(PLANT, site.clock.now, site.folder), site.clock.now, span(site.settle), site.begins)
    pq.write_table(rows.select(COLUMNS.names), file)
    return spark.read.parquet(str(file))


def test_spark_reads_the_final_rows_no_more_and_no_less(spark, site):
    table, truth = table_of(spark, site).cache(), truth_of(spark, site).cache()
    assert table.select("tag_webid").distinct().count() >= 290
    assert truth.exceptAll(table).take(5) == []
    assert table.exceptAll(truth).take(5) == []


def test_spark_sees_what_the_table_says_about_itself(spark, site):
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{site.table}`").first()
    status = site.status()
    assert detail["clusteringColumns"] == ["tag_webid", "timestamp"]
    assert (detail["numFiles"], detail["sizeInBytes"]) == (status["files"], status["bytes"])
    history = spark.sql(f"DESCRIBE HISTORY delta.`{site.table}`")
    assert history.count() == status["version"] + 1


def test_spark_can_look_back_at_an_older_version(spark, site):
    first = spark.read.format("delta").option("versionAsOf", 1).load(str(site.table)).count()
    assert 0 < first < site.status()["rows"]
