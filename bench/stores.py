# SPDX-License-Identifier: Apache-2.0
"""How fast a run is whose table is in an S3 gateway on this machine, against one whose table is on its disk.

Both tables are compared with the simulator's truth before any figure is printed. Runs take turns, the best of each
counts: what else the machine does slows single ones. Exits with 1 if the bar is missed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import answer
from measure import NOW, ROOT, SETTLE, Bars, Clock, Simulator, Site, finish, measure, plant_of_events

sys.path.insert(0, str(ROOT / "tests/company"))

from lakes import S3Lake, put_in  # noqa: E402

RATIO = 0.7


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--events", type=int, default=6_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json")
    args = options.parse_args()
    plant = plant_of_events(args.events)
    folder = Path(tempfile.mkdtemp(prefix="pilake-stores-"))
    lake = S3Lake(folder / "s3")
    speeds: dict[str, list[float]] = {"disk": [], "s3": []}
    bars = Bars()
    try:
        clock = Clock(folder / "clock", NOW)
        digests = answer.expected(plant, NOW, SETTLE)
        with Simulator(plant, clock, folder) as simulator:
            for number in range(args.rounds):
                for where in speeds:
                    site = Site(folder / f"{where}-{number}", simulator.url, plant.begins, clock)
                    if where == "s3":
                        put_in(site, lake)
                    cost = measure(site, simulator, "run", "--json")
                    table = lake.table(site.folder.name) if where == "s3" else site.table
                    answer.check(table, digests, lake.reader() if where == "s3" else None)
                    speeds[where].append(cost.json["rows"] / cost.seconds)
                    shutil.rmtree(site.folder)
        print(f"\nan S3 gateway against the disk of this machine: {digests.rows:,} rows, equal to the truth in each run")
        for where, each in speeds.items():
            print(f"  {where:<6} " + ", ".join(f"{speed:,.0f}" for speed in each) + " events a second")
        bars.at_least("the store's speed, part of the disk's", max(speeds["s3"]) / max(speeds["disk"]), RATIO)
    finally:
        lake.stop()
        shutil.rmtree(folder)
    finish(bars, {"events_per_second": speeds, "ratio": max(speeds["s3"]) / max(speeds["disk"])}, args.json)


if __name__ == "__main__":
    main()
