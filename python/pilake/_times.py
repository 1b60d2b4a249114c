# SPDX-License-Identifier: Apache-2.0
"""Times and spans as the core counts them: 100-ns ticks, since 1970 in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Union

#: A `datetime` (naive ones are UTC), or ISO 8601 text; without an offset it is UTC.
Time = Union[datetime, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = {"ms": 10_000, "s": 10_000_000, "m": 600_000_000, "h": 36_000_000_000, "d": 864_000_000_000}


def ticks(time: Time) -> int:
    """`time` in ticks. Digits beyond 100 ns in a text are cut."""
    if isinstance(time, datetime):
        aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 10
    whole, fraction = _split(time)
    return ticks(whole) + fraction


def _split(text: str) -> tuple[datetime, int]:
    """The whole seconds of an ISO text, and the rest in ticks."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?",
                         text.strip())
    if not found:
        raise ValueError(f"'{text}' is no time such as 2026-01-31 or 2026-01-31T12:30:00Z")
    moment, digits, offset = found.groups()
    if offset and offset != "Z" and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    whole = datetime.fromisoformat(moment + ("+00:00" if offset in (None, "Z") else offset))
    return whole, int((digits or "0")[:7].ljust(7, "0"))


def moment(at: int) -> datetime:
    """Ticks as a `datetime` in UTC, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=at // 10)


def span(text: str) -> int:
    """`250ms`, `30s`, `10m`, `36h` or `7d` in ticks."""
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text.strip())
    if not found:
        raise ValueError(f"'{text}' is no span such as 30s, 10m, 36h or 7d")
    return int(found[1]) * _UNITS[found[2]]
