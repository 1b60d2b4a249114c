# SPDX-License-Identifier: Apache-2.0
"""The tail: rows that are not final are visible at once, and no version shows a row twice."""

import os
from datetime import timedelta

import pytest
from deltalake import DeltaTable

import pyarrow.compute as pc

from drive import Plant, iso, utc
from truth import KEY, check_all

MIXED = Plant("mixed")
SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))


def check_every_version(path, step: int = 1) -> int:
    """No version holds a key twice; how many versions there are."""
    newest = DeltaTable(str(path)).version()
    for version in range(0, newest + 1, step):
        rows = DeltaTable(str(path), version=version).to_pyarrow_table(columns=KEY)
        keys = rows.group_by(KEY).aggregate([([], "count_all")])
        assert len(keys) == len(rows), f"version {version} holds {len(rows) - len(keys)} rows twice"
    return newest + 1


@pytest.mark.parametrize("transport", ["by shape", "single", "set", "batch"])
def test_a_mixed_plant_arrives_with_all_that_can_be_seen(simulate, site, clock, transport):
    here = site(simulate(MIXED), tail="current")
    here.run(*([] if transport == "by shape" else ["--transport", transport]))
    check_all(here.table, MIXED, clock.now, here.begins)
    check_every_version(here.table)


def test_each_run_shows_what_can_be_seen_then_and_nothing_twice(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    for minutes in (0, 0, 1, 1, 2, 17, 61, 5, 1500, 1):
        clock.advance(minutes=minutes)
        here.run()
        check_all(here.table, SMALL, clock.now, here.begins)
    assert check_every_version(here.table) > 8


# A day of runs by the minute takes some minutes; a part of it shows the same.
MINUTES = int(os.environ.get("PILAKE_TAIL_MINUTES", "90"))


def test_a_run_each_minute_shows_what_can_be_seen_then(simulate, site, clock, tmp_path):
    """With compression, an archive queue, and outages whose buffered data returns."""
    begin = clock.now
    lines = []
    for hour in range(0, MINUTES // 60 + 1, 3):
        at = [iso(begin + timedelta(minutes=60 * hour + minute)) for minute in (10, 25, 40, 70)]
        lines += [f"queue Dense.* from {at[0]} to {at[1]} lag 3m",
                  f'outage M.* from {at[1]} to {at[2]} state "I/O Timeout" buffered over 5m',
                  f"outage Dense.* from {at[2]} to {at[3]} buffered"]
    plant = Plant("mixed", points=60, begins=begin - timedelta(hours=3)).playing(tmp_path / "script", *lines)
    here = site(simulate(plant), tail="current")
    for minute in range(MINUTES + 1):
        clock.set(begin + timedelta(minutes=minute))
        here.run()
        # The truth takes longer than the run; every minute is compared while something happens.
        if minute % 60 in (0, 11, 12, 13, 26, 41, 42, 46, 47, 71) or minute % 7 == 0:
            check_all(here.table, plant, clock.now, here.begins)
    check_every_version(here.table, step=max(1, MINUTES // 90))


def test_a_run_without_news_makes_no_version(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    here.run()
    clock.advance(hours=0)
    version = here.run()["version"]
    assert here.run()["version"] == version
