# SPDX-License-Identifier: Apache-2.0
"""What looks cost beside the runs that make them: a run each hour for a month at a plant to which things happen.

Reads of series and events, those for looks beside all others, and their quotient. The table is compared with the truth
at the end. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from measure import NOW, Bars, Clock, Plant, Simulator, Site, finish
from drive import iso
from truth import check_all

LOOKS_TO_THE_REST = 2.0


def script(dice: random.Random, begins: datetime, days: float) -> list[str]:
    """Late and edited events each day; now and then an outage whose data comes back, or a queue."""

    def moment(day: float, hours: float) -> str:
        return iso(begins + timedelta(days=day) + timedelta(hours=hours))

    lines = []
    for day in range(1, int(days) - 3):
        lines.append(f"insert * count 20 events {moment(day, 1)} {moment(day, 20)} at {moment(day + 1, dice.uniform(0, 12))}")
        lines.append(f"edit * count 10 events {moment(day, 1)} {moment(day, 20)} at {moment(day + 1, dice.uniform(0, 12))}")
        begin = dice.uniform(2, 14)
        what = f"M.* from {moment(day, begin)} to {moment(day, begin + dice.uniform(0.5, 3))}"
        if day % 3 == 0:
            lines.append(f'outage {what} state "I/O Timeout" buffered over 5m')
        if day % 5 == 0:
            lines.append(f"queue {what} lag 20m")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--hours", type=float, default=1, help="from run to run")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilake-looks-"))
    try:
        begins = NOW - timedelta(days=1)
        plant = Plant("mixed", points=options.points, begins=begins)
        plant = plant.playing(folder / "script", *script(random.Random(1), begins, options.days))
        clock = Clock(folder / "clock", NOW)
        total = Counter()
        with Simulator(plant, clock, folder) as simulator:
            site = Site(folder / "site", simulator.url, begins, clock, tail="current")
            site.run()  # the backfill is not compared with
            for _ in range(round(options.days * 24 / options.hours)):
                clock.advance(hours=options.hours)
                came = site.run()
                for name in ("rows", "series_reads", "events_read", "looks", "look_reads", "look_events", "rows_added_late",
                             "rows_changed"):
                    total[name] += came[name]
            check_all(site.table, plant, clock.now, site.begins)
        bars = Bars()
        reads, events = total["series_reads"] - total["look_reads"], total["events_read"] - total["look_events"]
        print(f"\n{options.days:g} days, {options.points} points: {total['rows']:,} rows; {total['looks']:,} looks found "
              f"{total['rows_added_late']:,} late and {total['rows_changed']:,} edited rows; {reads:,} series reads and {events:,} "
              f"events for what was new, {total['look_reads']:,} and {total['look_events']:,} for looks")
        bars.at_most("series reads of looks to those of the rest", total["look_reads"] / reads, LOOKS_TO_THE_REST)
        bars.at_most("events of looks to those of the rest", total["look_events"] / events, LOOKS_TO_THE_REST)
    finally:
        shutil.rmtree(folder)
    finish(bars, dict(total), options.json)


if __name__ == "__main__":
    main()
