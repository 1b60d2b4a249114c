# SPDX-License-Identifier: Apache-2.0
"""A PI System to read from, without a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from . import _pilake, _settings, _times
from ._settings import Config
from ._times import Time

#: How far beyond the source's clock ordinary points may have events.
_AHEAD = _times.span("15m")


@dataclass(frozen=True)
class Point:
    """A PI point, as the source shows it."""

    tag_webid: str  #: its WebID in IDOnly form, which survives a rename: the key of all its rows
    tag_name: str
    path: str  #: ``\\\\SERVER\\TAG``
    units: str
    descriptor: str
    digital_set: str  #: the name of its states' set; empty for other types
    type: str  #: ``Float32``, ``Digital``, … as PI writes it
    zero: float
    span: float
    step: bool  #: its value holds until the next one; otherwise a line joins them
    future: bool  #: it takes events beyond now: forecasts


@dataclass(frozen=True)
class State:
    """One state of a digital set."""

    server: str
    digital_set: str  #: ``System`` for the states that any point may have
    code: int
    name: str


class Partition:
    """Some series × times, to be read by one task. It can be pickled and read in another process.

    It carries no credentials.
    """

    def __init__(self, part: "_pilake.Part") -> None:
        self._part = part

    @property
    def rows(self) -> float:
        """About so many rows."""
        return self._part.rows

    @property
    def share(self) -> float:
        """The part of the budget that reading it may use."""
        return self._part.share

    @property
    def series(self) -> int:
        """How many series it reads of."""
        return self._part.series

    @property
    def range(self) -> tuple[datetime, datetime]:
        """From the earliest time to the latest, the latter not included; whole microseconds."""
        begin, end = self._part.range
        return _times.moment(begin), _times.moment(end)

    def __repr__(self) -> str:
        begin, end = self.range
        return f"<Partition of {self.series} series, about {self.rows:.0f} rows, {begin} to {end}>"

    def __getstate__(self) -> Any:
        return self._part

    def __setstate__(self, part: Any) -> None:
        self._part = part


class Rows:
    """Rows of one partition as they are read, in the order of `tag_webid` and time.

    An Arrow stream: give it to ``pyarrow.table``, ``polars.from_arrow``, DuckDB, pandas or whatever
    takes the Arrow PyCapsule interface. Columns of numbers and times are handed over without a
    copy. It can be taken once. The memory that waits to be taken is bounded, so one that is taken
    slowly reads slowly.

    What fails is told by whoever takes the stream; the rows that came before are not to be used
    then. Ctrl-C ends the reading.
    """

    def __init__(self, rows: "_pilake.Rows") -> None:
        self._rows = rows

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._rows.stream()

    def __arrow_c_schema__(self) -> Any:
        return self._rows.schema()

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Paths of points that could not be read, and why. Complete once all rows were taken."""
        return self._rows.left_out

    @property
    def calls(self) -> int:
        """Calls to the source so far."""
        return self._rows.calls

    @property
    def series_reads(self) -> int:
        """Series that the archive was asked for so far; each member of a bulk call counts."""
        return self._rows.series_reads


class Source:
    """Events of the points that a configuration selects.

        source = pilake.Source("plant.yaml")
        for partition in source.plan("2026-01-01", "2026-02-01", partitions=4):
            table = pyarrow.table(source.read(partition))

    `config` is the path of a YAML file or a mapping with the same keys (see the configuration
    page); neither `table` nor `history` is needed. Opens no connection before it is asked
    something. For one thread at a time; `read` may be called from many.
    """

    def __init__(self, config: Config, *, test_clock: str = "") -> None:
        self._settings = _settings.load(config, has_table=False, test_clock=test_clock)
        self._planner: Optional[_pilake.Planner] = None

    def discover(self) -> list[Point]:
        """The selected points, in the order of `tag_webid`. Raises `UnreachableError`,
        `SignOnError`, or `InvalidError` where nothing is selected."""
        return [Point(*series) for series in self._plan().series()]

    @property
    def unresolved(self) -> list[tuple[str, str]]:
        """Tags that the configuration names and the source does not show, and why."""
        return self._plan().unresolved()

    def digital_states(self) -> list[State]:
        """The states of the digital sets that the selected points have, and the system states."""
        states, _ = self._plan().states()
        return [State(*state) for state in states]

    def plan(
        self,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        partitions: int = 8,
        *,
        at_once: int = 0,
        names: Iterable[str] = (),
        web_ids: Iterable[str] = (),
    ) -> list[Partition]:
        """Cuts all events from `start` (included) to `end` (not included) into partitions with
        about as many rows each. Asks the source for the newest events of each point.

        `start` is `history.from` if it is left out, or all there is; `end` a quarter of an hour
        beyond now, so that the current values are in it. `names` (masks with ``*`` and ``?``) and
        `web_ids` narrow down what the configuration selects.

        The budget of the configuration is shared: each partition gets an equal part of it, of
        `at_once` that are read at a time (0: all of them). No more partitions are cut than the
        budget allows calls in flight, unless `at_once` says that no more are read at a time.
        """
        begin = self.history_from if start is None else _times.ticks(start)
        until = self.ahead if end is None else _times.ticks(end)
        return self._cut(begin, until, partitions, at_once, list(names), list(web_ids))

    def read(
        self,
        partition: Partition,
        columns: Optional[Sequence[str]] = None,
        *,
        leave_out: bool = False,
    ) -> Rows:
        """Begins to read a partition, in the background. `columns` are names of `pi_timeseries`.

        A point that cannot be read fails the whole partition at its end, unless `leave_out`: then
        it is named in `Rows.left_out`.
        """
        names = None if columns is None else list(columns)
        return Rows(_pilake.Rows(self._settings, partition._part, names, leave_out))

    @property
    def history_from(self) -> int:
        """`history.from` in 100-ns ticks since 1970; 0 if the configuration does not say."""
        return self._settings.history_from

    @property
    def ahead(self) -> int:
        """A quarter of an hour beyond the source's now, in 100-ns ticks since 1970."""
        return self._plan().now() + _AHEAD

    @classmethod
    def _of(cls, settings: "_pilake.Settings") -> Source:
        """Of a configuration that was read already."""
        source = cls.__new__(cls)
        source._settings = settings
        source._planner = None
        return source

    def _cut(
        self, begin: int, end: int, partitions: int, at_once: int, names: list[str], web_ids: list[str]
    ) -> list[Partition]:
        parts = self._plan().plan(begin, end, names, web_ids, partitions, at_once)
        return [Partition(part) for part in parts]

    def _plan(self) -> "_pilake.Planner":
        if self._planner is None:
            self._planner = _pilake.Planner(self._settings)
        return self._planner
