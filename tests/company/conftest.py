# SPDX-License-Identifier: Apache-2.0
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

import drive
from fixtures import binary, clock, simulate, site  # noqa: F401
from lakes import LAKES, Lake, put_in
from drive import Plant, Site
from secrecy import CommandLines, content, files_of_ours, told
from servers import Toxiproxy

LONG = os.environ.get("PILAKE_COMPANY") == "long"

_numbers = itertools.count()


@pytest.fixture(scope="module", params=LAKES)
def lake(request, tmp_path_factory) -> Iterator[Lake]:
    """One store of each kind in turn."""
    made = LAKES[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.stop()


@pytest.fixture
def home(lake, simulate, site) -> Callable[..., Site]:
    """Makes sites whose tables live in the store, each in a folder of its own."""

    def make(plant: Plant, url: str | None = None, flags: tuple[str, ...] = (), **changes: object) -> Site:
        running = next((one for one in simulate.running if one.plant == plant), None) or simulate(plant, *flags)
        return put_in(site(running, f"site-{next(_numbers)}", **changes), lake, url)

    return make


@pytest.fixture(scope="session")
def toxiproxy(tmp_path_factory) -> Iterator[Toxiproxy]:
    server = Toxiproxy(tmp_path_factory.mktemp("toxiproxy"))
    yield server
    server.stop()


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that servers may look into which are not us."""
    folder = Path(tempfile.mkdtemp(prefix="pilake-company-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def started() -> Iterator[Callable[[object], object]]:
    """Servers that end with the test."""
    servers: list[object] = []

    def start(server: object) -> object:
        servers.append(server)
        return server

    yield start
    for server in reversed(servers):
        server.stop()


@pytest.fixture(scope="session")
def command_lines() -> Iterator[CommandLines]:
    lines = CommandLines()
    yield lines
    lines.stop()


@pytest.fixture(autouse=True)
def nothing_is_told(command_lines, monkeypatch, tmp_path) -> Iterator[None]:
    """What pilake said, wrote and was called in this test holds no secret."""
    said: list[str] = []
    call = drive.call

    def call_and_listen(*args: object, **options: object) -> drive.Outcome:
        outcome = call(*args, **options)
        said.extend([outcome.out, outcome.err])
        return outcome

    monkeypatch.setattr(drive, "call", call_and_listen)
    yield
    for text in [text.encode() for text in said] + sorted(command_lines.seen):
        assert not told(text), text[:2000]
    for path in files_of_ours(tmp_path):
        assert not told(content(path)), path
