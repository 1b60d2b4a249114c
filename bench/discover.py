# SPDX-License-Identifier: Apache-2.0
"""Time and memory of `pilake discover` over a very large plant. Exits with 1 if a bar is missed."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from measure import MIB, NOW, Bars, Clock, Plant, Simulator, Site, finish, measure

SECONDS = 10
RSS_MIB = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilake-discover-"))
    try:
        plant = Plant("wide", points=options.points, begins=NOW - timedelta(days=1))
        clock = Clock(folder / "clock", NOW)
        with Simulator(plant, clock, folder) as simulator:
            site = Site(folder / "site", simulator.url, plant.begins, clock)
            cost = measure(site, simulator, "discover", "--json")
    finally:
        shutil.rmtree(folder)

    points = [json.loads(line) for line in cost.out.splitlines()]
    names = [point["tag"] for point in points]
    right = (sorted(names) == [f"W{n:07}.PV" for n in range(options.points)]
             and len({point["webid"] for point in points}) == options.points
             and {point["type"] for point in points} == {"Float32", "Int32", "Digital"})
    if not right:
        raise SystemExit(f"WRONG ANSWER: {len(points):,} points listed, {options.points:,} there are")
    print(f"\n{options.points:,} points of plant `wide` listed and resolved, all of them right")
    bars = Bars()
    bars.at_most("seconds", cost.seconds, SECONDS)
    bars.at_most("largest memory, MiB", cost.rss_max / MIB, RSS_MIB)
    finish(bars, {"points": len(points), "seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds,
                  "rss_max": cost.rss_max}, options.json)


if __name__ == "__main__":
    main()
