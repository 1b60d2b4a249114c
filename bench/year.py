# SPDX-License-Identifier: Apache-2.0
"""A year in which a thousand events came late, and as many were edited and deleted: `pilake verify` finds and repairs them.

What it has to find is computed from the simulator's truth before and after. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from measure import NOW, Bars, Clock, Plant, Simulator, Site, finish
from drive import iso, ticks
from truth import COLUMNS, KEY, differences, read, visible

REWRITTEN_TIMES = 3
RUNS_MAX = 3

# Masks of tags that have events enough to change, of the plants: all types at some density, and a wide one.
TAGS = {"mixed": ["M.*"], "wide": [f"W*{digit}.PV" for digit in range(9)]}
POINTS = {"mixed": 80, "wide": 500}

INSTANT = KEY[:2]
KINDS = ("missing", "changed", "gone")


@dataclass
class Scene:
    name: str
    verb: str
    flags: tuple[str, ...] = ()  # of `verify`
    marked: str = ""


SCENES = [
    Scene("late", "insert"),
    Scene("edited and marked", "edit"),
    Scene("edited without a mark", "edit", ("--deep",), "unmarked"),
    Scene("deleted", "delete"),
]
APART = timedelta(hours=6)
# Events younger than that are left alone: they may not be final yet.
YOUNG = timedelta(days=1)


class Log:
    """The commits of a table: what repairs wrote, and in place of what."""

    def __init__(self, table: Path):
        self._folder = table / "_delta_log"
        self._next = 0
        self._bytes: dict[str, int] = {}

    def read_on(self) -> tuple[int, int]:
        """Of the repairs since the last call that removed files: bytes that they wrote, and bytes of the files that
        were there before the first of them and are gone."""
        known, written, replaced = set(self._bytes), 0, 0
        while (file := self._folder / f"{self._next:020}.json").exists():
            self._next += 1
            actions = [json.loads(line) for line in file.read_text().splitlines()]
            added = {action["add"]["path"]: action["add"]["size"] for action in actions if "add" in action}
            removed = [action["remove"]["path"] for action in actions if "remove" in action]
            self._bytes |= added
            if removed and any(action.get("commitInfo", {}).get("operation") == "MERGE" for action in actions):
                written += sum(added.values())
                replaced += sum(self._bytes[name] for name in removed if name in known)
        return written, replaced


def rows_that_differ(was: pa.Table, now: pa.Table) -> dict[str, int]:
    """Rows of the instants at which two truths differ, as `verify` counts them."""
    shows = [name for name in COLUMNS.names if name not in KEY]

    def shown(rows: pa.Table) -> pa.Table:
        texts = (pc.fill_null(rows[name].cast(pa.string()), "\0") for name in shows)
        return rows.select(KEY).append_column("shown", pc.binary_join_element_wise(*texts, "\1"))

    was, now = shown(was), shown(now)
    here, there = now.join(was, was.column_names, join_type="left anti"), was.join(now, now.column_names, join_type="left anti")
    unlike = pa.concat_tables([here.select(INSTANT), there.select(INSTANT)]).group_by(INSTANT).aggregate([])
    was, now = (rows.join(unlike, INSTANT, join_type="left semi").select(INSTANT) for rows in (was, now))
    return dict(zip(KINDS, (len(now.join(was, INSTANT, join_type="left anti")),
                            len(now.join(was, INSTANT, join_type="left semi")),
                            len(was.join(now, INSTANT, join_type="left anti")))))


def verify(site: Site, *flags: str) -> dict[str, Any]:
    outcome = site.call("verify", "--json", "--test-clock", site.clock.path, *flags, timeout=3600)
    assert outcome.code in (0, 4), f"{outcome.code}\n{outcome.err[-2000:]}\n{outcome.out[:2000]}"
    said = json.loads(outcome.out.splitlines()[0])
    said["found"] = {kind: sum(one[kind] for one in said["different"]) for kind in KINDS}
    return said


class Year:
    def __init__(self, options: argparse.Namespace, folder: Path):
        begins = NOW - timedelta(days=options.days)
        masks = TAGS[options.plant]
        shares = [options.count * (n + 1) // len(masks) - options.count * n // len(masks) for n in range(len(masks))]
        events = f"events {iso(begins)} {iso(NOW - YOUNG)}"
        self.times = [NOW + APART * (n + 1) for n in range(len(SCENES))]
        lines = [f"{scene.verb} {mask} count {share} {events} at {iso(at)} seed {n} {scene.marked}"
                 for n, (scene, at) in enumerate(zip(SCENES, self.times), 1) for mask, share in zip(masks, shares)]
        self.folder = folder
        self.clock = Clock(folder / "clock", NOW)
        self.masks = masks
        self.plant = Plant(options.plant, points=options.points or POINTS[options.plant], begins=begins).playing(folder / "script", *lines)
        self.bars = Bars()
        self.figures: dict[str, Any] = {}

    def play(self) -> None:
        with Simulator(self.plant, self.clock, self.folder) as simulator:
            self.site = Site(self.folder / "site", simulator.url, self.plant.begins, self.clock, tail="current",
                             tags=[{"include": self.masks}])
            came = self.site.run()
            print(f"plant `{self.plant.name}`: {came['rows']:,} rows of {came['series']:,} points since {self.plant.begins:%F}, "
                  f"{came['files']} files of {came['bytes']:,} bytes")
            self.log = Log(self.site.table)
            self.log.read_on()
            self.truth = self._old_events()
            for scene, at in zip(SCENES, self.times):
                self._play(scene, at)
            self.site.run()
        self._compare()

    def _events(self, settled: bool = False) -> pa.Table:
        """All that the configured tags show."""
        events = visible(self.plant, self.clock.now, self.folder, settled)
        names = pc.unique(events["tag_name"]).to_pylist()
        wanted = pa.array([name for name in names if any(fnmatchcase(name, mask) for mask in self.masks)])
        return events.filter(pc.is_in(events["tag_name"], wanted)).select(COLUMNS.names)

    def _old_events(self) -> pa.Table:
        events = self._events()
        return events.filter(pc.less(events["timestamp_100ns"], ticks(NOW - YOUNG)))

    def _play(self, scene: Scene, at: datetime) -> None:
        self.clock.set(at + timedelta(minutes=1))
        was, self.truth = self.truth, self._old_events()
        due = rows_that_differ(was, self.truth)
        command = " ".join(["verify", *scene.flags])

        began = time.monotonic()
        said = verify(self.site, *scene.flags)
        found_in = time.monotonic() - began
        began = time.monotonic()
        verify(self.site, "--repair", *scene.flags)
        repaired_in = time.monotonic() - began
        runs = self._prove() if due["gone"] else 0
        written, replaced = self.log.read_on()
        left = verify(self.site, "--deep")["found"]

        print(f"\n{scene.name}: {', '.join(f'{due[kind]:,} rows {kind}' for kind in KINDS)}; `{command}` read {said['rows_read']:,} rows "
              f"in {said['calls']:,} calls and {found_in:.1f} s, with --repair {repaired_in:.1f} s")
        self.bars.at_most("rows not found, or told wrongly", sum(abs(said["found"][kind] - due[kind]) for kind in KINDS), 0)
        self.bars.at_most("rows that differ afterwards", sum(left.values()), 0)
        if due["gone"]:
            self.bars.at_most("runs, an hour apart, until all was proved", runs, RUNS_MAX)
        print(f"  {written:,} bytes written in place of files of {replaced:,}")
        if replaced:
            self.bars.at_most("bytes written, times those of the files", written / replaced, REWRITTEN_TIMES)
        self.figures[scene.name] = {"due": due, "found": said["found"], "left": left, "calls": said["calls"],
                                    "rows_read": said["rows_read"], "found_in": found_in, "repaired_in": repaired_in,
                                    "runs": runs, "written": written, "replaced": replaced}

    def _prove(self) -> int:
        """Runs, an hour apart, until nothing waits for its second look; how many."""
        for runs in range(1, RUNS_MAX + 1):
            self.clock.advance(minutes=61)
            self.site.run()
            if self.site.status()["looks"]["gone"] == 0:
                break
        return runs

    def _compare(self) -> None:
        """The table holds what the archive will show once everything has settled."""
        found = differences(read(self.site.table), self._events(settled=True))
        if found:
            raise SystemExit(f"WRONG ANSWER: {found}")
        print("\nanswer: the table equals the truth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plant", choices=TAGS, default="mixed")
    parser.add_argument("--points", type=int, default=0, help="by default some that make a few million rows")
    parser.add_argument("--days", type=float, default=365)
    parser.add_argument("--count", type=int, default=1_000, help="events of each kind")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilake-year-"))
    try:
        year = Year(options, folder)
        year.play()
    finally:
        shutil.rmtree(folder)
    finish(year.bars, year.figures, options.json)


if __name__ == "__main__":
    main()
