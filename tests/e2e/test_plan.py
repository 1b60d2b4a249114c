# SPDX-License-Identifier: Apache-2.0
"""`pilake plan`: what a run would cost, told before and held against the run."""

from datetime import timedelta

import pytest

from fixtures import T0
from drive import Plant

# Six hours of a plant of which half the points are dead and a few have most events.
HEAVY = Plant("heavy", points=400, begins=T0 - timedelta(hours=6))


@pytest.fixture
def here(simulate, site):
    return site(simulate(HEAVY), tail="current", tags=[{"include": ["H0000*"]}, {"include": ["H*"]}])


def plan(here, *flags) -> dict:
    outcome = here.call("plan", "--json", "--test-clock", here.clock.path, *flags)
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_the_forecast_comes_true(here):
    said = plan(here)
    assert not here.table.exists()
    came = here.run()
    for name in ("rows", "series_reads", "events_read"):
        assert abs(said[name] / came[name] - 1) < 0.2, (name, said[name], came[name])
    # Of so small a plant most calls are such as a run makes once: the lists of states, the table's points.
    assert abs(said["calls"] - came["calls"]) < 25
    assert [group["tags"] for group in said["groups"]] == ["H0000*", "H*"]
    assert [group["series"] for group in said["groups"]] == [100, 300]
    for name in ("rows", "calls", "series_reads", "events_read"):
        assert said[name] == pytest.approx(sum(group[name] for group in said["groups"]) + said["overhead"][name], abs=3)


def test_of_a_table_that_is_up_to_date_there_is_nothing_to_read(here):
    here.run()
    said = plan(here)
    assert said["rows"] == 0
    assert said["table_rows"] == here.status()["rows"]


def test_a_wider_history_costs_what_it_adds(here, clock):
    begins = here.config["history"]["from"]
    here.config["history"]["from"] = (T0 - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    here.write()
    here.run()
    here.config["history"]["from"] = begins
    here.write()
    said, came = plan(here), here.run()
    assert abs(said["rows"] / came["rows"] - 1) < 0.2


def test_the_page_says_what_bounds_the_run(here):
    here.config["source"]["budget"] = {"calls_per_second": 0, "events_per_second": 0, "series_reads_per_second": 500}
    here.write()
    page = here.call("plan", "--test-clock", here.clock.path)
    assert page.code == 0, page.err
    assert "500 archive reads a second" in page.out and "what bounds it is archive reads a second" in page.out
    assert "H0000*" in page.out and "finding out what changed" in page.out


def test_a_run_tells_how_its_forecast_compares(here):
    outcome = here.call("run", "--forecast")
    assert outcome.code == 0, outcome.err
    assert "the forecast" in outcome.err and "archive reads" in outcome.err


def test_points_that_cannot_be_read_are_named(simulate, site, tmp_path, clock):
    plant = HEAVY.playing(tmp_path / "script", "unreadable H000001.PV as 404 from 2026-01-01T00:00:00Z to 2026-12-01T00:00:00Z")
    here = site(simulate(plant))
    outcome = here.call("plan", "--json", "--test-clock", here.clock.path)
    assert outcome.code == 3
    assert [one["tag"] for one in outcome.json["unreadable"]] == [r"\\PISRV\H000001.PV"]
