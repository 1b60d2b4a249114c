# SPDX-License-Identifier: Apache-2.0
"""A run that dies at a named step of writing the table, or whose store lies: the next run makes it whole."""

import os
import signal
import subprocess

import pytest
from deltalake import DeltaTable

from drive import BINARY, Plant, Site, call, utc
from truth import check, check_all

PLANT = Plant("mixed", points=60, begins=utc("2026-03-03T12:00:00Z"))
MANY_COMMITS = ("--rows-per-shard", "20000")

# So many series that what is covered of them needs a file of its own.
WIDE = Plant("mixed", points=1500, begins=utc("2026-03-04T09:00:00Z"))

# What each run does, more than once but for the checksum; the other steps belong to other commands.
DATA_STEPS = ["data-put", "data-landed", "log-put", "log-landed"]
CHECKSUM_STEPS = ["checksum-put", "checksum-landed"]
SIDE_STEPS = ["side-put", "side-landed"]
RUN_STEPS = [*DATA_STEPS, *CHECKSUM_STEPS]


def known_steps() -> list[str]:
    return subprocess.run([BINARY, "--trial-steps"], check=True, capture_output=True, text=True).stdout.split()


def start(site: Site, trial: str, *flags: str) -> "subprocess.Popen[bytes]":
    before = os.environ.get("PILAKE_TRIAL")
    os.environ["PILAKE_TRIAL"] = trial
    try:
        return site.start(*flags)
    finally:
        os.environ.pop("PILAKE_TRIAL") if before is None else os.environ.update(PILAKE_TRIAL=before)


def test_the_binary_names_its_steps():
    assert {*RUN_STEPS, *SIDE_STEPS} < set(known_steps())


def die_and_run_again(here: Site, plant: Plant, trial: str, flags: tuple[str, ...] = ()) -> None:
    assert start(here, trial, *flags).wait(120) == -signal.SIGKILL
    here.run(*flags)
    check(here.table, plant, here.clock.now, here.settle, here.begins)
    assert here.run(*flags)["rows"] == 0


@pytest.mark.parametrize("trial", [f"die={step}:{time}" for step in DATA_STEPS for time in (1, 2, 3)]
                         + [f"die={step}" for step in CHECKSUM_STEPS])
def test_a_run_that_dies_at_a_step_costs_only_work(simulate, site, trial):
    die_and_run_again(site(simulate(PLANT)), PLANT, trial, MANY_COMMITS)


@pytest.mark.parametrize("step", SIDE_STEPS)
def test_a_run_that_dies_beside_its_coverage_file_costs_only_work(simulate, site, step):
    die_and_run_again(site(simulate(WIDE)), WIDE, f"die={step}")


@pytest.mark.parametrize("step", RUN_STEPS)
def test_a_run_that_dies_beside_another_leaves_it_whole(simulate, site, clock, step):
    here: Site = site(simulate(PLANT))
    runs = [start(here, f"die={step}:2", *MANY_COMMITS), here.start(*MANY_COMMITS)]
    assert runs[0].wait(120) in (0, -signal.SIGKILL)
    assert runs[1].wait(120) == 0, (here.folder / "run.log").read_text()
    here.run(*MANY_COMMITS)
    check(here.table, PLANT, clock.now, here.settle, here.begins)


@pytest.mark.parametrize("lie", ["lost", "late", "again", "stale", "slow", "cut", "fail"])
@pytest.mark.parametrize("step", DATA_STEPS)
def test_a_run_that_dies_beside_another_whose_store_lies_costs_only_work(simulate, site, clock, step, lie):
    here: Site = site(simulate(PLANT), tail="current")
    runs = [start(here, f"die={step}:2", *MANY_COMMITS), start(here, f"lies={lie},rate=0.2,seed=7", *MANY_COMMITS)]
    assert runs[0].wait(120) in (0, -signal.SIGKILL)
    runs[1].wait(120)
    DeltaTable(str(here.table)).to_pyarrow_table()  # readable as it stands
    here.run(*MANY_COMMITS)
    check_all(here.table, PLANT, clock.now, here.begins)


@pytest.mark.parametrize("lie", ["lost", "late", "again", "stale", "slow"])
def test_a_store_that_lies_about_the_log_changes_nothing_in_the_table(simulate, site, clock, lie):
    here: Site = site(simulate(PLANT))
    for seed in range(3):
        start(here, f"lies={lie},of=log,rate=0.3,seed={seed}", *MANY_COMMITS).wait(120)
    here.run(*MANY_COMMITS)
    check(here.table, PLANT, clock.now, here.settle, here.begins)


@pytest.mark.parametrize("lies", ["fail", "full", "cut", "lost+late+again+stale+cut+full+fail"])
def test_a_store_that_fails_now_and_then_costs_only_work(simulate, site, clock, lies):
    here: Site = site(simulate(PLANT))
    for seed in range(4):
        start(here, f"lies={lies},rate=0.05,seed={seed}", *MANY_COMMITS).wait(120)
    here.run(*MANY_COMMITS)
    check(here.table, PLANT, clock.now, here.settle, here.begins)


def test_a_full_disk_is_named_and_worth_another_try(simulate, site):
    here: Site = site(simulate(PLANT))
    outcome = here.call("run", env={"PILAKE_TRIAL": "lies=full,of=data"})
    assert outcome.code == 5
    assert "space" in outcome.err


def test_a_trial_that_does_not_exist_is_bad_usage(simulate, site):
    here: Site = site(simulate(PLANT))
    outcome = here.call("run", env={"PILAKE_TRIAL": "die=of-boredom"})
    assert outcome.code == 2
    assert "of-boredom" in outcome.err
