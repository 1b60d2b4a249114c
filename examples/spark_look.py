# Databricks notebook source
# SPDX-License-Identifier: Apache-2.0
# A first look at a table that pilake keeps, by Spark: how much there is, a trend, time-weighted averages, two tags side
# by side. Nothing of pilake is needed to read it: it is a Delta table.
#
#     PILAKE_TABLE=plant.raw.pi_timeseries       or a folder: delta.`/lake/pi_timeseries`

# COMMAND ----------

import os

import matplotlib
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

matplotlib.use("Agg")  # pictures go to files; leave it out in a notebook
import matplotlib.pyplot as plt  # noqa: E402

PICTURE = os.environ.get("PILAKE_PICTURE", "spark_look.png")

spark = SparkSession.builder.getOrCreate()
events = spark.table(os.environ["PILAKE_TABLE"])

# COMMAND ----------

# How much there is, of which kind, and how good it is.
counts = (events.groupBy("tag_name", "value_kind")
          .agg(F.count("*").alias("events"), F.min("timestamp").alias("first"), F.max("timestamp").alias("last"),
               F.count_if(~F.col("good")).alias("bad"))
          .orderBy(F.desc("events"), "tag_name"))  # fmt: skip
counts.show(20, truncate=False)

# COMMAND ----------

# The two numeric tags of which there is most.
NAME, OTHER = (row.tag_name for row in counts.where("value_kind = 'float'").limit(2).collect())
#: The order of events: a time may stand more than once.
IN_ORDER = Window.partitionBy("tag_name").orderBy("timestamp_100ns", "ordinal")

# COMMAND ----------

# A trend: means of each ten minutes, with what was lowest and highest in them. A plot of all events would show no more.
trend = (events.where(F.col("tag_name") == NAME)
         .groupBy(F.window("timestamp", "10 minutes").start.alias("from"))
         .agg(F.min("value").alias("low"), F.avg("value").alias("mean"), F.max("value").alias("high"))
         .orderBy("from").toPandas())  # fmt: skip
figure, axis = plt.subplots(figsize=(10, 4))
axis.fill_between(trend["from"], trend["low"], trend["high"], alpha=0.3, linewidth=0)
axis.plot(trend["from"], trend["mean"], linewidth=0.8, label=NAME)
axis.legend()
figure.autofmt_xdate()
figure.savefig(PICTURE)
plt.close(figure)

# COMMAND ----------

# Averages over time, not over events: archives hold few events where little happens. Between two events a line is
# drawn (a tag with `step` holds its value: there take `value` alone). Spans that touch a gap do not count.
spans = events.where(F.col("tag_name").isin(NAME, OTHER)).select(
    "tag_name",
    (F.lead("timestamp_100ns").over(IN_ORDER) - F.col("timestamp_100ns")).alias("ticks"),
    ((F.col("value") + F.lead("value").over(IN_ORDER)) / 2).alias("mean"))  # fmt: skip
averages = (spans.dropna().groupBy("tag_name")
            .agg((F.sum(F.col("mean") * F.col("ticks")) / F.sum("ticks")).alias("average")))  # fmt: skip
averages.show(truncate=False)

# COMMAND ----------

# Two tags side by side: for each event of the one, what the other was then. One pass over both, and no join: of equal
# times the other comes first.
both = events.where(F.col("tag_name").isin(NAME, OTHER)).select(
    "timestamp", "timestamp_100ns", "ordinal", "value", (F.col("tag_name") == OTHER).alias("is_other"))
until_now = Window.orderBy("timestamp_100ns", F.desc("is_other"), "ordinal").rowsBetween(Window.unboundedPreceding, 0)
#: A struct, so that an event without a number, such as a state, is told from none at all.
last_other = F.last(F.when(F.col("is_other"), F.struct("value")), ignorenulls=True).over(until_now)
beside = both.withColumn("other", last_other["value"]).where("NOT is_other").drop("is_other", "ordinal")
beside.show(5)
print(f"correlation: {beside.stat.corr('value', 'other') if beside.count() else float('nan'):.3f}")
