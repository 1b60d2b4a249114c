# SPDX-License-Identifier: Apache-2.0
"""Runs that are killed, and runs that meet: in the end the table is equal to the truth."""

import os
import random
import signal
import subprocess
import time

import pytest

from drive import Plant, Site, utc
from truth import check

PLANT = Plant("mixed", points=150, begins=utc("2026-03-03T00:00:00Z"))
# Small files make many commits, so that a kill finds some of them under way.
MANY_COMMITS = ("--rows-per-shard", "20000")

KILLS = int(os.environ.get("PILAKE_KILLS", 50))
KILLS_A_TABLE = 5
SEED = int(os.environ.get("PILAKE_SEED", 1))


def kill_after(run: subprocess.Popen, seconds: float) -> bool:
    """Kills `run` when it has lived for `seconds`; false if it was done before."""
    try:
        assert run.wait(seconds) == 0
        return False
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        return True


def test_a_run_that_is_killed_at_any_moment_costs_only_work(simulate, site, clock):
    moments = random.Random(SEED)
    simulator = simulate(PLANT)
    whole = site(simulator, "whole")
    began = time.monotonic()
    assert whole.run(*MANY_COMMITS)["commits"] > 5
    duration = time.monotonic() - began
    kills = tables = 0
    while kills < KILLS:
        here = site(simulator, f"table-{tables}")
        tables += 1
        assert tables < KILLS, "runs end before they can be killed"
        for _ in range(KILLS_A_TABLE):
            kills += kill_after(here.start(*MANY_COMMITS), moments.uniform(0, duration))
        here.run(*MANY_COMMITS)
        check(here.table, PLANT, clock.now, here.settle, here.begins)


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_stops_and_the_next_goes_on(simulate, site, clock, interrupt):
    here: Site = site(simulate(PLANT, "--fault", "slow=1"))
    run = here.start(*MANY_COMMITS)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(1)
    run.send_signal(interrupt)
    assert run.wait(10) == 130
    fast = site(simulate(PLANT))
    here.config["source"] = fast.config["source"]
    here.write()
    here.run()
    check(here.table, PLANT, clock.now, here.settle, here.begins)


@pytest.mark.parametrize("flags", [MANY_COMMITS, ()], ids=["with many commits", "with few commits"])
def test_runs_that_write_one_table_at_once_write_each_row_once(simulate, site, clock, flags):
    here: Site = site(simulate(PLANT))
    runs = [here.start(*flags) for _ in range(2)]
    assert [run.wait(120) for run in runs] == [0, 0], (here.folder / "run.log").read_text()
    check(here.table, PLANT, clock.now, here.settle, here.begins)
    assert here.run()["rows"] == 0
