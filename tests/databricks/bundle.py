# SPDX-License-Identifier: Apache-2.0
"""The Asset Bundle as the Databricks CLI would read it, as far as that can be told without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from drive import ROOT

FOLDER = ROOT / "databricks"
#: What the CLI interpolates.
REFERENCE = re.compile(r"\$\{([a-zA-Z][\w.-]*)\}")
#: What only a workspace knows.
GIVEN = {"workspace.host": "https://adb-1.azuredatabricks.net", "workspace.file_path": "/Workspace/pilake/files",
         "bundle.name": "pilake", "resources.pipelines.events.id": "1-2-3"}


def merge(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {key: merge(base.get(key), over[key]) if key in over and key in base else over.get(key, base.get(key))
            for key in [*base, *(key for key in over if key not in base)]}


def files() -> list[Path]:
    """databricks.yml and all that it includes."""
    root = FOLDER / "databricks.yml"
    included = yaml.safe_load(root.read_text())["include"]
    return [root, *sorted(path for mask in included for path in FOLDER.glob(mask))]


class Bundle:
    """One target of the bundle; `variables` as by `--var`."""

    def __init__(self, target: str, **variables: str):
        self.target = target
        self.tree: dict[str, Any] = {}
        for file in files():
            self.tree = merge(self.tree, yaml.safe_load(file.read_text()))
        over = dict(self.tree["targets"][target])
        self.mode = over.pop("mode")
        over.pop("default", None)
        self._values = {name: text["default"] for name, text in self.tree["variables"].items()}
        unknown = (set(over.get("variables", {})) | set(variables)) - set(self._values)
        assert not unknown, f"variables that are not declared: {unknown}"
        self._values |= over.pop("variables", {}) | variables
        self.tree = merge(self.tree, over)
        self.used: set[str] = set()
        self.resources: dict[str, dict[str, Any]] = self._resolved(self.tree["resources"])

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {key: self._resolved(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._resolved(value) for value in node]
        if not isinstance(node, str):
            return node
        if whole := REFERENCE.fullmatch(node):
            return self._value(whole[1])  # which may be a number
        return REFERENCE.sub(lambda found: str(self._value(found[1])), node)

    def _value(self, path: str) -> Any:
        self.used.add(path)
        if path.startswith("var."):
            return self._resolved(self._values[path.removeprefix("var.")])
        if path == "bundle.target":
            return self.target
        if path in GIVEN:
            return GIVEN[path]
        place: Any = self.tree
        for word in path.split("."):
            assert isinstance(place, dict) and word in place, f"${{{path}}} leads nowhere"
            place = place[word]
        return self._resolved(place)

    def tasks(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Name of the job, the job, and each of its tasks."""
        for name, job in self.resources["jobs"].items():
            for task in job["tasks"]:
                yield name, job, task

    def task(self, job: str, key: str) -> dict[str, Any]:
        return next(task for name, _, task in self.tasks() if name == job and task["task_key"] == key)


def words(node: Any) -> Iterator[tuple[str, str]]:
    """Every text of a tree, with the key that it stands under."""
    if isinstance(node, dict):
        for key, value in node.items():
            for found, text in words(value):
                yield found or key, text
    elif isinstance(node, list):
        for value in node:
            yield from words(value)
    elif isinstance(node, str):
        yield "", node
