# SPDX-License-Identifier: Apache-2.0
"""How near `pilake plan` comes on a plant of which few points have most events and half are dead. Exits with 1 if a bar is missed."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from measure import NOW, Bars, Clock, Plant, Simulator, Site, finish

OFF = 0.20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2_000)
    parser.add_argument("--days", type=float, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    bars = Bars()
    figures = []
    for seed in range(1, options.seeds + 1):
        folder = Path(tempfile.mkdtemp(prefix="pilake-forecast-"))
        try:
            plant = Plant("heavy", points=options.points, seed=seed, begins=NOW - timedelta(days=options.days))
            clock = Clock(folder / "clock", NOW)
            with Simulator(plant, clock, folder) as simulator:
                site = Site(folder / "site", simulator.url, plant.begins, clock, tail="current")
                outcome = site.call("plan", "--json", "--test-clock", clock.path)
                assert outcome.code == 0, outcome.err
                assert not site.table.exists(), "a plan makes no table"
                said, came = outcome.json, site.run()
        finally:
            shutil.rmtree(folder)
        print(f"\nseed {seed}: {came['rows']:,} rows of {options.points:,} points, "
              f"{sum(group['silent'] for group in said['groups']):,} of them silent; reckoned from "
              f"{said['sampled_events']:,} events")
        for name in ("rows", "series_reads", "calls", "events_read"):
            off = said[name] / came[name] - 1
            figures.append({"seed": seed, "what": name, "said": said[name], "came": came[name]})
            bars.at_most(f"{name}: {said[name]:,} said, {came[name]:,} came; off by", abs(off), OFF)
    finish(bars, {"figures": figures}, options.json)


if __name__ == "__main__":
    main()
