# SPDX-License-Identifier: Apache-2.0
"""A Delta table that is kept equal to a PI System."""

from __future__ import annotations

import json
from typing import Any

from . import _pilake, _settings
from ._settings import Config


class Table:
    """The table of a configuration, with all that `pilake run` and `pilake status` do.

        table = pilake.Table("plant.yaml")
        report = table.run()
        print(report["rows"], table.status()["covered_through_newest"])

    `config` is the path of a YAML file or a mapping with the same keys.
    """

    def __init__(self, config: Config, *, test_clock: str = "") -> None:
        self._settings = _settings.load(config, has_table=True, test_clock=test_clock)

    def run(self, *, allow_deletes: bool = False, accept_vanished: bool = False) -> dict[str, Any]:
        """Makes the table equal to the archive up to now and returns what it did, as
        ``pilake run --json`` prints it. Safe to repeat, to interrupt and to run twice at once.

        Points that could not be read are named in ``quarantined``, ``held`` and ``unresolved``;
        the others are complete. Raises what `pilake.errors` has.
        """
        return json.loads(_pilake.run(self._settings, allow_deletes, accept_vanished, None, 0, 0))

    def status(self) -> dict[str, Any]:
        """What the table holds and covers, as ``pilake status --json`` prints it. Asks the table
        alone. Raises `MissingError` if there is none."""
        return json.loads(_pilake.status(self._settings))
