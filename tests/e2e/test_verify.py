# SPDX-License-Identifier: Apache-2.0
"""`verify`, `reread` and `adopt`: the table held against the archive by command."""

import json
import shutil

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from drive import Plant, iso, utc
from truth import check, check_all, check_site

SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))
A, B, LATER = "2026-03-03T12:30:00Z", "2026-03-04T08:30:00Z", "2026-03-04T12:00:00Z"


def verify(here, *flags, code, deep=True):
    if deep:
        flags = ("--deep", *flags)
    outcome = here.call("verify", "--json", "--test-clock", here.clock.path, *flags)
    assert outcome.code == code, f"{outcome.code}\n{outcome.err}\n{outcome.out[:2000]}"
    return json.loads(outcome.out.splitlines()[0])


def test_verify_finds_nothing_in_an_equal_table_and_changes_nothing(simulate, site, clock):
    here = site(simulate(SMALL), tail="current")
    here.run()
    before = here.status()
    report = verify(here, code=0)
    assert report["different"] == [] and report["rows"] > 10_000
    assert here.status() == before


@pytest.mark.parametrize("how", ["insert", "edit", "edit unmarked"])
def test_verify_finds_and_repairs_what_came_late_or_was_edited(simulate, site, clock, tmp_path, how):
    verb, _, suffix = how.partition(" ")
    plant = SMALL.playing(tmp_path / "script", f"{verb} * count 300 events {A} {B} at {LATER} {suffix}")
    here = site(simulate(plant), tail="current")
    here.run()
    clock.set(utc("2026-03-04T12:30:00Z"))
    report = verify(here, code=4)
    found = sum(one["missing"] + one["changed"] for one in report["different"])
    assert found >= 290
    verify(here, "--repair", code=0)
    assert verify(here, code=0)["different"] == []
    here.run()
    check_all(here.table, plant, clock.now, here.begins)


# How a server may count, and whether it lets a client ask for flagged events alone.
READINGS = [[], ["counted=all"], ["counted=numbers", "count_of_none=no_data"], ["flag_filters=no"]]


@pytest.mark.parametrize("readings", READINGS, ids=lambda readings: " ".join(readings) or "usual")
def test_counts_find_what_came_late_or_is_marked_and_few_rows_are_read(simulate, site, clock, tmp_path, readings):
    plant = Plant("mixed", points=200, begins=SMALL.begins, readings=readings)
    plant = plant.playing(tmp_path / "script",
                          f"insert M.Float* count 20 events {A} {B} at {LATER}",
                          f"insert M.Digital* count 10 events {A} {B} at {LATER}",
                          f"insert M.String* count 10 events {A} {B} at {LATER}",
                          f"edit M.Int* count 20 events {A} {B} at {LATER}",
                          f"delete M.Int32.* count 5 events {A} {B} at {LATER}")
    simulator = simulate(plant)
    here = site(simulator, tail="current")
    here.run()
    before = verify(here, code=0, deep=False)
    assert before["different"] == [] and before["windows"] >= 170
    # What tells nothing is read: texts and states where only numbers are counted, lessons, windows at the open end.
    if "flag_filters=no" not in readings:  # then what is bad, and this plant has much of that, is read too
        assert before["rows_read"] < before["rows"] * 0.6, before
    clock.set(utc("2026-03-04T12:30:00Z"))
    counted, deep = verify(here, code=4, deep=False), verify(here, code=4)
    wanted = {one["tag"] for one in deep["different"]}
    found = {one["tag"] for one in counted["different"]}
    if "flag_filters=no" in readings:
        assert counted["flags_unseen"]  # edits are not looked for, and that is said
        assert {tag for tag in wanted if "M.Int" not in tag} <= found
    else:
        assert found == wanted
        assert not counted["flags_unseen"]
    assert verify(here, "--repair", code=4)  # deleted rows wait for their second look


def test_counts_do_not_see_edits_without_a_mark_but_deep_does(simulate, site, clock, tmp_path):
    plant = SMALL.playing(tmp_path / "script", f"edit M.Int* count 20 events {A} {B} at {LATER} unmarked")
    here = site(simulate(plant), tail="current")
    here.run()
    clock.set(utc("2026-03-04T12:30:00Z"))
    assert sum(one["changed"] for one in verify(here, code=4)["different"]) >= 19


def test_deleted_events_are_found_at_once_and_leave_when_a_second_look_agrees(simulate, site, clock, tmp_path):
    plant = SMALL.playing(tmp_path / "script", f"delete Dense.* count 100 events {A} {B} at {LATER}")
    here = site(simulate(plant), tail="current")
    here.run()
    clock.set(utc("2026-03-04T12:30:00Z"))
    report = verify(here, "--repair", code=4)  # what is gone waits for its second look
    assert any(one["gone"] for one in report["different"])
    assert sum(one["gone"] + one["changed"] for one in report["different"]) >= 90
    for _ in range(2):  # a stretch that is too small for a proof is widened first
        clock.advance(minutes=61)
        here.run()
    assert verify(here, code=0)["different"] == []
    check_all(here.table, plant, clock.now, here.begins)


def test_a_proof_does_not_begin_anew_because_the_series_has_become_denser(simulate, site, clock, tmp_path):
    # A stretch of it is as long as memory permits, and what memory permits is told by how dense it is of late.
    plant = Plant("mixed", points=70, begins=utc("2026-01-10T00:00:00Z"))
    plant = plant.playing(tmp_path / "script",
                          f"delete Dense.Fast count 40 events 2026-01-11T00:00:00Z 2026-03-03T00:00:00Z at {LATER}",
                          "insert Dense.Fast count 3000 events 2026-03-04T13:25:00Z 2026-03-04T13:30:59Z at 2026-03-04T13:30:59Z")
    here = site(simulate(plant), tail="current", begins=plant.begins, tags=[{"include": ["Dense.Fast"]}])
    here.run()
    assert here.status()["rows"] > 800_000
    clock.set(utc("2026-03-04T12:30:00Z"))
    verify(here, "--repair", code=4)
    assert here.status()["looks"]["gone"] > 1
    clock.advance(minutes=61)
    assert here.run()["rows_deleted"] >= 35
    assert here.status()["looks"]["gone"] == 0


def test_a_file_is_written_anew_once_however_many_batches_find_something_in_it(simulate, site, clock, tmp_path):
    plant = Plant("wide", points=100, begins=utc("2025-11-04T00:00:00Z"))
    plant = plant.playing(tmp_path / "script", f"edit W*0.PV count 200 events {iso(plant.begins)} {B} at {LATER} unmarked")
    here = site(simulate(plant), tail="none")
    here.run()
    before = DeltaTable(str(here.table))
    files, version = len(before.file_uris()), before.version()
    clock.set(utc("2026-03-04T12:30:00Z"))
    verify(here, "--deep", "--repair", code=0)
    after = DeltaTable(str(here.table))
    log = [json.loads(line) for n in range(version + 1, after.version() + 1)
           for line in (here.table / f"_delta_log/{n:020}.json").read_text().splitlines()]
    assert 1 <= sum("remove" in action for action in log) <= files
    here.run()
    check(here.table, plant, clock.now, here.settle, here.begins)


def test_reread_repairs_only_what_is_named(simulate, site, clock, tmp_path):
    plant = SMALL.playing(tmp_path / "script", f"edit Dense.* count 200 events {A} {B} at {LATER}")
    here = site(simulate(plant), tail="current")
    here.run()
    clock.set(utc("2026-03-04T12:30:00Z"))
    outcome = here.call("reread", "--json", "--tags", "Dense.Fast", "--test-clock", clock.path)
    assert outcome.code == 0, outcome.err
    assert outcome.json["rows_changed"] > 0
    left = {one["tag"].rpartition("\\")[2] for one in verify(here, code=4)["different"]}
    assert left and "Dense.Fast" not in left


def test_explain_tells_why_a_value_is_there_or_not(simulate, site, clock, tmp_path):
    plant = SMALL.playing(tmp_path / "script", f"edit Dense.Fast count 1 events {A} {B} at {LATER}")
    here = site(simulate(plant), tail="current")
    here.run()

    def explain(tag, time, code=0):
        outcome = here.call("explain", tag, time, "--json", "--test-clock", clock.path)
        assert outcome.code == code, outcome.err
        return outcome.json if code == 0 else outcome.err

    covered = explain("Dense.Fast", "2026-03-04T01:00:00Z")
    assert covered["archive"] == covered["table"] != []
    assert "covered" in covered["because"][0]
    tail = explain("dense.fast", "2026-03-04T09:29:30Z")
    assert tail["archive"] == tail["table"] != []
    assert "not final yet" in tail["because"][0]
    assert "before history.from" in explain("Dense.Fast", "2026-03-01T00:00:00Z")["because"][0]
    clock.set(utc("2026-03-04T12:30:00Z"))
    changed = json.loads(here.call("verify", "--deep", "--json", "--test-clock", clock.path).out)["different"][0]
    told = explain("Dense.Fast", changed["from"])
    assert told["archive"] != told["table"]
    assert "selects no point" in explain("No.Such", "2026-03-04T01:00:00Z", code=2)


def test_reread_of_nothing_is_refused(simulate, site, clock):
    here = site(simulate(SMALL))
    here.run()
    outcome = here.call("reread", "--tags", "No.Such.*", "--test-clock", clock.path)
    assert outcome.code == 2 and "covers nothing of that" in outcome.err


def test_rows_that_another_engine_deleted_come_back(simulate, site, clock):
    here = site(simulate(SMALL), tail="none")
    here.run()
    # As DELETE without a predicate does: all files out, by a commit of somebody else.
    write_delete(here.table)
    here.run()
    check(here.table, SMALL, clock.now, here.settle, here.begins)


def write_delete(path) -> None:
    """A commit of a stranger that takes every file out of the table."""
    log = path / "_delta_log"
    version = DeltaTable(str(path)).version() + 1
    adds = DeltaTable(str(path)).get_add_actions(flatten=True)
    names = pa.table(adds)["path"].to_pylist()
    lines = [{"commitInfo": {"timestamp": 1, "operation": "DELETE", "operationParameters": {}, "engineInfo": "stranger"}}]
    lines += [{"remove": {"path": name, "deletionTimestamp": 1, "dataChange": True}} for name in names]
    (log / f"{version:020}.json").write_text("\n".join(json.dumps(line) for line in lines))


def clone(path) -> None:
    """What CLONE leaves: a table of its own with the same files, one of them twice, and no record of pilake's."""
    log = path / "_delta_log"
    head = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    lines = [line for line in head if "protocol" in line or "metaData" in line]
    for line in lines:
        if "metaData" in line:
            line["metaData"]["id"] = "11111111-2222-3333-4444-555555555555"
    names = pa.table(DeltaTable(str(path)).get_add_actions(flatten=True))["path"].to_pylist()
    shutil.copy(path / names[0], path / "again.parquet")
    for name in [*names, "again.parquet"]:
        size = (path / name).stat().st_size
        lines.append({"add": {"path": name, "partitionValues": {}, "size": size, "modificationTime": 1, "dataChange": True}})
    shutil.rmtree(log)
    shutil.rmtree(path / "_pilake", ignore_errors=True)
    log.mkdir()
    (log / f"{0:020}.json").write_text("\n".join(json.dumps(line) for line in lines))


@pytest.mark.parametrize("tail", ["none", "current"])
def test_a_table_without_its_record_is_adopted(simulate, site, clock, tail):
    here = site(simulate(SMALL), tail=tail)
    here.run()
    clone(here.table)
    refused = here.call("run")
    assert refused.code == 2 and "pilake adopt" in refused.err
    adopted = here.call("adopt", "--json", "--test-clock", clock.path)
    assert adopted.code == 0, adopted.err + adopted.out[-1500:]
    check_site(here, SMALL)
    clock.advance(hours=3)
    here.run()
    check_site(here, SMALL)
