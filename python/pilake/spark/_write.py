# SPDX-License-Identifier: Apache-2.0
"""`pilake run` with a cluster that reads and writes the backfill."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from .. import _pilake
from ..errors import UnreachableError
from ._options import Options, read


def write(
    spark: SparkSession,
    options: dict[str, str] | None = None,
    *,
    at_once: int = 4,
    rows_per_task: int = 4_000_000,
    allow_deletes: bool = False,
    **more: str,
) -> dict[str, Any]:
    """Makes the table of a configuration equal to the archive, as `pilake run` does, and returns
    what it did.

        pilake.spark.write(spark, config="plant.yaml", at_once=8)

    What is new and what is in doubt the driver reads by itself. A backfill is cut into tasks of
    about `rows_per_task` rows: executors read them and write files into the table's folder, and the
    driver commits rows and coverage of each in one version, `at_once` tasks at a time. They share
    the budget of the configuration; there are never more at a time than it allows calls in flight.

    Options are those of `format("pilake")`. Binary and Spark may take turns on one table and run at
    the same time. Safe to repeat and to kill: what was committed stays, files that were not are
    taken by `pilake vacuum`.
    """
    known = read({**(options or {}), **more})
    settings = known.settings(has_table=True)
    tasks_at_once = max(1, min(at_once, settings.in_flight))

    def hand_out(parts: list["_pilake.Part"], commit: Callable[["_pilake.Written"], bool]) -> None:
        for begin in range(0, len(parts), tasks_at_once):
            for written in _written(spark, known, parts[begin : begin + tasks_at_once]):
                if not commit(written):
                    return

    report = _pilake.run(settings, allow_deletes, False, hand_out, tasks_at_once, float(rows_per_task))
    return json.loads(report)


class Writing(DataSource):
    """One wave of tasks as a data source: partitions are parts, rows what was written of them."""

    @classmethod
    def name(cls) -> str:
        return "pilake_writing"

    def schema(self) -> str:
        return "written binary"

    def reader(self, schema: Any) -> DataSourceReader:
        return PartWriter(self.options["wave"])


class PartWriter(DataSourceReader):
    """Reads the wave's file on the driver; a part travels to its own task only."""

    def __init__(self, wave: str) -> None:
        self._wave = wave

    def partitions(self) -> list[InputPartition]:
        with open(self._wave, "rb") as file:
            options, parts = pickle.load(file)
        return [InputPartition((options, part)) for part in parts]

    def read(self, partition: InputPartition) -> Iterator[tuple[bytes]]:
        options, part = partition.value
        yield (pickle.dumps(_pilake.write_part(options.settings(has_table=True), part)),)


def _written(spark: SparkSession, options: Options, parts: list["_pilake.Part"]) -> Iterator["_pilake.Written"]:
    """Has one task for each part."""
    spark.dataSource.register(Writing)
    with tempfile.NamedTemporaryFile(prefix="pilake-") as wave:
        wave.write(pickle.dumps((options, parts)))
        wave.flush()
        rows = spark.read.format(Writing.name()).option("wave", wave.name).load().collect()
    if len(rows) != len(parts):
        raise UnreachableError(f"{len(parts)} tasks were given out and {len(rows)} came back")
    for row in rows:
        yield pickle.loads(row["written"])
