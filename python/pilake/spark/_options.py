# SPDX-License-Identifier: Apache-2.0
"""From the options of a Spark reader to a configuration and to what is asked of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .. import _pilake, _settings, _times
from ..errors import InvalidError
from ..source import Source

#: Options that are no keys of the configuration. Spark gives all names in lower case.
_OWN = {
    "config", "table", "start", "end", "partitions", "atonce", "leaveout", "secondlook",
    "maxeventspertrigger", "testclock",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What `spark.read.format("pilake")` was told. It travels to the executors, so texts such as
    ``${env:PI_PASSWORD}`` are replaced where they are needed and not before."""

    text: str = field(repr=False)  #: the configuration
    name: str  #: where it comes from, for messages
    table: str = "pi_timeseries"
    start: Optional[str] = None
    end: Optional[str] = None
    partitions: int = 8
    at_once: int = 0
    leave_out: bool = False
    second_look: Optional[int] = None  #: ticks
    events_max: int = 0  #: a trigger; 0: any number
    test_clock: str = ""

    def source(self) -> Source:
        """Reads the configuration. Raises `InvalidError` with all that is wrong with it."""
        return Source._of(self.settings(has_table=False))

    def settings(self, *, has_table: bool) -> "_pilake.Settings":
        return _pilake.Settings.parse(self.text, self.name, has_table, self.test_clock)


def read(options: Mapping[str, str]) -> Options:
    """Raises `InvalidError` for what cannot work."""
    own = {key: value for key, value in options.items() if key.lower() in _OWN}
    own = {key.lower(): value for key, value in own.items()}
    keys = {key.lower(): value for key, value in options.items() if key.lower() not in _OWN}
    keys.pop("path", None)  # which Spark adds by itself
    text, name = _configuration(own.get("config"), keys)
    table = own.get("table", "pi_timeseries")
    if table not in ("pi_timeseries", "pi_points", "pi_digital_states"):
        raise InvalidError(f"option table: there is no table '{table}'; there are pi_timeseries, "
                           "pi_points and pi_digital_states")
    for key in ("start", "end"):
        if key in own:
            _checked(key, own[key], _times.ticks)
    second_look = own.get("secondlook", "none")
    return Options(
        text=text,
        name=name,
        table=table,
        start=own.get("start"),
        end=own.get("end"),
        partitions=_number("partitions", own, 8, 1),
        at_once=_number("atOnce", own, 0, 0),
        leave_out=_truth("leaveOut", own),
        second_look=None if second_look == "none" else _checked("secondLook", second_look, _times.span),
        events_max=_number("maxEventsPerTrigger", own, 0, 0),
        test_clock=own.get("testclock", ""),
    )


def _configuration(path: Optional[str], keys: Mapping[str, str]) -> tuple[str, str]:
    if path is None:
        return json.dumps(_settings.nested(keys)), "options"
    if keys:
        raise InvalidError(f"option {next(iter(keys))}: with the option config, everything else "
                           f"stands in that file ({path})")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(), os.path.abspath(path)
    except OSError as error:
        raise InvalidError(f"option config: {path} cannot be read: {error.strerror}") from error


def _checked(name: str, value: str, read: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise InvalidError(f"option {name}: {error}") from error


def _number(name: str, own: Mapping[str, str], otherwise: int, least: int) -> int:
    text = own.get(name.lower())
    if text is None:
        return otherwise
    if not text.isdigit() or int(text) < least:
        raise InvalidError(f"option {name}: '{text}' is no whole number from {least}")
    return int(text)


def _truth(name: str, own: Mapping[str, str]) -> bool:
    text = own.get(name.lower(), "false").lower()
    if text not in ("true", "false"):
        raise InvalidError(f"option {name}: '{text}' is neither true nor false")
    return text == "true"
