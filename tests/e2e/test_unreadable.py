# SPDX-License-Identifier: Apache-2.0
"""Ten thousand points, some of which cannot be read: the others complete, those are named, and few calls find them."""

from dataclasses import replace
from datetime import timedelta
from math import log2

import pytest

from fixtures import T0
from drive import Clock, Plant, Simulator, Site, iso, utc
from truth import check, check_all

POINTS = 10_000
WIDE = Plant("wide", points=POINTS, begins=utc("2026-03-04T00:00:00Z"))
LEFT_OUT = 3

ANY_READING = "unknown_webid_in_set=whole_400"
WAYS = [
    ("404", "unknown_webid_in_set=whole_400"),
    ("403", "unknown_webid_in_set=whole_404"),
    ("410", "unknown_webid_in_set=item_errors"),
    ("500", ANY_READING),
    ("item", ANY_READING),
    ("webexception", ANY_READING),
]


@pytest.fixture(scope="module")
def calls_of_a_clean_run(tmp_path_factory) -> int:
    folder = tmp_path_factory.mktemp("clean")
    clock = Clock(folder / "clock", T0)
    with Simulator(WIDE, clock, folder, "--rate-limit", "0") as simulator:
        return Site(folder / "site", simulator.url, WIDE.begins, clock).run()["calls"]


@pytest.mark.parametrize("unreadable", [1, 500])
@pytest.mark.parametrize("how, reading", WAYS)
def test_points_that_cannot_be_read_keep_nobody_back(
        simulate, site, clock, tmp_path, calls_of_a_clean_run, how, reading, unreadable):
    plant = replace(WIDE, readings=[reading]).playing(
        tmp_path / "script", f"unreadable * as {how} pick {unreadable}")
    here = site(simulate(plant, "--rate-limit", "0"))
    summary = here.run(code=LEFT_OUT)
    named = {entry["tag"]: entry["reason"] for entry in summary["quarantined"]}
    assert len(named) == unreadable and all(named.values())
    check(here.table, plant, clock.now, here.settle, here.begins)

    extra = summary["calls"] - calls_of_a_clean_run
    most = 2 * POINTS / 100 if how.startswith("4") else 2 * unreadable * log2(POINTS / unreadable)
    assert extra <= most, f"{extra} calls more than {calls_of_a_clean_run}; at most {most:.0f} are allowed"


def test_a_point_that_cannot_be_read_is_tried_at_growing_intervals_and_status_names_it(simulate, site, clock, tmp_path):
    plant = Plant("wide", points=200, begins=WIDE.begins).playing(
        tmp_path / "script", f"unreadable W0000003.* as 403 from {iso(T0)} to {iso(T0 + timedelta(hours=40))}")
    here = site(simulate(plant), tail="current")
    hours = 0.0

    def run(at: float, *flags: str, code: int = LEFT_OUT) -> dict:
        nonlocal hours
        clock.advance(hours=at - hours)
        hours = at
        return here.run(*flags, code=code)

    for at, attempts, next_try in [(0, 1, 0), (0.5, 2, 1.5), (0.6, 2, 1.5), (1.5, 3, 7.5), (5, 3, 7.5), (8, 4, 32)]:
        summary = run(at)
        assert len(summary["quarantined"]) == 1 and summary["quarantined"][0]["reason"]
        [named] = here.status()["quarantine"]
        assert named["tag"].endswith("W0000003.PV") and named["reason"]
        assert (named["attempts"], utc(named["next_try"])) == (attempts, T0 + timedelta(hours=next_try))
        assert utc(named["since"]) == T0
    run(33), run(41)
    assert here.status()["quarantine"][0]["attempts"] == 5
    assert not run(41.5, "--try-all", code=0)["quarantined"]
    assert not here.status()["quarantine"]
    check_all(here.table, plant, clock.now, here.begins)
