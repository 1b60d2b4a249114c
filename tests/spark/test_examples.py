# SPDX-License-Identifier: Apache-2.0
"""The scripts in examples/, run as they are; what they find is computed from the truth in another way."""

from __future__ import annotations

import runpy
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from drive import ROOT, Clock, Plant, Simulator, Site, ticks
from truth import visible

EXAMPLES = ROOT / "examples"
#: Long enough for the day before whenever the tests run.
PLANT = Plant("demo", points=40, begins=datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=30))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    """A plant whose clock stands still at now: the scripts look at the machine's."""
    folder = tmp_path_factory.mktemp("examples")
    clock = Clock(folder / "clock", datetime.now(timezone.utc).replace(microsecond=0))
    with Simulator(PLANT, clock, folder) as simulator:
        yield Site(folder / "site", simulator.url, clock.now - timedelta(hours=6), clock, tail="current")


def of(rows: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of one tag; NaN where it has no number."""
    one = rows.filter(pc.equal(rows["tag_name"], name))
    return one["timestamp_100ns"].to_numpy(), one["value"].to_numpy(zero_copy_only=False).astype(float)


def average(times: np.ndarray, values: np.ndarray) -> float:
    """Over time, of a tag whose events are joined by lines: the area under it, gap by gap."""
    area = duration = 0.0
    for piece in np.split(np.arange(len(values)), np.flatnonzero(np.isnan(values))):
        piece = piece[~np.isnan(values[piece])]
        if len(piece) > 1:
            area += np.trapezoid(values[piece], times[piece])
            duration += float(times[piece][-1] - times[piece][0])
    return area / duration


def as_of(times: np.ndarray, other_times: np.ndarray, other: np.ndarray) -> np.ndarray:
    at = np.searchsorted(other_times, times, side="right") - 1
    return np.where(at < 0, np.nan, other[np.maximum(at, 0)])


def expected(site: Site, begin: datetime, end: datetime) -> pa.Table:
    rows = visible(PLANT, site.clock.now, site.folder)
    at = rows["timestamp_100ns"]
    return rows.filter(pc.and_(pc.greater_equal(at, ticks(begin)), pc.less(at, ticks(end))))


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_a_first_look_without_spark(site, monkeypatch):
    picture = site.folder / "look.png"
    monkeypatch.setenv("PILAKE_CONFIG", str(site.file))
    monkeypatch.setenv("PILAKE_PICTURE", str(picture))
    found = runpy.run_path(str(EXAMPLES / "first_look.py"))
    rows = expected(site, found["FROM"], found["TO"])
    counts = {(row["tag_name"], row["value_kind"]): row["events"] for row in found["counts"].to_dicts()}
    truth = rows.group_by(["tag_name", "value_kind"]).aggregate([([], "count_all")]).to_pylist()
    assert counts == {(row["tag_name"], row["value_kind"]): row["count_all"] for row in truth}
    name, other = found["NAME"], found["OTHER"]
    assert found["average"] == pytest.approx(average(*of(rows, name)))
    beside = found["beside"]["other"].to_numpy()
    np.testing.assert_array_equal(beside, as_of(of(rows, name)[0], *of(rows, other)))
    assert is_picture(picture)
