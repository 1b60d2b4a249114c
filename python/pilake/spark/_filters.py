# SPDX-License-Identifier: Apache-2.0
"""Conditions that Spark lets a source know of, as far as they narrow what is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

from .. import _times

_TICKS = "timestamp_100ns"
_MICRO = 10


@dataclass
class Narrowing:
    """Never excludes a row that the conditions accept: Spark applies them again to what comes."""

    begin: Optional[int] = None  #: ticks
    end: Optional[int] = None  #: ticks, not included
    names: list[str] = field(default_factory=list)  #: masks
    web_ids: list[str] = field(default_factory=list)

    def add(self, conditions: Iterable[Any]) -> None:
        """Conditions that all must hold, as pyspark.sql.datasource has them."""
        for one in conditions:
            column = one.attribute[0] if len(getattr(one, "attribute", ())) == 1 else None
            kind = type(one).__name__
            if column in ("tag_name", "tag_webid"):
                self._add_text(column, kind, getattr(one, "value", None))
            elif column in ("timestamp", _TICKS):
                self._add_time(column, kind, getattr(one, "value", None))

    def _add_text(self, column: str, kind: str, value: Any) -> None:
        if kind in ("EqualTo", "EqualNullSafe") and isinstance(value, str):
            texts = [_literally(value) if column == "tag_name" else value]
        elif kind == "In":
            texts = [_literally(one) if column == "tag_name" else one for one in value if one is not None]
        elif kind == "StringStartsWith" and column == "tag_name":
            texts = [_literally(value) + "*"]
        else:
            return
        held = self.names if column == "tag_name" else self.web_ids
        if not held:  # a second condition narrows further; one of them is enough here
            held.extend(texts)

    def _add_time(self, column: str, kind: str, value: Any) -> None:
        if column == _TICKS:
            if not isinstance(value, int):
                return
            first, behind = value, value + 1
        else:
            if not isinstance(value, datetime):
                return
            # The column is cut to microseconds: all ticks of the microsecond are meant.
            first = _times.ticks(value)
            behind = first + _MICRO
        if kind in ("EqualTo", "EqualNullSafe", "GreaterThanOrEqual"):
            self.begin = first if self.begin is None else max(self.begin, first)
        if kind == "GreaterThan":
            self.begin = behind if self.begin is None else max(self.begin, behind)
        if kind in ("EqualTo", "EqualNullSafe", "LessThanOrEqual"):
            self.end = behind if self.end is None else min(self.end, behind)
        if kind == "LessThan":
            self.end = first if self.end is None else min(self.end, first)


def _literally(name: str) -> str:
    """The mask that means just this name."""
    return "".join("\\" + char if char in "\\*?[]" else char for char in name)
