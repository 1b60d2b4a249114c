# SPDX-License-Identifier: Apache-2.0
"""How far a table is behind the plant while `pilake stream` keeps it: 100,000 points, a tenth of them hot.

Counted from the moment an event is in the simulated archive until a committed version shows it to somebody else. When
the plant has stopped the table is compared with the truth, row for row. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from measure import MIB, Bars, Clock, Plant, Simulator, Site, cpu_seconds, finish, memory, utc
from drive import iso, ticks
from truth import check_versions, differences, read, visible

BEGINS = utc("2026-03-04T00:00:00Z")
STARTS = BEGINS + timedelta(minutes=2)
SECOND = 10_000_000  # ticks


@dataclass
class Watcher:
    """Reads the table's log as it grows, and notes of each event when it was seen first."""

    table: Path
    clock: Clock
    late: dict[str, list[np.ndarray]] = field(default_factory=lambda: {"hot": [], "cold": []})
    course: dict[str, list[tuple[int, np.ndarray]]] = field(default_factory=lambda: {"hot": [], "cold": []})
    versions: int = 0
    live_versions: int = 0
    files: int = 0
    since: int = 0  # ticks; older events are not counted
    newest: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        try:
            version = 0
            while not self.stopped.is_set():
                log = self.table / f"_delta_log/{version:020}.json"
                if not log.exists():
                    time.sleep(0.02)
                    continue
                seen = ticks(self.clock.reading())
                text = log.read_text()
                added = [json.loads(line)["add"]["path"] for line in text.splitlines() if line.startswith('{"add"')]
                for path in added:
                    self._take(path, seen)
                version += 1
                self.versions = version
                self.live_versions += '"STREAMING UPDATE"' in text
        except BaseException as error:  # noqa: BLE001  (told by the main thread)
            self.error = error

    def _take(self, path: str, seen: int) -> None:
        try:
            rows = pq.read_table(self.table / path, columns=["tag_name", "timestamp_100ns"])
        except FileNotFoundError:
            return  # replaced and vacuumed since
        self.files += 1
        names = rows["tag_name"].combine_chunks()
        names = names if hasattr(names, "indices") else pc.dictionary_encode(names)
        times = rows["timestamp_100ns"].to_numpy()
        known = np.array([self.newest.get(name, 0) for name in names.dictionary.to_pylist()], dtype=np.int64)
        which = names.indices.to_numpy(zero_copy_only=False)
        fresh = times > known[which]
        np.maximum.at(known, which[fresh], times[fresh])
        self.newest.update(zip(names.dictionary.to_pylist(), known.tolist()))
        is_hot = np.array([name.startswith("HOT") for name in names.dictionary.to_pylist()])[which]
        counted = fresh & (times >= self.since) & (times <= seen)
        for kind, mask in (("hot", is_hot), ("cold", ~is_hot)):
            late = (seen - times[counted & mask]) / SECOND
            self.late[kind].append(late)
            if len(late):
                self.course[kind].append((seen, late))

    def forget(self) -> None:
        """Counts from now on: what the start left out has come with the archive by then."""
        self.since = ticks(self.clock.reading())
        self.late = {"hot": [], "cold": []}
        self.course = {"hot": [], "cold": []}

    def percentiles_by_time(self, kind: str, step: int = 5) -> list[tuple[int, float, float]]:
        """Seconds since it began to count, and P50 and P99 of what was seen within each `step` of them."""
        steps: dict[int, list[np.ndarray]] = {}
        for seen, late in self.course[kind]:
            steps.setdefault((seen - self.since) // (step * SECOND) * step, []).append(late)
        return [(second, *(float(one) for one in np.percentile(np.concatenate(lates), (50, 99))))
                for second, lates in sorted(steps.items())]

    def percentiles(self, kind: str) -> tuple[float, float, int]:
        late = np.concatenate(self.late[kind]) if self.late[kind] else np.empty(0)
        if not len(late):
            return float("nan"), float("nan"), 0
        return float(np.percentile(late, 50)), float(np.percentile(late, 99)), len(late)


#: All of them, so that none outlives a bar that was missed.
STARTED: list[Live] = []


@dataclass
class Live:
    """A simulated plant, `pilake stream` beside it, and somebody who looks at the table."""

    folder: Path
    points: int
    tags: list[dict[str, Any]]
    stream: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    script: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.process: subprocess.Popen[bytes] | None = None
        STARTED.append(self)
        self.clock = Clock(self.folder / "clock", STARTS)
        self.plant = Plant("live", points=self.points, begins=BEGINS)
        self.flags = ["--poll-interval", "1s", *self.flags]
        if self.script:
            self.plant = self.plant.playing(self.folder / "script", *self.script)
        self.simulator = Simulator(self.plant, self.clock, self.folder, *self.flags)
        self.site = Site(self.folder / "site", self.simulator.url, BEGINS, self.clock, settle="30s", tail="current",
                         stream=self.stream)
        self.site.config["tags"] = self.tags
        self.site.config["source"].update(self.source)
        self.site.write()
        self.watcher = Watcher(self.site.table, self.clock)
        self.rss_max = 0

    def limit(self, budget: dict[str, int]) -> None:
        """From the next start on; before, there is no budget on this machine."""
        self.site.config["source"]["budget"] = budget
        self.site.write()

    def start(self) -> None:
        self.process = self.site.start("--json", command="stream")

    def until_live(self, seconds: float) -> float:
        """Until a version shows what was heard."""
        began, live = time.monotonic(), self.watcher.live_versions
        while self.watcher.live_versions == live:
            self._check()
            if time.monotonic() - began > seconds:
                sys.exit(f"nothing was heard within {seconds} s:\n{self.log()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def log(self) -> str:
        return (self.site.folder / "stream.log").read_text()

    def until_caught_up(self, seconds: float) -> float:
        began = time.monotonic()
        while "event=caught_up" not in self.log():
            self._check()
            if time.monotonic() - began > seconds:
                sys.exit(f"not caught up within {seconds} s:\n{self.log()}")
            time.sleep(0.2)
        return time.monotonic() - began

    def live(self, seconds: float) -> dict[str, float]:
        """So long the plant goes on; what the client costs meanwhile."""
        cpu, simulator = cpu_seconds(self.process.pid), cpu_seconds(self.simulator.pid)
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            self._check()
            time.sleep(min(1, seconds - elapsed))
        return {"cpu": (cpu_seconds(self.process.pid) - cpu) / seconds,
                "simulator_cpu": (cpu_seconds(self.simulator.pid) - simulator) / seconds}

    def _check(self) -> None:
        if self.watcher.error:
            raise self.watcher.error
        if self.process.poll() is not None:
            sys.exit(f"pilake stream ended with {self.process.returncode}:\n{self.log()}")
        self.rss_max = max(self.rss_max, memory(self.process.pid).get("VmHWM", 0))

    def equal_within(self, seconds: float) -> float:
        """The plant stops; how long until the table shows all that happened until then. Ends the program beyond that."""
        self.clock.freeze()
        until = ticks(self.clock.now)
        expected = visible(self.plant, self.clock.now, self.folder)
        expected = expected.filter(pc.less_equal(expected["timestamp_100ns"], until))
        names = self.tags[0]["include"][0].rstrip("*")
        if names:
            expected = expected.filter(pc.starts_with(expected["tag_name"], names))
        began = time.monotonic()
        self.clock.go(1)
        while True:
            self._check()
            table = read(self.site.table)
            table = table.filter(pc.less_equal(table["timestamp_100ns"], until))
            wrong = f"{len(table):,} rows instead of {len(expected):,}"
            if len(table) == len(expected):
                wrong = differences(table, expected.select(table.column_names))
            taken = time.monotonic() - began
            if not wrong:
                print(f"  equal to the truth, {len(expected):,} rows, {taken:.0f} s after")
                return taken
            if taken > seconds:
                sys.exit(f"not equal after {taken:.0f} s: {wrong}")
            time.sleep(5)

    def stop(self) -> tuple[dict[str, Any], float, dict[str, int]]:
        self.watcher.stopped.set()
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert self.process.wait(60) == 0, self.log()
        seconds = time.monotonic() - began
        return json.loads(self.log().splitlines()[-1]), seconds, self.simulator.stop()


    def end(self) -> None:
        """Whatever still runs of it."""
        self.watcher.stopped.set()
        if self.process:
            self.process.kill()
            self.process.wait()
        self.simulator.stop()


# On this machine there is none unless it is asked for.
DEFAULT_BUDGET = {"in_flight": 4, "calls_per_second": 25, "series_reads_per_second": 1000, "events_per_second": 50_000}
HOT = [{"include": ["HOT.*"], "hot": True}]
ALL = [{"include": ["*"]}, {"include": ["HOT.*"], "hot": True}]


def show(live: Live, cost: dict[str, float], bars: Bars, seconds: float) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for kind, p50_max, p99_max in (("hot", 2.5, 6.0), ("cold", 20.0, 45.0)):
        p50, p99, events = live.watcher.percentiles(kind)
        if not events:
            continue
        print(f"  {kind}: {events:,} events, {events / seconds:,.0f} a second")
        bars.at_most(f"{kind}: seconds behind, P50", p50, p50_max)
        bars.at_most(f"{kind}: seconds behind, P99", p99, p99_max)
        figures[kind] = {"p50": p50, "p99": p99, "events": events, "course": live.watcher.percentiles_by_time(kind)}
    print(f"  {'CPU of the client, of the simulator':<44} {cost['cpu']:>11.0%}   {cost['simulator_cpu']:.0%} of a core")
    print(f"  {'largest memory of the client':<44} {live.rss_max / MIB:>8,.0f} MiB")
    print(f"  {'versions, files seen':<44} {live.watcher.versions:>12,}   {live.watcher.files:,}")
    return figures | cost | {"rss_max": live.rss_max}


def measured(live: Live, caught_up_within: float, settling: float, seconds: float, bars: Bars) -> dict[str, Any]:
    """Starts, lets it catch up and come to rest, and watches so long."""
    live.clock.go(1)
    live.start()
    caught_up = live.until_caught_up(caught_up_within)
    print(f"  caught up after {caught_up:.0f} s")
    live.live(settling)
    live.watcher.forget()
    cost = live.live(seconds)
    return show(live, cost, bars, seconds) | {"caught_up": caught_up}


def compared(live: Live, within: float) -> dict[str, Any]:
    """The plant stops, and the table must become equal to it; then the stream stops, and what it asked is told."""
    equal_after = live.equal_within(within)
    summary, stopping, counted = live.stop()
    print(f"  stopped in {stopping:.1f} s; {summary}")
    print(f"  the server answered {counted['calls']:,} calls for {counted['series_reads']:,} series with "
          f"{counted['bytes']:,} bytes")
    return {"equal_after": equal_after, "asked": counted}


def hot_by_channels(folder: Path, points: int, seconds: float, bars: Bars) -> dict[str, Any]:
    print(f"\n{points // 10:,} hot points by channels, {points // 20:,} events a second, {seconds:.0f} s")
    live = Live(folder, points, HOT, stream={"channels": 200})
    figures = measured(live, 120, 5, seconds, bars)
    return figures | compared(live, 180)


def all_points(folder: Path, points: int, seconds: float, bars: Bars) -> dict[str, Any]:
    print(f"\n{points:,} points, a tenth hot, the default budget, {seconds:.0f} s")
    live = Live(folder, points, ALL, source={"budget": DEFAULT_BUDGET})
    figures = measured(live, 900, 60, seconds, bars)
    bars.at_most("MiB of the client", live.rss_max / MIB, 1024)
    bars.at_most("CPU of the client, of a core", figures["cpu"], 0.4)
    return figures | compared(live, 900)


def burst(folder: Path, points: int, bars: Bars) -> dict[str, Any]:
    """What an interface kept back for ten minutes comes within one: ten times as many events as usual."""
    print(f"\nburst: {points // 2:,} events a second for a minute")
    begins, ends = STARTS + timedelta(minutes=1), STARTS + timedelta(minutes=11)
    live = Live(folder, points, HOT, flags=["--pending-max", "2000", "--outgoing-max", "1048576"],
                script=[f"outage HOT.* from {iso(begins)} to {iso(ends)} buffered over 1m"])
    live.clock.set(STARTS, 1)
    live.start()
    live.until_caught_up(120)
    live.clock.freeze()
    live.clock.set(ends - timedelta(seconds=5), 1)
    cost = live.live(70)
    print(f"  {'CPU of the client, of the simulator':<44} {cost['cpu']:>11.0%}   {cost['simulator_cpu']:.0%} of a core")
    after = live.equal_within(300)
    bars.at_most("burst: seconds until all is in the table", after, 300)
    bars.at_most("burst: MiB of the client", live.rss_max / MIB, 1024)
    live.stop()
    return {"equal_after": after, "rss_max": live.rss_max}


def killed(folder: Path, points: int, kills: int, bars: Bars) -> dict[str, Any]:
    """Killed again and again while it is live: how soon hot points are shown again, and that nothing is lost."""
    print(f"\n{points:,} points, a tenth hot, the default budget, killed {kills} times")
    live = Live(folder, points, ALL)
    live.clock.go(1)
    live.start()
    live.until_caught_up(900)
    live.limit(DEFAULT_BUDGET)
    random = Random(1)
    live_after = []
    for _ in range(kills):
        time.sleep(random.uniform(0, 4))
        live.process.kill()
        live.process.wait()
        live.start()
        live_after.append(live.until_live(60))
    bars.at_most("killed: seconds until hot points are live, P50", float(np.median(live_after)), 10)
    bars.at_most("killed: seconds until hot points are live, most", max(live_after), 10)
    after = live.equal_within(180)
    bars.at_most("killed: seconds until all is caught up", after, 180)
    check_versions(live.site.table)
    live.stop()
    return {"live_after": live_after, "equal_after": after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="100,000 points instead of 20,000 where they are all heard of, "
                        "half an hour instead of a minute, a hundred kills instead of ten")
    parser.add_argument("--points", type=int, help="so many where they are all heard of")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 2, 3, 5], help="1 hot, 2 all, 3 burst, 5 killed")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--keep", help="do all in this folder and leave it there")
    options = parser.parse_args()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="pilake-live-"))
    bars, figures = Bars(), {}
    seconds, points, kills = (1800, 100_000, 100) if options.long else (60, 20_000, 10)
    points = options.points or points
    try:
        if 1 in options.rows:
            figures["hot"] = hot_by_channels(folder / "hot", 100_000, seconds, bars)
        if 2 in options.rows:
            figures["all"] = all_points(folder / "all", points, seconds, bars)
        if 3 in options.rows:
            figures["burst"] = burst(folder / "burst", 100_000, bars)
        if 5 in options.rows:
            figures["killed"] = killed(folder / "killed", points, kills, bars)
    finally:
        for live in STARTED:
            live.end()
        if not options.keep:
            shutil.rmtree(folder)
    finish(bars, figures, options.json)


if __name__ == "__main__":
    main()
