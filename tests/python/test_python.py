# SPDX-License-Identifier: Apache-2.0
"""`pilake.Source` and `pilake.Table` as people use them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import pilake
from drive import Clock, Plant, Simulator, Site, ticks, utc
from truth import COLUMNS, KEY, check_all, differences, visible


PLANT = Plant("mixed", points=120, begins=utc("2026-03-02T00:00:00Z"))
NOW = utc("2026-03-04T09:30:00Z")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A simulated plant and a configuration for it."""
    folder = tmp_path_factory.mktemp("plant")
    clock = Clock(folder / "clock", NOW)
    with Simulator(PLANT, clock, folder) as simulator:
        yield Site(folder / "site", simulator.url, PLANT.begins, clock, tail="current")


@pytest.fixture
def clock_file(site: Site) -> str:
    return str(site.clock.path)


@pytest.fixture
def source(site, clock_file) -> pilake.Source:
    return pilake.Source(site.file, test_clock=clock_file)


def in_key_order(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("timestamp")
    table = table.set_column(place, "timestamp", table["timestamp"].cast(pa.int64())).select(COLUMNS.names)
    return table.sort_by([(key, "ascending") for key in KEY])


def test_partitions_are_together_the_truth(source, tmp_path):
    partitions = source.plan(partitions=4)
    assert len(partitions) == 4
    assert sum(one.share for one in partitions) == pytest.approx(1)
    tables = [pa.table(source.read(one)) for one in partitions]
    rows = in_key_order(pa.concat_tables(tables))
    expected = visible(PLANT, NOW, tmp_path)
    expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], ticks(PLANT.begins)))
    assert differences(rows, expected.select(COLUMNS.names)) == ""


def test_a_partition_travels_without_credentials(site, clock_file):
    config = {"source": {"url": site.config["source"]["url"],
                         "auth": {"kind": "basic", "username": "reader", "password": "not-to-travel"}},
              "tags": [{"include": ["M.Int32.*"]}]}
    source = pilake.Source(config, test_clock=clock_file)
    sent = pickle.dumps(source.plan("2026-03-04", partitions=1)[0])
    assert b"not-to-travel" not in sent
    assert len(pa.table(source.read(pickle.loads(sent)))) > 0


def test_columns_are_those_that_are_asked_for(source):
    partition = source.plan("2026-03-04T08:00:00Z", "2026-03-04T09:00:00Z", 1)[0]
    table = pa.table(source.read(partition, ["value", "tag_name"]))
    assert table.column_names == ["value", "tag_name"]
    with pytest.raises(pilake.InvalidError, match="no column 'valeu'"):
        source.read(partition, ["valeu"])


def test_names_narrow_what_is_read(source):
    names = {point.tag_name for point in source.discover()}
    wanted = sorted(name for name in names if name.startswith("M.Int64"))[:2]
    partitions = source.plan("2026-03-03", names=wanted)
    tables = pa.concat_tables(pa.table(source.read(one, ["tag_name"])) for one in partitions)
    assert set(tables["tag_name"].unique().to_pylist()) <= set(wanted)


def test_other_libraries_take_the_rows(source):
    partition = source.plan("2026-03-04", partitions=1)[0]
    count = len(pa.table(source.read(partition)))
    assert len(pl.DataFrame(source.read(partition))) == count
    rows = source.read(partition)
    assert duckdb.sql("SELECT count(*), count(DISTINCT tag_webid) FROM rows").fetchone()[0] == count


def test_numbers_and_times_are_not_copied(source):
    """Arrow's columns point to where the core put them: nothing is allocated for them in Python's pool."""
    partition = source.plan("2026-03-03", partitions=1)[0]
    before = pa.total_allocated_bytes()
    table = pa.table(source.read(partition, ["timestamp_100ns", "value"]))
    assert len(table) > 10_000
    assert pa.total_allocated_bytes() - before == 0


def test_eight_partitions_at_once_stay_within_the_budget_together(tmp_path, site):
    """As eight tasks of a cluster do, each of which knows of its own share alone."""
    # The server counts each part of a batch, so its limit is one of series reads.
    budget = {"in_flight": 8, "calls_per_second": 40, "series_reads_per_second": 300, "events_per_second": 40_000}
    with Simulator(PLANT, site.clock, tmp_path, "--rate-limit", "400") as simulator:
        config = {"source": {"url": simulator.url, "budget": budget}, "tags": [{"include": ["*"]}]}
        source = pilake.Source(config, test_clock=str(site.clock.path))
        partitions = source.plan(PLANT.begins, partitions=8)
        assert len(partitions) == 8
        began = time.monotonic()
        with ThreadPoolExecutor(8) as readers:
            rows = sum(readers.map(lambda one: len(pa.table(source.read(one))), partitions))
        took = time.monotonic() - began
        counted = simulator.stop()
    assert rows > 300_000
    print(f"{counted['calls']} calls, {counted['events']} events in {took:.1f} s, {counted['refused']} refused")
    assert counted["refused"] <= counted["calls"] / 100
    assert counted["calls"] / took <= budget["calls_per_second"]
    assert counted["series_reads"] / (took + 1) <= budget["series_reads_per_second"]
    # What may be caught up at the begin is no more than a second's worth a reader.
    assert counted["events"] / (took + 1) <= budget["events_per_second"]


def test_points_and_states_say_what_they_are(source):
    points = source.discover()
    assert len(points) == 120
    digital = next(point for point in points if point.type == "Digital")
    states = {state.name for state in source.digital_states() if state.digital_set == digital.digital_set}
    assert len(states) > 1


def test_a_point_that_cannot_be_read_fails_unless_it_may_be_left_out(tmp_path, site):
    plant = Plant("mixed", points=100, begins=PLANT.begins).playing(
        tmp_path / "script", "unreadable M.Int32.* as 403")
    with Simulator(plant, site.clock, tmp_path) as simulator:
        config = {"source": {"url": simulator.url}, "tags": [{"include": ["*"]}], "history": {"from": "2026-03-04"}}
        source = pilake.Source(config, test_clock=str(site.clock.path))
        partition = source.plan(partitions=1)[0]
        with pytest.raises(Exception, match=r"could not be read, the first .*M\.Int32"):
            pa.table(source.read(partition))
        rows = source.read(partition, leave_out=True)
        assert len(pa.table(rows)) > 0
        assert all("M.Int32" in tag for tag, _ in rows.left_out) and rows.left_out


@pytest.mark.parametrize(("config", "error", "sentence"), [
    ("nowhere.yaml", pilake.InvalidError, "there is no configuration file"),
    ({"source": {"ur": "http://x"}}, pilake.InvalidError, "did you mean source.url"),
    ({"source": {"url": "http://127.0.0.1:1/piwebapi"}, "tags": [{"include": ["*"]}]},
     pilake.UnreachableError, "nothing accepts connections at 127.0.0.1:1"),
])
def test_what_fails_says_so_in_python(config, error, sentence):
    with pytest.raises(error, match=sentence):
        pilake.Source(config).discover()


def test_times_are_what_people_write(source):
    begin, end = source.plan("2026-03-04T08:00:00+01:00", "2026-03-04 08:00:00.5", 1)[0].range
    assert (begin.isoformat(), end.isoformat()) == ("2026-03-04T07:00:00+00:00", "2026-03-04T08:00:00.500000+00:00")
    with pytest.raises(ValueError, match="'noon' is no time"):
        source.plan("noon")


def test_a_table_is_kept_as_by_the_command(site, clock_file):
    table = pilake.Table(site.file, test_clock=clock_file)
    with pytest.raises(pilake.MissingError):
        table.status()
    report = table.run()
    assert report["rows"] > 0 and report["quarantined"] == []
    assert table.status()["version"] == report["version"]
    check_all(site.table, PLANT, NOW, PLANT.begins)
    assert table.run()["commits"] <= 1


def test_ctrl_c_ends_a_run_and_leaves_a_table_that_goes_on(tmp_path, site, clock_file):
    with Simulator(PLANT, site.clock, tmp_path, "--fault", "slow=1") as simulator:
        slow = Site(tmp_path / "slow", simulator.url, PLANT.begins, site.clock)
        code = f"import pilake; pilake.Table({str(slow.file)!r}, test_clock={clock_file!r}).run()"
        started = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=20)
        assert "KeyboardInterrupt" in said
        assert started.returncode != 0


def test_reading_is_stopped_when_nobody_wants_the_rows(source):
    rows = source.read(source.plan(partitions=1)[0])
    reader = pa.RecordBatchReader.from_stream(rows)
    reader.read_next_batch()
    began = time.monotonic()
    del reader, rows
    assert time.monotonic() - began < 5


def test_nothing_but_the_package_is_needed_to_import_it():
    code = "import pilake, sys; assert not {'pyspark', 'pyarrow', 'numpy', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_the_command_line_is_in_the_package(tmp_path):
    done = subprocess.run([sys.executable, "-m", "pilake", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"pilake {pilake.__version__}")
    bad = subprocess.run([sys.executable, "-m", "pilake", "run"], capture_output=True, text=True, cwd=tmp_path)
    assert bad.returncode == 2 and "pilake init" in bad.stderr


def test_the_package_is_typed():
    folder = Path(pilake.__file__).parent
    assert (folder / "py.typed").exists() and (folder / "_pilake.pyi").exists()


def symbols_of_the_module() -> str:
    return subprocess.run(["objdump", "-T", pilake._pilake.__file__], capture_output=True, text=True, check=True).stdout


def test_the_module_shows_nothing_but_its_entry():
    """Else its libcurl or OpenSSL could be taken for those of another module of the process."""
    shown = [line.split()[-1] for line in symbols_of_the_module().splitlines() if " g " in line and "*UND*" not in line]
    assert shown == ["PyInit__pilake"]


def test_the_module_runs_on_older_systems():
    """No symbol of a younger C library than that of Ubuntu 22.04 and of the Databricks runtimes."""
    symbols = symbols_of_the_module()
    versions = {tuple(map(int, word.strip("()").removeprefix("GLIBC_").split(".")))
                for word in symbols.split() if word.strip("()").startswith("GLIBC_") and word.strip("()")[6:7].isdigit()}
    assert versions and max(versions) <= (2, 35), max(versions)
