# SPDX-License-Identifier: Apache-2.0
"""Events of a PI System, each once, corrected by a second look, and what its points are like."""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

import pilake.databricks
import pilake.spark

#: What `configuration` of the pipeline may say, there with `pilake.` before it.
NAMES = [
    "source.url", "source.auth.kind", "source.auth.username", "source.auth.password", "source.auth.token",
    "source.budget.in_flight", "source.budget.events_per_second", "tags.server", "tags.include", "tags.exclude",
    "history.from", "history.settle", "trust.ca", "partitions", "atOnce", "testClock",
]  # fmt: skip

spark = SparkSession.builder.getOrCreate()
# Not pilake.spark.register, which sets a configuration of the session: a pipeline lets nobody.
spark.dataSource.register(pilake.spark.PiDataSource)


def settings(names: list[str]) -> dict[str, str]:
    return {name: spark.conf.get(f"pilake.{name}", "") for name in names}


OPTIONS = pilake.databricks.options(settings(NAMES))
LIMITS = pilake.databricks.options(settings(["secondLook", "maxEventsPerTrigger"]))


@dp.temporary_view(comment="Final events as they come; with secondLook they come once more.")
def pi_events() -> DataFrame:
    return spark.readStream.format("pilake").options(**OPTIONS, **LIMITS).load()


dp.create_streaming_table(
    "pi_events_current",
    comment="One row an event: (tag_webid, timestamp_100ns, ordinal). What was edited or came late is corrected "
    "by the second look; what was deleted stays.",
)
dp.create_auto_cdc_flow(
    target="pi_events_current",
    source="pi_events",
    keys=["tag_webid", "timestamp_100ns", "ordinal"],
    sequence_by="ingestion_timestamp",
    stored_as_scd_type=1,
)


@dp.materialized_view(comment="The points as they are now.")
def pi_points_current() -> DataFrame:
    return spark.read.format("pilake").options(**OPTIONS, table="pi_points").load()


@dp.materialized_view(comment="The states of digital points as they are now.")
def pi_digital_states_current() -> DataFrame:
    return spark.read.format("pilake").options(**OPTIONS, table="pi_digital_states").load()
