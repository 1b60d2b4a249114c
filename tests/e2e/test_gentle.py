# SPDX-License-Identifier: Apache-2.0
"""The operator's hand: a pause file, a calendar, and a stop that is heard while a run waits."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

from drive import Plant, Simulator, Site, utc
from truth import check

FEW = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))
INTERRUPTED = 130


@pytest.fixture
def quiet_site(site, simulate) -> Callable[..., tuple[Site, Simulator]]:
    """Makes a site whose budget has these keys and no limits."""
    simulator = simulate(FEW)

    def make(**keys: object) -> tuple[Site, Simulator]:
        return site(simulator, source={"url": simulator.url, "budget": keys}), simulator

    return make


def wait_for(log: Path, words: str) -> None:
    deadline = time.monotonic() + 30
    while words not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, f"'{words}' does not come:\n{log.read_text()}"
        time.sleep(0.02)


def run_ends(run: subprocess.Popen, code: int) -> None:
    assert run.wait(30) == code


def test_a_pause_file_holds_a_run_until_it_is_gone(quiet_site, tmp_path, clock):
    pause = tmp_path / "pause"
    pause.touch()
    here, _ = quiet_site(pause_file=str(pause))
    run = here.start()
    wait_for(here.folder / "run.log", f"paused by the file {pause}")
    time.sleep(1)
    assert run.poll() is None
    pause.unlink()
    run_ends(run, 0)
    check(here.table, FEW, clock.now, here.settle, here.begins)
    log = (here.folder / "run.log").read_text()
    assert log.count("event=waiting") == 2 and "no longer paused" in log


def test_a_paused_run_asks_nothing_and_ends_at_once_when_told(quiet_site, tmp_path):
    pause = tmp_path / "pause"
    pause.touch()
    here, simulator = quiet_site(pause_file=str(pause))
    run = here.start()
    wait_for(here.folder / "run.log", "paused")
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    run_ends(run, INTERRUPTED)
    assert time.monotonic() - began < 2
    assert simulator.stop()["calls"] == 0


def test_a_paused_backfill_lets_increments_through(quiet_site, tmp_path, clock):
    pause = tmp_path / "pause"
    here, _ = quiet_site(pause_file=str(pause))
    here.run()
    rows = here.status()["rows"]
    clock.advance(hours=1)
    here.config["history"]["from"] = "2026-03-04T00:00:00Z"  # there is nothing, but that must be asked
    here.write()
    pause.write_text("backfill")
    run = here.start()
    log = here.folder / "run.log"
    wait_for(log, "event=committed")
    assert here.status()["rows"] > rows
    time.sleep(1)
    assert run.poll() is None, "the backfill waits"
    pause.unlink()
    run_ends(run, 0)
    check(here.table, FEW, clock.now, here.settle, FEW.begins)


def test_a_calendar_holds_a_run_until_its_hour(quiet_site, clock):
    # It is half past nine in UTC, and an hour later in the zone of the calendar.
    here, _ = quiet_site(zone="+01:00", calendar=[
        {"days": "wed", "from": "10:00", "to": "11:00", "pause": "all"},
        {"from": "00:00", "to": "10:15", "pause": "all"}])
    run = here.start()
    wait_for(here.folder / "run.log", "paused by the calendar")
    clock.advance(minutes=31)
    run_ends(run, 0)
    check(here.table, FEW, clock.now, here.settle, here.begins)
