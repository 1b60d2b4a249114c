# SPDX-License-Identifier: Apache-2.0
"""Care of the table: vacuum and optimize take nothing from it, whatever runs beside them."""

import os
from pathlib import Path

import pytest
from deltalake import DeltaTable

from drive import Plant, call, utc
from truth import check_all

FEW = Plant("mixed", points=20, begins=utc("2026-03-04T08:00:00Z"))
SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))


def age(folder: Path, hours: float) -> None:
    """As if so much more time had passed since the files were written."""
    for file in folder.iterdir():
        if file.is_file():
            then = file.stat().st_mtime - hours * 3600
            os.utime(file, (then, then))


def orphans(table: Path) -> set[str]:
    """Data files, and beginnings of some, that the newest version does not hold."""
    active = {Path(uri).name for uri in DeltaTable(str(table)).file_uris()}
    return {file.name for file in table.iterdir() if file.is_file()} - active


def test_vacuum_takes_what_a_killed_run_left_and_nothing_else(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    here.run()
    clock.advance(hours=3)
    killed = here.call("run", env={"PILAKE_TRIAL": "die=log-put"})
    assert killed.code == -9, killed.err
    left = orphans(here.table)
    assert left
    assert here.status()["litter_files"] == 0, "a run beside us may be about to commit it"
    assert here.call("vacuum", "--json").json["tables"][0]["names"] == []
    age(here.table, hours=25)

    status = here.status()
    assert (status["litter_files"], status["litter_bytes"] > 0) == (len(left), True)
    dry = here.call("vacuum", "--dry-run", "--json").json["tables"][0]
    assert set(dry["names"]) == left and dry["bytes"] == status["litter_bytes"]
    assert orphans(here.table) == left
    outcome = here.call("vacuum")
    assert outcome.code == 0 and "deleted" in outcome.out, outcome.err
    assert orphans(here.table) == set()
    here.run()
    check_all(here.table, SMALL, clock.now, here.begins)
    assert here.status()["litter_files"] == 0


def test_vacuum_refuses_less_than_the_table_promises_its_readers(simulate, site):
    here = site(simulate(SMALL))
    here.run()
    outcome = here.call("vacuum", "--retention", "2h")
    assert outcome.code == 2
    assert "deletedFileRetentionDuration" in outcome.err


def test_optimize_between_runs_changes_no_row_and_raises_no_doubt(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    for _ in range(12):
        here.run()
        clock.advance(minutes=20)
    before = here.status()
    planned = here.call("optimize", "--dry-run", "--json").json
    done = here.call("optimize", "--json").json
    assert done["files_merged"] == planned["files_merged"] >= 12
    after = here.status()
    assert after["rows"] == before["rows"]
    assert after["looks"] == before["looks"], "what another changed is looked at; this is our own"
    assert after["files"] == before["files"] - done["files_merged"] + done["files_made"]
    assert after["tail_files"] == before["tail_files"] > 0
    here.run()
    check_all(here.table, SMALL, clock.now, here.begins)
    history = DeltaTable(str(here.table)).history()
    assert "OPTIMIZE" in {commit["operation"] for commit in history}


def test_optimize_and_vacuum_beside_runs_lose_nothing(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    for _ in range(6):
        here.run()
        clock.advance(minutes=10)
    for _ in range(6):
        running = here.start()
        for command in ("optimize", "vacuum"):
            outcome = here.call(command)
            assert outcome.code == 0, outcome.err
        assert running.wait(120) == 0
        clock.advance(minutes=10)
    here.run()
    check_all(here.table, SMALL, clock.now, here.begins)


def many_runs(here, clock, count: int) -> None:
    for _ in range(count):
        clock.advance(minutes=1)
        here.run()


def log_versions(table: Path) -> list[int]:
    return sorted(int(file.stem) for file in (table / "_delta_log").glob("*.json") if file.stem.isdigit())


@pytest.mark.parametrize("step", ["log-delete:3", "checkpoint-put"])
def test_a_run_that_dies_while_it_keeps_house_leaves_a_whole_table(simulate, site, clock, step):
    here = site(simulate(FEW), tail="current")
    many_runs(here, clock, 12)
    age(here.table / "_delta_log", hours=1)
    many_runs(here, clock, 11)  # the first of which wrote a checkpoint
    assert log_versions(here.table)[0] == 0
    age(here.table / "_delta_log", hours=24 * 8)
    clock.advance(minutes=1)
    died = here.call("run", env={"PILAKE_TRIAL": f"die={step}"})
    assert died.code == -9, (step, died.err)
    many_runs(here, clock, 1)
    check_all(here.table, FEW, clock.now, here.begins)
    age(here.table / "_delta_log", hours=1)
    many_runs(here, clock, 12)
    assert log_versions(here.table)[0] > 10
    check_all(here.table, FEW, clock.now, here.begins)


def test_help_names_the_commands():
    listed = call("--help").out
    assert "vacuum" in listed and "optimize" in listed
