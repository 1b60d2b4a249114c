# SPDX-License-Identifier: Apache-2.0
"""What `pilake verify` asks of the historian for a month of many points, counted and, of a part, row by row. Exits with 1 if a bar is missed."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from measure import NOW, Bars, Clock, Plant, Simulator, Site, finish, measure

SCANNED_A_CALL = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--plant", default="wide")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilake-verify-"))
    try:
        plant = Plant(options.plant, points=options.points, begins=NOW - timedelta(days=options.days))
        clock = Clock(folder / "clock", NOW)
        with Simulator(plant, clock, folder) as simulator:
            budget = {"calls_per_second": 0, "series_reads_per_second": 0, "events_per_second": 0}
            site = Site(folder / "site", simulator.url, plant.begins, clock,
                        source={"name": "plant1", "url": simulator.url, "budget": budget})
            came = site.run()
        figures, bars = {}, Bars()
        for depth in ("counts", "rows"):
            with Simulator(plant, clock, folder) as simulator:
                site.config["source"]["url"] = simulator.url
                site.write()
                flags = ["--deep"] if depth == "rows" else []
                cost = measure(site, simulator, "verify", "--json", "--test-clock", clock.path, *flags)
                said, served = json.loads(cost.out), simulator.stop()
            if said["rows"] != came["rows"] or said["different"]:
                raise SystemExit(f"WRONG ANSWER: {said['rows']:,} rows compared of {came['rows']:,}")
            print(f"\n{depth}: {said['rows']:,} rows of {said['series']:,} series equal, {said['rows_read']:,} of them read; "
                  f"{said['calls']:,} calls, {served.get('scanned', 0):,} events scanned and {served['events']:,} delivered by "
                  f"the server in {cost.seconds:.1f} s")
            figures[depth] = {"rows": said["rows"], "calls": said["calls"], "served": served, "seconds": cost.seconds}
            if depth == "counts":
                bars.at_most("events scanned a call, on average", served.get("scanned", 0) / said["calls"], SCANNED_A_CALL)
        ratio = figures["rows"]["served"]["bytes"] / max(1, figures["counts"]["served"]["bytes"])
        bars.at_least("fewer bytes than row by row, times", ratio, 10)
    finally:
        shutil.rmtree(folder)
    finish(bars, figures, options.json)


if __name__ == "__main__":
    main()
