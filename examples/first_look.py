# Databricks notebook source
# SPDX-License-Identifier: Apache-2.0
# A first look at a PI System, straight from PI Web API, with no table and no Spark: how much there is, a trend, a
# time-weighted average, and two tags side by side.
#
#     pip install pilake polars matplotlib
#     PILAKE_CONFIG=plant.yaml python first_look.py

# COMMAND ----------

import os
from datetime import datetime, timedelta, timezone

import matplotlib
import polars as pl

import pilake

matplotlib.use("Agg")  # pictures go to files; leave it out in a notebook
import matplotlib.pyplot as plt  # noqa: E402

CONFIG = os.environ.get("PILAKE_CONFIG", "pilake.yaml")
PICTURE = os.environ.get("PILAKE_PICTURE", "first_look.png")
TO = datetime.now(timezone.utc)
FROM = TO - timedelta(days=1)

# COMMAND ----------

# The events of a day. Partitions are read one after the other here; each is an Arrow stream.
source = pilake.Source(CONFIG)
events = pl.concat([pl.DataFrame(source.read(part)) for part in source.plan(FROM, TO, partitions=4)])

# COMMAND ----------

# How much there is, of which kind, and how good it is.
counts = (events.group_by("tag_name", "value_kind")
          .agg(events=pl.len(), first=pl.col("timestamp").min(), last=pl.col("timestamp").max(),
               bad=(~pl.col("good")).sum())
          .sort("events", "tag_name", descending=[True, False]))  # fmt: skip
print(counts)

# COMMAND ----------

# The two numeric tags of which there is most. States such as "I/O Timeout" have no number: they are gaps.
numeric = counts.filter(pl.col("value_kind") == "float")["tag_name"].head(2).to_list()
NAME, OTHER = numeric
points = {point.tag_name: point for point in source.discover()}


def series(name: str) -> pl.DataFrame:
    return events.filter(pl.col("tag_name") == name).sort("timestamp_100ns", "ordinal")


# COMMAND ----------

# A trend. A tag with `step` holds its value until the next event; others are joined by a line.
figure, axes = plt.subplots(figsize=(10, 4))
for name in numeric:
    shown = series(name)
    axes.plot(shown["timestamp"].to_list(), shown["value"].to_list(), label=f"{name} [{points[name].units}]",
              drawstyle="steps-post" if points[name].step else "default", linewidth=0.8)
axes.legend()
figure.autofmt_xdate()
figure.savefig(PICTURE)
plt.close(figure)

# COMMAND ----------


def time_weighted_average(one: pl.DataFrame, step: bool) -> float:
    """What the average over time is, not over events: archives hold few events where little happens.

    Spans that begin or, unless `step`, end in a gap do not count.
    """
    begin, end = pl.col("value"), pl.col("value").shift(-1)
    spans = one.select(ticks=pl.col("timestamp_100ns").shift(-1) - pl.col("timestamp_100ns"),
                       mean=begin if step else (begin + end) / 2).drop_nulls()
    return (spans["mean"] * spans["ticks"]).sum() / spans["ticks"].sum()


average = time_weighted_average(series(NAME), points[NAME].step)
print(f"{NAME}: {average:.4f} {points[NAME].units} over time, {series(NAME)['value'].mean():.4f} over events")

# COMMAND ----------

# Two tags side by side: for each event of the one, what the other was then.
beside = (series(NAME).select("timestamp_100ns", "timestamp", "value")
          .join_asof(series(OTHER).select("timestamp_100ns", other="value"), on="timestamp_100ns",
                     strategy="backward"))  # fmt: skip
print(beside.head())
print(f"correlation: {beside.select(pl.corr('value', 'other')).item():.3f}")
