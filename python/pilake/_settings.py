# SPDX-License-Identifier: Apache-2.0
"""From what people write as a configuration to what the core reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union

from . import _pilake
from .errors import InvalidError

#: Keys that hold lists; in one text, a JSON list or words between commas.
_LISTS = {"tags.include", "tags.exclude", "tags.points", "tags.web_ids", "trust.ca"}

#: A path to a YAML file, or the same keys as a mapping.
Config = Union[str, "os.PathLike[str]", Mapping[str, Any]]


def load(config: Config, *, has_table: bool, test_clock: str = "") -> "_pilake.Settings":
    """Reads and checks a configuration. Raises `InvalidError` with all that is wrong with it."""
    if isinstance(config, Mapping):
        # JSON is YAML, too. Relative paths in it are meant from the working directory.
        return _pilake.Settings.parse(json.dumps(config), "config", has_table, test_clock)
    path = os.fspath(config)
    if has_table:
        return _pilake.Settings.load(path, test_clock)
    try:
        with open(path, encoding="utf-8") as file:
            return _pilake.Settings.parse(file.read(), path, has_table, test_clock)
    except FileNotFoundError:
        return _pilake.Settings.load(path, test_clock)  # which says what to do


def nested(keys: Mapping[str, str]) -> dict[str, Any]:
    """`{"source.url": …}` as a configuration; `tags.…` are the keys of one group."""
    tree: dict[str, Any] = {}
    for path, value in keys.items():
        *sections, word = path.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[word] = _list(path, value) if path in _LISTS else value
    if "tags" in tree:
        tree["tags"] = [tree["tags"]]
    return tree


def _list(path: str, value: str) -> list[str]:
    if not value.lstrip().startswith("["):
        return [word.strip() for word in value.split(",") if word.strip()]
    try:
        return json.loads(value)
    except ValueError as error:
        raise InvalidError(f"option {path}: is no JSON list: {error}") from error
