# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Callable, Iterator

import pytest

from drive import BINARY, Clock, Plant, Simulator, Site, utc

T0 = utc("2026-03-04T09:30:00Z")


@pytest.fixture(scope="session", autouse=True)
def binary() -> None:
    assert BINARY.exists(), f"no {BINARY}; run `make build`"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Half past nine on the fourth day of the plants that these tests use."""
    return Clock(tmp_path / "clock", T0)


@pytest.fixture
def simulate(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators that end with the test."""
    running: list[Simulator] = []

    def start(plant: Plant, *flags: str) -> Simulator:
        running.append(Simulator(plant, clock, tmp_path, *flags))
        return running[-1]

    start.running = running
    yield start
    for simulator in running:
        if simulator.is_running:
            simulator.stop()


@pytest.fixture
def site(tmp_path: Path, clock: Clock) -> Callable[..., Site]:
    """Makes a site for a simulator; its history begins with the plant unless told otherwise."""

    def make(simulator: Simulator, name: str = "site", **changes: object) -> Site:
        return Site(tmp_path / name, simulator.url, changes.pop("begins", simulator.plant.begins), clock, **changes)

    return make
