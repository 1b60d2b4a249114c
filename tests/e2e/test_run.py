# SPDX-License-Identifier: Apache-2.0
"""Whole runs: after `pilake run` the table holds the archive's final rows, each once and unchanged."""

import json
import subprocess
from datetime import timedelta

import pyarrow.compute as pc
import pytest

from drive import BINARY, Plant, utc
from truth import check

MIXED = Plant("mixed")
SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))


@pytest.mark.parametrize("transport", ["by shape", "single", "set", "batch"])
def test_a_mixed_plant_arrives_complete_and_exact(simulate, site, clock, transport):
    simulator = simulate(MIXED)
    here = site(simulator)
    summary = here.run(*([] if transport == "by shape" else ["--transport", transport]))
    rows = check(here.table, MIXED, clock.now, here.settle, here.begins)
    assert summary["rows"] == len(rows)
    assert (simulator.stop()["batch_parts"] > 0) >= (transport == "batch")
    # The plant is what this proof needs: many series of all types, days, bursts, equal times.
    assert pc.count_distinct(rows["tag_webid"]).as_py() >= 300
    assert set(pc.unique(rows["value_kind"]).to_pylist()) == {
        "float", "int", "string", "digital", "system", "timestamp", "blob", "array", "null", "error"}
    assert pc.max(rows["ordinal"]).as_py() > 1000
    seconds = pc.divide(rows["timestamp_100ns"], 10_000_000)
    bursts = rows.append_column("second", seconds).group_by(["tag_webid", "second"]).aggregate([([], "count_all")])
    assert pc.max(bursts["count_all"]).as_py() > 1000
    assert pc.max(pc.abs(pc.drop_null(rows["value_int"]))).as_py() > 2**53


def test_a_second_run_adds_nothing(simulate, site, clock):
    here = site(simulate(SMALL))
    here.run()
    before = here.status()
    again = here.run()
    assert (again["rows"], again["files"]) == (0, 0)
    assert here.status()["rows"] == before["rows"]
    check(here.table, SMALL, clock.now, here.settle, here.begins)


def test_a_run_after_time_has_passed_adds_just_what_became_final(simulate, site, clock):
    here = site(simulate(SMALL))
    here.run()
    held = len(check(here.table, SMALL, clock.now, here.settle, here.begins))
    for hours in (0.001, 0.05, 0.3, 2, 26):
        clock.advance(hours=hours)
        added = here.run()["rows"]
        rows = check(here.table, SMALL, clock.now, here.settle, here.begins)
        assert added == len(rows) - held
        held = len(rows)


def test_a_history_that_begins_later_holds_less_and_an_earlier_one_is_filled_in(simulate, site, clock):
    simulator = simulate(SMALL)
    here = site(simulator, begins=SMALL.begins + timedelta(hours=12))
    here.run()
    late = check(here.table, SMALL, clock.now, here.settle, here.begins)
    here.begins = SMALL.begins
    here.config["history"]["from"] = SMALL.begins.isoformat()
    here.write()
    added = here.run()["rows"]
    assert added == len(check(here.table, SMALL, clock.now, here.settle, here.begins)) - len(late)


def test_a_longer_settling_keeps_younger_rows_out(simulate, site, clock):
    here = site(simulate(SMALL), settle="6h")
    here.run()
    check(here.table, SMALL, clock.now, "6h", here.begins)


@pytest.mark.parametrize("faults", [
    ["429=0.1", "503=0.1", "500=0.05", "502=0.05"],
    ["reset=0.1", "truncate=0.1", "empty200=0.05", "html200=0.05"],
    ["webexception=0.1", "stream_webexception=0.1"],
])
def test_faults_that_pass_cost_calls_and_no_row(simulate, site, clock, faults):
    flags = [word for fault in faults for word in ("--fault", fault)]
    here = site(simulate(SMALL, *flags))
    here.run()
    check(here.table, SMALL, clock.now, here.settle, here.begins)


def test_parts_of_a_batch_that_fail_are_asked_again(simulate, site, clock):
    begins = clock.now

    def parts_asked(*faults: str) -> int:
        """By a first run and an increment that travel in batches; the table is right after each."""
        simulator = simulate(SMALL, *faults)
        here = site(simulator, f"site-{simulator.port}")
        clock.set(begins)
        for hours in (0, 1):
            clock.advance(hours=hours)
            here.run("--transport", "batch")
            check(here.table, SMALL, clock.now, here.settle, here.begins)
        return simulator.stop()["batch_parts"]

    calm = parts_asked()
    assert calm > 100
    # One part of six fails. Those refused side by side go out as parts once more, the others as calls of their own.
    assert parts_asked("--fault", "part500=0.15", "--fault", "part429=0.02") > calm


def test_a_gentle_budget_brings_the_same_rows(simulate, site, clock):
    few = Plant("mixed", points=40, begins=utc("2026-03-04T08:00:00Z"))
    simulator = simulate(few)
    here = site(simulator, source={"url": simulator.url, "budget": {
        "in_flight": 1, "calls_per_second": 50, "series_reads_per_second": 500, "events_per_second": 100_000}})
    here.run()
    check(here.table, few, clock.now, here.settle, here.begins)


def test_gzip_brings_the_same_rows(simulate, site, clock):
    simulator = simulate(SMALL)
    here = site(simulator, source={"url": simulator.url, "gzip": "on"})
    plain = site(simulator, "plain", source={"url": simulator.url, "gzip": "off"})
    assert here.run()["wire_bytes"] < plain.run()["wire_bytes"] / 2
    check(here.table, SMALL, clock.now, here.settle, here.begins)


def test_tls_and_a_password_bring_the_same_rows(simulate, site, clock, tmp_path):
    simulator = simulate(SMALL, "--tls", str(tmp_path / "tls"), "--auth", "basic", "--user", "DOMAIN\\me",
                         "--password", "pä:ß word")
    here = site(simulator, trust={"ca": [str(tmp_path / "tls/ca.pem")]}, source={
        "url": simulator.url, "auth": {"kind": "basic", "username": "DOMAIN\\me", "password": "${env:PI_PW}"}})
    outcome = here.call("run", "--json", env={"PI_PW": "pä:ß word"})
    assert outcome.code == 0, outcome.err
    check(here.table, SMALL, clock.now, here.settle, here.begins)


def test_masks_names_and_excludes_select_what_they_say(simulate, site, clock, tmp_path):
    (tmp_path / "names.txt").write_text("# by file\nTwo.Events\nDense.Pairs\n", encoding="utf-8")
    here = site(simulate(SMALL), tags=[
        {"server": "PISRV", "include": ["dense.*"], "exclude": ["*.Text", "*Storm*"]},
        {"points": ["Größe Ä°"], "file": str(tmp_path / "names.txt")}])
    here.run()
    found = here.call("discover", "--json")
    assert found.code == 0, found.err
    names = {"Dense.LongRun", "Dense.Fast", "Dense.Pairs", "Dense.Triples", "Größe Ä°", "Two.Events"}
    assert {json.loads(line)["tag"] for line in found.out.splitlines()} == names
    assert here.status()["series"] <= len(names)


def test_a_reader_that_has_had_enough_is_no_error(simulate, site):
    here = site(simulate(SMALL))
    with subprocess.Popen([BINARY, *map(str, here.args("discover", "--json"))], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as discover:
        discover.stdout.close()
        assert discover.wait(60) == 0
        assert "pilake:" not in discover.stderr.read()


def test_a_name_that_the_source_does_not_know_is_named_and_leaves_the_others_be(simulate, site):
    here = site(simulate(SMALL), tags=[{"points": ["Dense.Pairs", "No.Such.Point"]}])
    summary = here.run(code=3)
    assert summary["rows"] > 0
    assert [one["tag"] for one in summary["unresolved"]] == ["No.Such.Point"]
    here.config["quarantine"] = {"exit": 0}
    here.write()
    here.run(code=0)
