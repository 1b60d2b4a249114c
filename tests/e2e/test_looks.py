# SPDX-License-Identifier: Apache-2.0
"""What changes behind a table's back: late, edited and deleted events, outages, queues, other archives."""

import re
from collections import Counter
from datetime import timedelta
from fnmatch import fnmatch

import pyarrow.compute as pc
import pytest

from drive import EPOCH, TICKS_PER_SECOND, Plant, iso, ticks, utc
from truth import check_all, check_site, visible

SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))
# Of the day that the first run finds, and when what changes it is seen.
A, B, LATER = "2026-03-03T12:30:00Z", "2026-03-04T08:30:00Z", "2026-03-04T12:00:00Z"


@pytest.fixture
def play(simulate, site, tmp_path):
    """A site at a plant to which happens what the lines of a script say, after its first run."""

    def begin(*lines, plant=SMALL, **changes):
        played = plant.playing(tmp_path / "script", *lines)
        simulator = simulate(played)
        here = site(simulator, changes.pop("name", "site"), tail="current", **changes)
        here.run()
        return here, played, simulator

    return begin


def look_twice(here, clock, code=0) -> dict:
    """Goes on until everything that the first run found has been read a second time; what was repaired."""
    repaired = {"looks": 0, "rows_added_late": 0, "rows_changed": 0, "rows_deleted": 0}
    for hours in (25, 1.1, 24, 1.1, 1.1):
        clock.advance(hours=hours)
        summary = here.run(code=code)
        for name in repaired:
            repaired[name] += summary[name]
    return repaired


def test_events_that_come_out_of_order_are_added(play, clock):
    here, plant, _ = play(f"insert * count 300 events {A} {B} at {LATER}")
    repaired = look_twice(here, clock)
    assert repaired["rows_added_late"] + repaired["rows_changed"] >= 290
    check_all(here.table, plant, clock.now, here.begins)


@pytest.mark.parametrize("marked", ["", "unmarked"])
def test_edited_events_are_replaced(play, clock, marked):
    here, plant, _ = play(f"edit * count 300 events {A} {B} at {LATER} {marked}")
    assert look_twice(here, clock)["rows_changed"] >= 290
    check_all(here.table, plant, clock.now, here.begins)


def test_deleted_events_leave_after_two_looks(play, clock):
    here, plant, _ = play(f"delete Dense.* count 100 events {A} {B} at {LATER}")
    repaired = look_twice(here, clock)
    assert repaired["rows_deleted"] + repaired["rows_changed"] >= 95
    check_all(here.table, plant, clock.now, here.begins)


def gone(here, clock, tag: str) -> str:
    """Why rows of that tag wait for a person, once a second look has found them gone."""
    reasons = []
    for hours in (1.1, 1.1, 24):
        clock.advance(hours=hours)
        reasons += [one["reason"] for one in here.run(code=None)["gone"] if one["tag"].endswith(tag)]
    assert reasons and len(set(reasons)) == 1, reasons
    return reasons[0]


def reread(here, clock, begin: str, end: str) -> None:
    outcome = here.call("reread", "--json", "--from", begin, "--to", end, "--test-clock", clock.path)
    assert outcome.code == 0, outcome.err
    assert outcome.json["rows_deleted"] == 0


def test_a_hundredth_of_a_series_with_few_events_is_most_of_its_history(play, clock):
    """One event every three days; and no other series has events often enough to vouch for the archive."""
    here, plant, _ = play("delete S00010.LAB event 2026-02-16T00:00:00Z at 2026-03-04T10:00:00Z",
                          plant=Plant("slow", points=11, begins=utc("2025-01-01T00:00:00Z")))
    clock.advance(hours=1)
    reread(here, clock, "2026-02-10T00:00:00Z", "2026-03-03T00:00:00Z")
    assert re.match(r"1 of 1\d\d rows", gone(here, clock, "S00010.LAB"))
    clock.advance(hours=24)
    assert here.run("--allow-deletes")["rows_deleted"] == 1
    check_all(here.table, plant, clock.now, here.begins)


def test_rows_that_are_gone_before_the_first_that_is_left_leave_if_others_vouch_for_that_time(play, clock):
    """Nothing before them shows that the archive holds that time, but series that have events there."""
    begins = "2026-03-03T13:00:00Z"
    delete = f"delete Dense.Fast event {begins} at {LATER}"
    alone, *_ = play(delete, begins=utc(begins), name="alone", tags=[{"include": ["Dense.Fast"]}])
    here, plant, _ = play(delete, begins=utc(begins))
    clock.set(utc("2026-03-04T12:30:00Z"))
    for one in (alone, here):
        reread(one, clock, begins, "2026-03-03T14:00:00Z")
    assert "as if a file of the archive were not mounted" in gone(alone, clock, "Dense.Fast")
    clock.set(utc("2026-03-04T12:30:00Z"))
    assert look_twice(here, clock)["rows_deleted"] == 1
    check_all(here.table, plant, clock.now, here.begins)


def test_a_part_of_the_archive_that_is_not_shown_for_a_day_deletes_nothing(play, clock):
    here, plant, _ = play(f"unreadable * as 404 from {LATER} to 2026-03-06T12:00:00Z")
    rows = here.status()["rows"]
    clock.advance(hours=26)
    outcome = here.call("run")
    assert outcome.code == 1  # all series refused at once: no quarantine of everything
    assert here.status()["rows"] == rows
    clock.set(utc("2026-03-06T13:00:00Z"))
    here.run()
    look_twice(here, clock)
    check_all(here.table, plant, clock.now, here.begins)


def test_an_edit_of_the_last_covered_row_holds_the_series_for_a_moment_only(play, clock):
    here, plant, _ = play("edit Dense.* snapshot at 2026-03-04T09:29:00Z",
                          "edit Dense.Fast event 2026-03-04T09:15:00Z at 2026-03-04T09:31:00Z",
                          "edit Dense.Pairs event 2026-03-04T09:15:00Z at 2026-03-04T09:31:00Z")
    for minutes in (2, 5, 30):
        clock.advance(minutes=minutes)
        here.run()
    look_twice(here, clock)
    check_all(here.table, plant, clock.now, here.begins)


def edit_all(plant: Plant, tags: str, begin: str, end: str, at: str, folder) -> Plant:
    """The same plant, of which at `at` every event of `tags` archived between `begin` and `end` becomes another."""
    events = visible(plant, utc(end), folder)
    lines, seen = [], Counter()
    for tag, ticks_, state in zip(*(events[name].to_pylist() for name in ("tag_name", "timestamp_100ns", "state"))):
        nth = seen[tag, ticks_]
        seen[tag, ticks_] += 1
        if fnmatch(tag, tags) and state == "archived" and ticks(utc(begin)) <= ticks_ < ticks(utc(end)):
            time = f"{iso(EPOCH + timedelta(seconds=ticks_ // TICKS_PER_SECOND))[:-8]}.{ticks_ % TICKS_PER_SECOND:07}Z"
            lines.append(f"edit {tag} event {time} nth {nth} at {at}")
    assert len(lines) > 100
    return plant.playing(folder / "script", *lines)


@pytest.mark.parametrize("tail", ["current", "none"])
def test_edits_of_the_last_covered_rows_of_all_series_hold_nothing_up(simulate, site, tmp_path, clock, tail):
    """An import that touches the newest hours of every tag looks like another archive, until rows before it match."""
    plant = edit_all(SMALL, "M.*", "2026-03-04T05:00:00Z", "2026-03-04T09:30:00Z", "2026-03-04T09:31:00Z", tmp_path)
    here = site(simulate(plant), tail=tail)
    here.run()
    clock.advance(minutes=30)
    summary = here.run()
    assert not summary["held"], summary
    assert summary["rows_changed"] > 100
    assert here.status()["held"] == 0
    look_twice(here, clock)
    check_site(here, plant)


def test_an_edit_of_the_only_covered_row_of_a_series_is_an_edit(simulate, site, tmp_path, clock):
    """No row before it can tell; but the archive has an event at its very time."""
    plant = Plant("slow", points=11, begins=utc("2025-12-01T00:00:00Z"))
    events = visible(plant, clock.now, tmp_path)
    times = events.filter(pc.equal(events["tag_name"], "S00007.LAB"))["timestamp_100ns"].to_pylist()
    only = iso(EPOCH + timedelta(seconds=times[-2] // TICKS_PER_SECOND))
    plant = plant.playing(tmp_path / "script", f"edit S00007.LAB event {only} at 2026-03-04T09:31:00Z")
    here = site(simulate(plant), tail="current", begins=utc(only))
    here.run()
    for hours in (7, 7, 7, 1.1):
        clock.advance(hours=hours)
        here.run()
    check_all(here.table, plant, clock.now, here.begins)


@pytest.mark.parametrize("tail", ["current", "none"])
def test_another_archive_changes_no_row_until_a_person_says_that_it_is_the_right_one(simulate, site, tmp_path, clock,
                                                                                     tail):
    plant = edit_all(SMALL, "M.*", iso(SMALL.begins), "2026-03-04T09:30:00Z", "2026-03-04T09:31:00Z", tmp_path)
    here = site(simulate(plant), tail=tail)
    here.run()
    rows = here.status()["rows"]
    for _ in range(3):
        clock.advance(hours=2)
        refused = here.call("run")
        assert refused.code == 5 and "pilake adopt" in refused.err, refused.err
        assert here.status()["rows"] == rows
    adopted = here.call("adopt", "--json", "--test-clock", clock.path)
    assert adopted.code == 0, adopted.err + adopted.out[-1500:]
    look_twice(here, clock)  # snapshots of the old tail that compression dropped leave after a second look
    check_site(here, plant)


def test_buffered_data_that_returns_behind_an_outage_is_added(play, clock):
    begin, end = "2026-03-04T10:00:00Z", "2026-03-04T11:30:00Z"
    here, plant, _ = play(f'outage * from {begin} to {end} state "I/O Timeout" buffered over 20m')
    for minutes in (45, 45, 35, 10, 30, 70, 70):
        clock.advance(minutes=minutes)
        here.run()
    check_all(here.table, plant, clock.now, here.begins)


@pytest.mark.parametrize("reading", ["queued_snapshot=shown", "queued_snapshot=hidden"])
def test_an_archive_queue_that_drains_late_costs_nothing(simulate, site, tmp_path, clock, reading):
    plant = Plant("mixed", points=70, begins=SMALL.begins, readings=[reading])
    plant = plant.playing(tmp_path / "script", "queue * from 2026-03-04T10:00:00Z to 2026-03-04T11:00:00Z lag 5m",
                          "queue Dense.* from 2026-03-04T12:00:00Z to 2026-03-04T15:00:00Z over 10m")
    here = site(simulate(plant), tail="current")
    for minutes in (0, 31, 15, 20, 40, 60, 60, 60, 60, 30):
        clock.advance(minutes=minutes)
        here.run()
    look_twice(here, clock)
    check_all(here.table, plant, clock.now, here.begins)


def test_a_queue_that_hides_the_last_events_of_a_point_that_fell_silent_costs_nothing(simulate, site, tmp_path, clock):
    """Its newest event is shown all the time, so that its current value tells nothing of those before it."""
    events = visible(SMALL, clock.now, tmp_path)
    times = events.filter(pc.equal(events["tag_name"], "Fell.Silent"))["timestamp_100ns"].to_pylist()
    last = EPOCH + timedelta(seconds=times[-1] // TICKS_PER_SECOND)
    plant = SMALL.playing(tmp_path / "script",
                          f"queue * from {iso(last - timedelta(minutes=20))} to {iso(last + timedelta(minutes=100))}")
    here = site(simulate(plant), tail="current")
    for hours in (0.75, 2, 3.2):
        clock.set(last + timedelta(hours=hours))
        here.run()
    clock.set(last + timedelta(hours=7))
    here.run()
    check_all(here.table, plant, clock.now, here.begins)


def test_looks_cost_less_than_twice_the_reads_of_a_plain_run(play, clock):
    """Second looks read every event once more, and signs of doubt little beside it."""
    here, plant, simulator = play()
    for _ in range(16):
        clock.advance(hours=6)
        here.run()
    check_all(here.table, plant, clock.now, here.begins)
    with_looks = simulator.stop()["series_reads"]
    # The same again, with second looks a year away and so none due.
    clock.set(utc("2026-03-04T09:30:00Z"))
    plain, _, simulator = play(history={"from": iso(SMALL.begins), "second_look": "365d"}, name="plain")
    for _ in range(16):
        clock.advance(hours=6)
        plain.run()
    without = simulator.stop()["series_reads"]
    assert with_looks < 3 * without, (with_looks, without)
