# SPDX-License-Identifier: Apache-2.0
"""Reads the archive, or the points and digital states, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from .. import _times
from ..source import Partition, Source
from . import _schemas
from ._filters import Narrowing
from ._options import Options


class Task(InputPartition):
    """One partition on its way to an executor."""

    def __init__(self, partition: Partition) -> None:
        super().__init__(None)
        self.partition = partition

    def __repr__(self) -> str:
        return repr(self.partition)


def batches(options: Options, task: Task, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of one task. Fails at its end if series could not be read and may not be left out."""
    rows = options.source().read(task.partition, columns, leave_out=options.leave_out)
    yield from pa.RecordBatchReader.from_stream(rows)
    for tag, reason in rows.left_out:
        print(f"pilake: left out: {tag}: {reason}")


class EventReader(DataSourceReader):
    """Events between two times."""

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._columns = _schemas.check(options.table, schema)
        self._narrowing = Narrowing()

    def partitions(self) -> list[InputPartition]:
        source = self._options.source()
        narrow = self._narrowing
        begin = _later(source.history_from if self._options.start is None else _times.ticks(self._options.start),
                       narrow.begin)
        end = _earlier(source.ahead if self._options.end is None else _times.ticks(self._options.end), narrow.end)
        parts = source._cut(begin, end, self._options.partitions, self._options.at_once, narrow.names, narrow.web_ids)
        return [Task(part) for part in parts] or [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        if isinstance(partition, Task):
            yield from batches(self._options, partition, self._columns)


class FilteringEventReader(EventReader):
    """The same, which reads no more than the query's conditions ask for."""

    def pushFilters(self, filters: list[Any]) -> Iterable[Any]:
        self._narrowing.add(filters)
        return filters  # Spark is to apply them, too: ours are coarser


class DimensionReader(DataSourceReader):
    """The points, or the digital states, as they are now."""

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._columns = _schemas.check(options.table, schema)

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:
        source = self._options.source()
        rows = _points(source) if self._options.table == "pi_points" else _states(source)
        for row in rows:
            yield tuple(row[name] for name in self._columns)


def _points(source: Source) -> Iterator[dict[str, Any]]:
    for point in source.discover():
        row = dict(vars(point), point_type=point.type, server=point.path.lstrip("\\").partition("\\")[0])
        yield row


def _states(source: Source) -> Iterator[dict[str, Any]]:
    for state in source.digital_states():
        yield vars(state)


def _later(time: int, other: int | None) -> int:
    return time if other is None else max(time, other)


def _earlier(time: int, other: int | None) -> int:
    return time if other is None else min(time, other)
