# SPDX-License-Identifier: Apache-2.0
"""Drivers, executors and Python workers are killed while Spark fills a table. PILAKE_KILLS: how many drivers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Callable, Iterable

import pyspark

from drive import Clock, Plant, Simulator, Site, iso, utc
from truth import COLUMNS, check_versions, differences, final, read, span, visible

KILLS = int(os.environ.get("PILAKE_KILLS", "3"))
HERE = Path(__file__).parent


def start(driver: str, site: Site) -> subprocess.Popen[bytes]:
    """A driver in a session of its own, so that all its processes can be found."""
    log = (site.folder / "driver.log").open("ab")
    environment = {**os.environ, "SPARK_HOME": str(spark_home(site.folder)),
                   "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen([sys.executable, HERE / driver, site.file, site.clock.path, site.folder], stdout=log,
                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)


def spark_home(folder: Path) -> Path:
    """Executors of a cluster write below Spark's own folder: here it is one of the test."""
    home = folder / "spark"
    if not home.exists():
        home.mkdir()
        for entry in Path(pyspark.__file__).parent.iterdir():
            (home / entry.name).symlink_to(entry)
    return home


def session_of(driver: subprocess.Popen[bytes]) -> dict[int, tuple[int, str]]:
    """Its processes: the parent and the command line of each."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == driver.pid:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found[int(folder.name)] = (parent, (folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def executors_of(driver: subprocess.Popen[bytes]) -> list[int]:
    return [pid for pid, (_, line) in session_of(driver).items() if "CoarseGrainedExecutorBackend" in line]


def workers_of(driver: subprocess.Popen[bytes]) -> list[int]:
    """The Python processes in which executors have their tasks run; the driver has others, for planning."""
    found, below = session_of(driver), set(executors_of(driver))
    workers: list[int] = []
    for pid in sorted(found):
        if found[pid][0] in below:
            below.add(pid)
            workers += [pid] if "pyspark" in found[pid][1] else []
    return workers


def kill(pids: Iterable[int]) -> int:
    """How many there were."""
    killed = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def kill_all(driver: subprocess.Popen[bytes]) -> None:
    kill(session_of(driver))
    driver.wait()


def ends_well(driver: str, site: Site) -> None:
    assert start(driver, site).wait(300) == 0, (site.folder / "driver.log").read_text()[-3000:]


def await_that(holds: Callable[[], object], process: subprocess.Popen[bytes], site: Site) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        in_time = process.poll() in (None, 0) and time.monotonic() < deadline
        assert in_time, (site.folder / "driver.log").read_text()[-3000:]
        time.sleep(0.1)


def test_a_stream_whose_processes_are_killed_ends_equal_to_the_truth(tmp_path):
    plant = Plant("mixed", points=100, begins=utc("2026-03-03T00:00:00Z")).playing(
        tmp_path / "script",
        "insert * count 60 events 2026-03-03T20:00:00Z 2026-03-03T22:30:00Z at 2026-03-03T23:30:00Z spread 20m",
        "edit * count 60 events 2026-03-03T20:00:00Z 2026-03-03T22:30:00Z at 2026-03-03T23:30:00Z unmarked")
    clock = Clock(tmp_path / "clock", utc("2026-03-03T23:00:00Z"))
    chance = random.Random(7)
    killed: Counter[str] = Counter()
    with Simulator(plant, clock, tmp_path) as simulator:
        site = Site(tmp_path / "site", simulator.url, plant.begins, clock)
        for _ in range(KILLS):
            driver = start("stream_driver.py", site)
            await_that(lambda: workers_of(driver), driver, site)
            for _ in range(chance.randrange(1, 4)):
                time.sleep(chance.uniform(0, 2))
                kind, pids = chance.choice([("executors", executors_of), ("workers", workers_of)])
                killed[kind] += kill(pids(driver))
            time.sleep(chance.uniform(0, 8))
            kill_all(driver)
            clock.advance(hours=1)
        clock.advance(hours=4)
        for _ in range(2):  # what is read a second time comes in the trigger after all that is new
            ends_well("stream_driver.py", site)
            clock.advance(hours=2)
        clock.advance(hours=-2)
        assert min(killed["executors"], killed["workers"]) > 0, killed
        rows = read(site.folder / "events")
        expected = final(visible(plant, clock.now, tmp_path), clock.now, span(site.settle), site.begins)
        assert differences(rows, expected.select(COLUMNS.names)) == ""


def test_binary_and_spark_take_turns_while_they_are_killed(tmp_path):
    """Each turn finds an hour of news and half a day of older history to fill, and is killed in the middle of it."""
    plant = Plant("mixed", points=200, begins=utc("2026-02-28T00:00:00Z"))
    clock = Clock(tmp_path / "clock", utc("2026-03-05T00:00:00Z"))
    chance = random.Random(11)
    with Simulator(plant, clock, tmp_path) as simulator:
        site = Site(tmp_path / "site", simulator.url, clock.now - timedelta(hours=12), clock)
        site.run()
        versions: list[int] = []
        for _ in range(KILLS):
            for by_spark in (False, True):
                site.begins = max(plant.begins, site.begins - timedelta(hours=12))
                site.config["history"]["from"] = iso(site.begins)
                site.write()
                clock.advance(hours=1)
                before = site.status()["version"]
                turn = start("write_driver.py", site) if by_spark else site.start("--rows-per-shard", "5000")
                await_that(lambda: site.status()["version"] > before, turn, site)
                time.sleep(chance.uniform(0, 0.5))
                kill(session_of(turn) if by_spark else [turn.pid])
                turn.wait()
                versions.append(site.status()["version"])
        assert versions == sorted(set(versions)), "a turn was killed before it had committed anything"
        ends_well("write_driver.py", site)
        clock.advance(hours=1)
        site.run()
        check_versions(site.table)
        expected = final(visible(plant, clock.now, tmp_path), clock.now, span(site.settle), site.begins)
        assert differences(read(site.table), expected.select(COLUMNS.names)) == ""
