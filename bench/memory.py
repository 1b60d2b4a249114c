# SPDX-License-Identifier: Apache-2.0
"""Memory of a run: how large it becomes, whether it grows with events, and what a series costs.

Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

import answer
from measure import MIB, NOW, SETTLE, Bars, Clock, Cost, Plant, Simulator, Site, finish, measure, plant_of_events

RSS_MIB = 1024
MB_PER_10_MILLION_EVENTS = 1.0
# Buffers come and go by tens of MB; a short run cannot tell less than this from their wobble, but the rows themselves
# would be several hundred.
MB_PER_10_MILLION_EVENTS_SHORT = 100.0
KB_PER_SERIES = 1.5


def run(plant: Plant, folder: Path, *flags: object) -> tuple[Cost, Site]:
    folder.mkdir()
    clock = Clock(folder / "clock", NOW)
    with Simulator(plant, clock, folder) as simulator:
        site = Site(folder / "site", simulator.url, plant.begins, clock)
        return measure(site, simulator, "run", "--json", *flags), site


def check(site: Site, plant: Plant, cost: Cost) -> None:
    digests = answer.expected(plant, NOW, SETTLE)
    answer.check(site.table, digests)
    print(f"  answer: {cost.json['rows']:,} rows of {len(digests.by_series):,} series equal the truth")


def growth(cost: Cost) -> float:
    """Bytes that memory grows by an event, fitted over the second half of the run."""
    times, sizes = np.array(cost.rss).T
    late = times > times[-1] / 2
    per_second = np.polyfit(times[late], sizes[late], 1)[0]
    return per_second * cost.seconds / cost.json["rows"]


def of_events(is_short: bool, folder: Path, bars: Bars) -> dict[str, Any]:
    plant = plant_of_events(10_000_000 if is_short else 100_000_000)
    print(f"\nmemory of a run over many events of {plant.points} points")
    # Ten files or more, so that all that comes with a file has happened before the fit begins.
    cost, site = run(plant, folder / "events", *(["--rows-per-shard", "1000000"] if is_short else []))
    check(site, plant, cost)
    shutil.rmtree(folder / "events")
    slope = growth(cost) * 10e6 / 1e6
    bars.at_most("largest memory, MiB", cost.rss_max / MIB, RSS_MIB)
    bars.at_most("growth, MB in 10 million events", slope,
                 MB_PER_10_MILLION_EVENTS_SHORT if is_short else MB_PER_10_MILLION_EVENTS)
    return {"rows": cost.json["rows"], "rss_max": cost.rss_max, "mb_per_10_million": slope, "rss": cost.rss}


def of_series(few: int, many: int, folder: Path, bars: Bars) -> dict[str, Any]:
    print(f"\nmemory of a series: runs over {few:,} and {many:,} points of plant `wide`")
    rss_max = {}
    for points in (few, many):
        # As many events in both, so that what a file and the queues hold is the same.
        span = timedelta(hours=12) * many / points
        plant = Plant("wide", points=points, begins=NOW - SETTLE - span)
        cost, site = run(plant, folder / f"series-{points}")
        check(site, plant, cost)
        rss_max[points] = cost.rss_max
        print(f"  {points:,} series, {cost.json['rows']:,} rows in {cost.seconds:.1f} s: {cost.rss_max / MIB:,.0f} MiB")
    per_series = (rss_max[many] - rss_max[few]) / (many - few) / 1e3
    bars.at_most("memory of a series, KB", per_series, KB_PER_SERIES)
    return {"rss_max": rss_max, "kb_per_series": per_series}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="10 million events instead of 100 million")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    bars = Bars()
    folder = Path(tempfile.mkdtemp(prefix="pilake-memory-"))
    try:
        figures = {"events": of_events(options.short, folder, bars),
                   "series": of_series(10_000, 100_000, folder, bars)}
    finally:
        shutil.rmtree(folder)
    finish(bars, figures, options.json)


if __name__ == "__main__":
    main()
