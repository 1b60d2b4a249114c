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


@pytest.fixture(scope="module")
def table(site) -> str:
    """What a run leaves, by the name that Spark has for a folder."""
    site.run()
    return f"delta.`{site.table}`"


def test_a_first_look_by_spark(site, table, spark, monkeypatch):
    picture = site.folder / "spark.png"
    monkeypatch.setenv("PILAKE_TABLE", table)
    monkeypatch.setenv("PILAKE_PICTURE", str(picture))
    found = runpy.run_path(str(EXAMPLES / "spark_look.py"))
    rows = expected(site, site.begins, site.clock.now + timedelta(minutes=15))
    counts = {(row.tag_name, row.value_kind): row.events for row in found["counts"].collect()}
    truth = rows.group_by(["tag_name", "value_kind"]).aggregate([([], "count_all")]).to_pylist()
    assert counts == {(row["tag_name"], row["value_kind"]): row["count_all"] for row in truth}
    name, other = found["NAME"], found["OTHER"]
    averages = {row.tag_name: row.average for row in found["averages"].collect()}
    assert averages == {one: pytest.approx(average(*of(rows, one))) for one in (name, other)}
    beside = found["beside"].toPandas().sort_values("timestamp_100ns", kind="stable")
    np.testing.assert_array_equal(beside["other"].to_numpy(), as_of(of(rows, name)[0], *of(rows, other)))
    assert is_picture(picture)


def test_wide_views(site, table, spark):
    rows = expected(site, site.begins, site.clock.now + timedelta(minutes=15))
    kinds = rows.group_by(["tag_name", "value_kind"]).aggregate([([], "count_all")]).to_pylist()

    def most(kind: str) -> list[str]:
        found = sorted(kinds, key=lambda row: -row["count_all"])
        return [row["tag_name"] for row in found if row["value_kind"] == kind]

    (number, other), state = most("float")[:2], most("digital")[0]
    statements = (EXAMPLES / "wide.sql").read_text()
    for there, here in {"plant.raw.pi_timeseries": table, "U1.FIC101.PV": number, "U1.TI102.PV": other,
                        "U1.XV103.PV": state}.items():
        assert there in statements
        statements = statements.replace(there, here)
    *statements, rest = statements.split(";\n")
    assert len(statements) == 2 and not rest
    for statement in statements:
        spark.sql(statement)

    times, values = of(rows, number)
    minutes = {row.minute.replace(tzinfo=timezone.utc): (row.fic101, row.ti102) for row in spark.table("pi_minutes").collect()}
    for k, (tag_times, tag_values) in enumerate((of(rows, number), of(rows, other))):
        of_minute: dict[datetime, list[float]] = {}
        for at, value in zip(tag_times, tag_values):
            minute = datetime.fromtimestamp(at // 600_000_000 * 60, tz=timezone.utc)
            of_minute.setdefault(minute, []).extend([] if np.isnan(value) else [value])
        means = {minute: float(np.mean(some)) if some else None for minute, some in of_minute.items()}
        assert {minute: row[k] for minute, row in minutes.items() if minute in means} == {
            minute: pytest.approx(mean) for minute, mean in means.items()}

    shown = spark.table("pi_states").orderBy("timestamp_100ns").collect()
    switched = rows.filter(pc.equal(rows["tag_name"], state))
    state_times, states = switched["timestamp_100ns"].to_numpy(), switched["value_string"].to_pylist()
    instants = sorted(set(times) | set(state_times))
    assert [row.timestamp_100ns for row in shown] == instants
    at_least = as_of(np.array(instants), times, values)
    np.testing.assert_array_equal(np.array([row.fic101 for row in shown], dtype=float), at_least)
    last = np.searchsorted(state_times, instants, side="right") - 1
    assert [row.xv103 for row in shown] == [states[k] if k >= 0 else None for k in last]
