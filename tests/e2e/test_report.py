# SPDX-License-Identifier: Apache-2.0
"""`pilake report` and `status --max-lag`: what a table tells of the plant, and whether it is kept."""

from datetime import timedelta

import pytest

from drive import Plant, iso, utc

BEGIN = utc("2026-03-04T00:00:00Z")
PLANT = Plant("mixed", points=70, begins=BEGIN)


@pytest.fixture
def kept(simulate, site, clock, tmp_path):
    """Plays a script at a plant of which the table is kept hour by hour; the site."""

    def keep(*lines, hours):
        clock.set(BEGIN + timedelta(hours=1))
        here = site(simulate(PLANT.playing(tmp_path / "script", *lines)))
        here.config["history"]["second_look"] = "12h"
        here.write()
        for _ in range(hours):
            clock.advance(hours=1)
            assert here.call("run").code in (0, 3)  # 3: tags of an archive that shows them late
        return here

    return keep


def report(here, *flags) -> dict:
    outcome = here.call("report", "--json", *flags)
    assert outcome.code == 0, outcome.err
    return outcome.json


def at(hours: float) -> str:
    return iso(BEGIN + timedelta(hours=hours))


def test_it_tells_late_rows_from_those_in_time(kept):
    here = kept(f"insert Dense.* count 500 events {at(3)} {at(10)} at {at(12)}", hours=40)
    health = report(here)
    assert 400 <= health["late_rows"] <= 600
    assert health["seconds_between_runs"] == pytest.approx(3600, rel=0.2)
    assert sum(health["age_when_they_came"].values()) <= health["rows"]
    assert "make history.second_look" in here.call("report").out


def test_it_says_that_all_came_in_time(kept):
    here = kept(hours=20)
    assert report(here)["late_rows"] == 0
    assert "long enough" in here.call("report").out


def test_what_comes_by_backfill_is_not_late(kept):
    """The history of a point that is added later is loaded at once."""
    here = kept(f"add Dense.Fast at {at(30)} history {at(31)}", hours=36)
    health = report(here)
    assert health["late_rows"] == 0
    assert health["late_from_seconds"] < 4 * 3600


def test_it_names_holes_outages_and_what_went_stale(kept):
    here = kept(f"outage * from {at(5)} to {at(9)}",
                f'outage Dense.* from {at(15)} to {at(17)} state "I/O Timeout"',
                f"outage M.Float* from {at(19)} to {at(90)}", hours=40)
    health = report(here)
    assert any(hole["from"] < at(6) and hole["to"] > at(8) for hole in health["holes"])
    assert any(one["tag"].startswith("Dense.") for one in health["outages"])
    assert any(one["tag"].startswith("M.Float") for one in health["stale"])
    assert not any(one["tag"].startswith("Dense.") for one in health["stale"])
    shown = here.call("report").out
    assert "Hole: next to nothing came" in shown and "Stale" in shown


def test_it_asks_for_a_table_and_for_a_span(site, simulate):
    here = site(simulate(PLANT))
    missing = here.call("report")
    assert missing.code == 1 and "no Delta table" in missing.err
    assert here.call("report", "--last", "soon").code == 2


def test_status_ends_with_6_when_the_table_is_left_behind(kept, clock):
    here = kept(hours=3)
    assert here.call("status", "--max-lag", "1h").code == 0
    clock.advance(hours=5)
    behind = here.call("status", "--max-lag", "1h")
    assert behind.code == 6 and "--max-lag" in behind.err
    assert here.call("status", "--json", "--max-lag", "6h").json["lag_seconds"] == pytest.approx(5 * 3600, abs=900)
    assert here.call("status", "--max-lag", "soon").code == 2
