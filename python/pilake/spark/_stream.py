# SPDX-License-Identifier: Apache-2.0
"""Reads what has become final since, again and again."""

from __future__ import annotations

import base64
import itertools
import time
import zlib
from collections.abc import Iterator
from typing import Any, Optional

import pyarrow as pa
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition, SimpleDataSourceStreamReader
from pyspark.sql.types import StructType

from .. import _pilake
from ..errors import InvalidError
from ..source import Partition
from . import _schemas
from ._batch import Task, batches
from ._options import Options

try:
    from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxRows, SupportsTriggerAvailableNow
except ImportError:  # before PySpark 4.2
    HAS_LIMITS = False
    _Triggered: type = object
else:
    HAS_LIMITS = True
    _Triggered = SupportsTriggerAvailableNow

_FORMAT = 1
#: A trigger of a reader that Spark gives no limit: what one process can hand on in a while.
_EVENTS_OF_ONE_PROCESS = 1_000_000
#: Seconds after which the tags are resolved anew: new points that a mask selects join then.
_RESOLVE_EVERY = 600


def pack(cursors: bytes) -> dict[str, Any]:
    """An offset. It says of each series how far it was read, so that it needs nothing beside it:
    some eight bytes a series that is slower than the others."""
    return {"format": _FORMAT, "cursors": base64.b64encode(zlib.compress(cursors, 9)).decode()}


def unpack(offset: dict[str, Any]) -> bytes:
    if offset.get("format") != _FORMAT:
        raise InvalidError(f"the checkpoint holds an offset of format {offset.get('format')}, which this version of "
                           "pilake does not know: it was written by a newer one")
    return zlib.decompress(base64.b64decode(offset["cursors"]))


class Follower:
    """The planning side: one connection to the source, in the driver's process."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._resolved = 0.0
        self._made: Optional[_pilake.Planner] = None

    @property
    def _planner(self) -> "_pilake.Planner":
        if self._made is None:
            self._made = self._options.source()._plan()
        return self._made

    def start(self) -> bytes:
        return self._planner.start(self._options.second_look or 0)

    def look(self) -> None:
        """Finds out anew what is final; now and then which points there are, too."""
        if time.monotonic() - self._resolved > _RESOLVE_EVERY:
            self._made, self._resolved = None, time.monotonic()
        self._planner.look()

    def next(self, start: bytes, events_max: float) -> bytes:
        return self._planner.next(start, events_max, self._options.second_look)

    def tasks(self, start: bytes, end: bytes) -> list[Task]:
        parts, gone = self._planner.between(start, end, self._options.partitions, self._options.at_once)
        for web_id in gone:
            print(f"pilake: left out: the point with the WebID {web_id} is not shown to us any more")
        return [Task(Partition(part)) for part in parts]


class EventStreamReader(DataSourceStreamReader, _Triggered):
    """Final events, each once; with `secondLook` what has become old enough comes again, corrected.

    Needs PySpark 4.2, which tells the reader where it stands and how much is wanted.
    """

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._columns = _schemas.check(options.table, schema)
        self._follower = Follower(options)
        self._ends_here = False

    def initialOffset(self) -> dict[str, Any]:
        return pack(self._follower.start())

    def getDefaultReadLimit(self) -> Any:
        return ReadMaxRows(self._options.events_max) if self._options.events_max else ReadAllAvailable()

    def prepareForTriggerAvailableNow(self) -> None:
        self._follower.look()
        self._ends_here = True

    def latestOffset(self, start: dict[str, Any], limit: Any) -> dict[str, Any]:
        if not self._ends_here:
            self._follower.look()
        events_max = limit.max_rows if isinstance(limit, ReadMaxRows) else 0
        return pack(self._follower.next(unpack(start), events_max))

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> list[InputPartition]:
        return list(self._follower.tasks(unpack(start), unpack(end)))

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        assert isinstance(partition, Task)
        return batches(self._options, partition, self._columns)


class SimpleEventStreamReader(SimpleDataSourceStreamReader):
    """The same where Spark is older: everything is read by the driver."""

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._columns = _schemas.check(options.table, schema)
        self._follower = Follower(options)

    def initialOffset(self) -> dict[str, Any]:
        return pack(self._follower.start())

    def read(self, start: dict[str, Any]) -> tuple[Iterator[Any], dict[str, Any]]:
        self._follower.look()
        begin = unpack(start)
        end = self._follower.next(begin, self._options.events_max or _EVENTS_OF_ONE_PROCESS)
        return self._rows(begin, end), pack(end)

    def readBetweenOffsets(self, start: dict[str, Any], end: dict[str, Any]) -> Iterator[Any]:
        return self._rows(unpack(start), unpack(end))

    def _rows(self, start: bytes, end: bytes) -> Iterator[Any]:
        tasks = self._follower.tasks(start, end)
        return itertools.chain.from_iterable(batches(self._options, task, self._columns) for task in tasks)
