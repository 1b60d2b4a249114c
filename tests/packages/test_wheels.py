# SPDX-License-Identifier: Apache-2.0
"""The portable wheels, in fresh environments of the Pythons that Debian has, with every pyarrow of two years."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from drive import ROOT, Clock, Plant, Simulator, utc
from systems import System, package
from truth import visible

#: The wheel for it, by suite; and the version of its Python.
PYTHONS = {"bookworm": ("*-cp311-cp311-*", "3.11"), "trixie": ("*-cp312-abi3-*", "3.13")}
MAJORS = range(18, 27)
PLANT = Plant("mixed", points=20, begins=utc("2026-03-04T00:00:00Z"))
NOW = utc("2026-03-04T09:30:00Z")
#: Reads everything by pyarrow, and says how much there was.
READ = """
import sys
from datetime import datetime, timezone
import pyarrow
import pilake
source = pilake.Source("/tmp/pilake.yaml", test_clock="/tmp/clock")
parts = source.plan(datetime(2026, 3, 4, tzinfo=timezone.utc), datetime(2026, 3, 4, 9, tzinfo=timezone.utc), partitions=2)
rows = [pyarrow.table(source.read(part)) for part in parts]
assert "pandas" not in sys.modules
print(pyarrow.__version__, sum(len(some) for some in rows))
"""


def wheels() -> list[Path]:
    return [package(pattern + "_x86_64.whl") for pattern, _ in PYTHONS.values()]


def test_they_run_on_any_linux_of_the_last_years(tmp_path):
    """No symbol of a younger glibc than 2.28, no library but glibc's, as the names promise."""
    modules = []
    for wheel in wheels():
        assert "manylinux_2_28_x86_64" in wheel.name
        with zipfile.ZipFile(wheel) as files:
            name, = (name for name in files.namelist() if name.endswith(".so"))
            modules.append(files.extract(name, tmp_path / wheel.stem))
    subprocess.run([sys.executable, ROOT / "tools/check_binary.py", *modules], check=True)


@pytest.fixture(scope="module", params=PYTHONS)
def python(request, tmp_path_factory) -> tuple[System, str, str]:
    """A system, the environment in it into which the wheel alone is installed, and the version of its Python."""
    pattern, version = PYTHONS[request.param]
    system = System(tmp_path_factory.mktemp(request.param) / "root", request.param, "amd64", "python3-venv")
    wheel = package(pattern + "_x86_64.whl")
    system.must("python3", "-m", "venv", "/opt/pilake")
    system.must("/opt/pilake/bin/pip", "install", "--no-index", system.bring(wheel, f"/tmp/{wheel.name}"))
    assert system.must("/opt/pilake/bin/python", "--version").startswith(f"Python {version}.")
    return system, "/opt/pilake", version


def test_the_first_line_of_the_readme_works(python):
    system, environment, _ = python
    assert "\nequal: all" in system.must(f"{environment}/bin/pilake", "demo", "--path", "/tmp/demo")
    code = "import sys, pilake; assert not {'pyarrow', 'numpy', 'pyspark'} & set(sys.modules); print(pilake.__version__)"
    version = system.must(f"{environment}/bin/python", "-c", code).strip()
    assert system.must(f"{environment}/bin/pilake", "--version").startswith(f"pilake {version}\n")


def download(major: int, version: str) -> Path:
    """A wheel of pyarrow, fetched once."""
    folder = Path(os.environ["PILAKE_CACHE"]) / "pyarrow" / f"{major}-{version}"
    if not list(folder.glob("*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                        "--python-version", version, "--dest", folder, f"pyarrow=={major}.*"], check=True)
    wheel, = folder.glob("*.whl")
    return wheel


@pytest.mark.parametrize("major", MAJORS)
def test_every_pyarrow_takes_the_rows(python, major, tmp_path):
    system, environment, version = python
    wheel = download(major, version)
    place = system.bring(wheel, f"/tmp/{wheel.name}")
    system.must(f"{environment}/bin/pip", "install", "--no-index", "--no-deps", "--force-reinstall", place)
    (system.root / place.lstrip("/")).unlink()
    clock = Clock(system.root / "tmp/clock", NOW)
    with Simulator(PLANT, clock, tmp_path) as simulator:
        config = tmp_path / "pilake.yaml"
        config.write_text(yaml.safe_dump({
            "source": {"name": "plant1", "url": simulator.url}, "tags": [{"include": ["*"]}],
            "history": {"from": "2026-03-04T00:00:00Z"}, "table": {"path": "/tmp/table"}}))
        system.bring(config, "/tmp/pilake.yaml")
        said = system.must(f"{environment}/bin/python", "-c", READ).split()
    assert said[0].startswith(f"{major}.")
    at = visible(PLANT, NOW, tmp_path)["timestamp"].to_pylist()
    ends = int(utc("2026-03-04T09:00:00Z").timestamp() * 1e6)
    assert int(said[1]) == sum(moment < ends for moment in at) > 1000
