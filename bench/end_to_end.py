# SPDX-License-Identifier: Apache-2.0
"""Speed of a whole run: a simulator in one process, `pilake run` in another, a table on disk.

The table is compared with the simulator's truth before any figure is printed. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import answer
from measure import MIB, NOW, SETTLE, Bars, Clock, Cost, Plant, Simulator, Site, finish, measure, plant_of_events

EVENTS_PER_SECOND = {"plain": 700_000, "gzip": 450_000}
CPU_SECONDS_PER_MILLION = 1.4
BYTES_PER_ROW = 9


@dataclass
class Stage:
    """What a stage alone achieves: bench/stages_bench.cc."""

    events_per_second: float
    cpu_seconds_per_million: float


def read_stages(file: str | None) -> dict[str, Stage]:
    if not file:
        return {}
    stages = {}
    for run in json.loads(Path(file).read_text())["benchmarks"]:
        assert run["time_unit"] == "ms"
        millions = run["items_per_second"] * run["real_time"] / 1e3 / 1e6
        name = run["name"].split("/min_time")[0]
        stages[name] = Stage(run["items_per_second"], run["cpu_time"] / 1e3 / millions)
    return stages


def limit(stages: dict[str, Stage], mode: str) -> float:
    """Events a second if both cores did nothing but the stages' work, without a moment's waiting."""
    suffix = "/gzip" if mode == "gzip" else ""
    cpu = (sum(stages[name].cpu_seconds_per_million
               for name in ("simulator" + suffix, "http" + suffix, "decode", "parquet"))
           # Bytes cross a socket once, but are in the figures of the simulator and of HTTP.
           - stages["socket" + suffix].cpu_seconds_per_million)
    return (os.cpu_count() or 1) * 1e6 / cpu


def figures_of(cost: Cost, site: Site) -> dict[str, Any]:
    rows = cost.json["rows"]
    table_bytes = sum(file.stat().st_size for file in site.table.glob("**/*.parquet") if "_delta_log" not in file.parts)
    return {
        "rows": rows,
        "seconds": cost.seconds,
        "events_per_second": rows / cost.seconds,
        "cpu_seconds_per_million": cost.cpu_seconds / rows * 1e6,
        "simulator_cpu_seconds_per_million": cost.simulator_cpu_seconds / rows * 1e6,
        "bytes_per_row": table_bytes / rows,
        "wire_bytes_per_event": cost.json["wire_bytes"] / rows,
        "rss_max": cost.rss_max,
        "calls": cost.json["calls"],
        "commits": cost.json["commits"],
    }


def show(mode: str, figures: dict[str, Any], stages: dict[str, Stage], bars: Bars) -> None:
    print(f"\nend to end, {mode}: {figures['rows']:,} rows in {figures['seconds']:.1f} s, {figures['calls']} calls, "
          f"{figures['commits']} commits, {figures['wire_bytes_per_event']:.1f} bytes an event on the wire")
    bars.at_least("events a second", figures["events_per_second"], EVENTS_PER_SECOND[mode])
    bars.at_most("CPU seconds of the client a million events", figures["cpu_seconds_per_million"],
                 CPU_SECONDS_PER_MILLION)
    bars.at_most("bytes a row in the table", figures["bytes_per_row"], BYTES_PER_ROW)
    print(f"  {'CPU seconds of the simulator a million events':<44} "
          f"{figures['simulator_cpu_seconds_per_million']:>11.3g}")
    print(f"  {'largest memory of the client':<44} {figures['rss_max'] / MIB:>8,.0f} MiB")
    if not stages:
        return
    both_cores = limit(stages, mode)
    figures["limit_events_per_second"] = both_cores
    print(f"  {'of what the stages alone would need':<44} {figures['events_per_second'] / both_cores:>12.0%}   "
          f"{both_cores:,.0f} events/s")
    for name, stage in stages.items():
        if name.endswith("/gzip") == (mode == "gzip") or name in ("decode", "parquet"):
            print(f"    of the stage {name:<32} {figures['events_per_second'] / stage.events_per_second:>11.0%}   "
                  f"{stage.events_per_second:,.0f} events/s, {stage.cpu_seconds_per_million:.2f} CPU s a million")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000, help="about so many")
    parser.add_argument("--modes", nargs="+", choices=EVENTS_PER_SECOND, default=list(EVENTS_PER_SECOND))
    parser.add_argument("--stages", help="what stages_bench wrote")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--no-check", action="store_true", help="for profiling: do not compare the table")
    options = parser.parse_args()

    plant = plant_of_events(options.events)
    stages = read_stages(options.stages)
    folder = Path(tempfile.mkdtemp(prefix="pilake-bench-"))
    try:
        run(options, plant, stages, folder)
    finally:
        shutil.rmtree(folder)


def run(options: argparse.Namespace, plant: Plant, stages: dict[str, Stage], folder: Path) -> None:
    span = NOW - SETTLE - plant.begins
    print(f"plant `{plant.name}`: {plant.points} points of Float32, 10 events a second each, {span} of history; "
          f"{os.cpu_count()} cores, simulator included")
    clock = Clock(folder / "clock", NOW)
    runs = {}
    for mode in options.modes:
        # A simulator of its own, so that no mode finds another one's memory warm.
        with Simulator(plant, clock, folder) as simulator:
            site = Site(folder / mode, simulator.url, plant.begins, clock)
            site.config["source"]["gzip"] = "on" if mode == "gzip" else "off"
            site.write()
            runs[mode] = (measure(site, simulator, "run", "--json"), site)

    if not options.no_check:
        truth_digests = answer.expected(plant, NOW, SETTLE)
        for _, site in runs.values():
            answer.check(site.table, truth_digests)
        print(f"answer: {truth_digests.rows:,} rows of {len(truth_digests.by_series)} series equal the truth")

    bars = Bars()
    figures: dict[str, Any] = {"plant": plant.name, "points": plant.points, "span_seconds": span.total_seconds()}
    for mode, (cost, site) in runs.items():
        figures[mode] = figures_of(cost, site)
        show(mode, figures[mode], stages, bars)
    figures["stages"] = {name: vars(stage) for name, stage in stages.items()}
    finish(bars, figures, options.json)


if __name__ == "__main__":
    main()
