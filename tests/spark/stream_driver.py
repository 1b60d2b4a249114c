# SPDX-License-Identifier: Apache-2.0
"""A driver that a test kills: streams into a Delta table by upserts until it has caught up.

    stream_driver.py CONFIG CLOCK FOLDER
"""

import sys

from delta.tables import DeltaTable
from pyspark.sql import DataFrame

import pilake.spark
import session

KEY = ["tag_webid", "timestamp_100ns", "ordinal"]


def upsert_into(path: str):
    """The recipe of docs/spark.md: rows by their key, the later reading wins."""

    def upsert(rows: DataFrame, batch: int) -> None:
        spark = rows.sparkSession
        if not DeltaTable.isDeltaTable(spark, path):
            rows.limit(0).write.format("delta").save(path)
        same = " AND ".join(f"old.{name} = new.{name}" for name in KEY)
        (DeltaTable.forPath(spark, path).alias("old").merge(rows.dropDuplicates(KEY).alias("new"), same)
         .whenMatchedUpdateAll().whenNotMatchedInsertAll().execute())

    return upsert


def main(config: str, clock: str, folder: str) -> None:
    spark = session.start("local-cluster[2,1,1024]")  # executors are processes of their own
    pilake.spark.register(spark)
    rows = (spark.readStream.format("pilake").option("config", config).option("testClock", clock)
            .option("maxEventsPerTrigger", "60000").option("secondLook", "4h").load())
    query = (rows.writeStream.foreachBatch(upsert_into(f"{folder}/events"))
             .option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True).start())
    query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
