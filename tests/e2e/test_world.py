# SPDX-License-Identifier: Apache-2.0
"""The world changes behind the table: each scene before, while and after it happens, with the tail."""

import time
from datetime import timedelta
from fnmatch import fnmatchcase

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from drive import Plant, iso, utc
from truth import AHEAD, COLUMNS, KEY, check_all, differences, read, ticks, visible

SMALL = Plant("mixed", points=70, begins=utc("2026-03-03T12:00:00Z"))
# The first run is at 9:30 (conftest.T0); scenes are told by the hours after that.
T0 = utc("2026-03-04T09:30:00Z")
DONE, FOR_A_PERSON, LEFT_OUT, TRY_AGAIN = 0, 2, 3, 5


def at(hours: float) -> str:
    return (T0 + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """A site at a plant to which something happens."""

    def __init__(self, here, plant, clock, folder):
        self.here, self.plant, self.clock, self.folder = here, plant, clock, folder
        self.ahead = AHEAD

    def run(self, hours: float, *flags: str, code: int | None = DONE) -> dict:
        """`pilake run` so many hours after the first one."""
        self.clock.set(T0 + timedelta(hours=hours))
        return self.here.run(*flags, code=code)

    def refuses(self, hours: float, code: int) -> str:
        """A run that stops, having changed no row; what it says."""
        before = self.rows()
        self.clock.set(T0 + timedelta(hours=hours))
        outcome = self.here.call("run")
        assert outcome.code == code, f"{outcome.code}\n{outcome.err}\n{outcome.out}"
        assert not differences(self.rows(), before)
        return outcome.err

    def configure(self, **changes) -> None:
        self.here.config.update(changes)
        self.here.write()

    def adopt(self) -> None:
        adopted = self.here.call("adopt", "--json", "--test-clock", self.clock.path)
        assert adopted.code == DONE, adopted.err

    def rows(self) -> pa.Table:
        return read(self.here.table)

    def truth(self) -> pa.Table:
        return visible(self.plant, self.clock.now, self.folder, ahead=self.ahead).select(COLUMNS.names)

    def check(self, only_selected: bool = False) -> None:
        assert not (found := self.differences(only_selected)), found

    def differences(self, only_selected: bool = False) -> str:
        """Between the table and all that can be seen now, of the tags of the configuration."""
        expected = self.truth()
        masks = self.here.config["tags"][0]["include"]
        tags = [tag for tag in pc.unique(expected["tag_name"]).to_pylist()
                if any(fnmatchcase(tag.upper(), mask.upper()) for mask in masks)]
        expected = of(expected, *tags)
        rows = of(self.rows(), *tags) if only_selected else self.rows()
        return differences(rows, expected.filter(
            pc.greater_equal(expected["timestamp_100ns"], ticks(self.here.begins))))

    def check_as(self, expected: pa.Table, but: tuple[str, ...] = ()) -> None:
        """The table holds these rows of the time since it begins, whatever stands in the columns `but`."""
        expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], ticks(self.here.begins)))
        found = differences(self.rows(), expected.sort_by([(name, "ascending") for name in KEY]), but)
        assert not found, found


@pytest.fixture
def play(simulate, site, clock, tmp_path):
    """A world to which happens what the lines say, after its first run."""

    def begin(*lines, plant=SMALL, **changes) -> World:
        played = plant.playing(tmp_path / "script", *lines)
        world = World(site(simulate(played), tail="current", **changes), played, clock, tmp_path)
        world.run(0)
        world.check()
        return world

    return begin


def of(rows: pa.Table, *tags: str) -> pa.Table:
    return rows.filter(pc.is_in(rows["tag_name"], pa.array(tags)))


def tags_of_m(rows: pa.Table) -> list[str]:
    return [tag for tag in pc.unique(rows["tag_name"]).to_pylist() if tag.startswith("M.")]


def but_for(rows: pa.Table, *tags: str) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["tag_name"], pa.array(tags))))


# Another archive behind the name


@pytest.mark.parametrize("how", ["", "frozen"])
def test_a_member_that_lacks_the_newest_hours_takes_nothing_away(play, how):
    world = play(f"failover from {at(1)} to {at(5)} lag 3h {how}")
    world.run(0.9)
    for hours in (1.2, 3):
        world.refuses(hours, TRY_AGAIN)
    for hours in (5.1, 6.5, 30, 31.5):
        world.run(hours)
    world.check()


def test_two_members_behind_one_address_mix_nothing(play):
    world = play(f"failover from {at(1)} to {at(5)} lag 2h split")
    for hours in (1.2, 2, 3, 4.5):  # whichever member answers: a run, or a refusal
        world.clock.set(T0 + timedelta(hours=hours))
        world.here.call("run")
    for hours in (5.1, 6.5, 30, 31.5):
        world.run(hours)
    world.check()


def test_files_that_are_not_mounted_for_a_day_take_nothing_away(play):
    world = play(f"unmount * events {at(-20)} {at(-4)} from {at(1)} to {at(25)}")
    world.run(0.5)
    named = set()
    for hours in (1.5, 3, 24):
        outcome = world.run(hours, code=None)
        assert outcome["rows_deleted"] == 0
        named |= {entry["tag"] for entry in outcome["held"] + outcome["gone"]}
    assert named
    for hours in (26, 30, 55, 57):
        world.run(hours)
    world.check()


def test_a_small_part_of_a_long_history_is_not_taken_for_deleted_while_its_file_is_not_mounted(play):
    """Two hours are less than a hundredth of twelve days, and every look finds them gone."""
    world = play(f"unmount * events {at(-30)} {at(-28)} from {at(1)} to {at(120)}",
                 plant=Plant("mixed", points=70, begins=T0 - timedelta(days=12)), tags=[{"include": ["M.*", "Nan*"]}])
    for hours in (24.5, 26, 27.5, 29, 30.5, 32, 33.5, 60, 61.5):
        assert world.run(hours, code=None)["rows_deleted"] == 0, hours
    for hours in (121, 145, 147):
        world.run(hours)
    world.check()


def test_a_member_that_lacks_some_hours_and_has_what_is_new(play):
    world = play(f"unmount * events {at(-2)} {at(1)} from {at(1)} to {at(25)}")
    world.run(0.5)
    for hours in (1.5, 3, 24):
        world.clock.set(T0 + timedelta(hours=hours))
        world.here.call("run")
    for hours in (26, 30, 55, 57):
        world.run(hours)
    world.check()


def test_a_last_covered_row_that_is_deleted_leaves_after_two_looks(play):
    # Rows up to ten minutes before a run are covered: of a row a second, this is the last one or the one before.
    lines = (f"delete {tag} event {at(-1 / 6 - seconds / 3600)} at {at(0.1)}"
             for tag in ("Dense.Fast", "Dense.Storm", "Dense.LongRun") for seconds in range(3))
    world = play(*lines)
    held = [len(world.run(hours, code=None)["held"]) for hours in (0.5, 1, 1.6, 2)]
    assert held[0] > 0 and held[-1] == 0, held
    world.run(30)
    world.run(31.5)
    world.check()


def test_a_backup_in_place_of_the_archive_waits_for_a_person(play):
    world = play(f"restore * backup {at(-2)} at {at(1)}")
    world.run(0.9)
    for hours in (1.5, 3, 26):
        world.refuses(hours, TRY_AGAIN)
    world.adopt()
    world.run(27.1, "--allow-deletes")
    world.check()


def test_another_archive_stops_the_run_until_it_is_adopted(play):
    world = play(f"exchange * at {at(1)}")
    for hours in (1.5, 3, 26, 50):
        assert "adopt" in world.refuses(hours, TRY_AGAIN)
    world.adopt()
    world.run(51.5, code=LEFT_OUT)  # asks for the word of a person before it deletes so much
    world.run(51.6, "--allow-deletes")
    world.check()


# Permission


@pytest.mark.parametrize("how", ["404", "403", "empty"])
@pytest.mark.parametrize("tags", ["*", "Dense.*"])
def test_a_permission_that_is_lost_for_a_day_takes_nothing_away(play, tags, how):
    world = play(f"deny {tags} from {at(1)} to {at(25)} as {how}")
    before = world.rows()
    for hours in (1.5, 3, 24):
        world.clock.set(T0 + timedelta(hours=hours))
        world.here.call("run")
        lost = before.join(world.rows().select(KEY), KEY, join_type="left anti")
        assert len(lost) < 70, lost  # snapshots at most: compression may have taken them
    world.run(26, "--try-all")
    for hours in (27.5, 52, 54):
        world.run(hours)
    world.check()


def test_a_permission_that_is_cut_in_the_middle_of_a_run(play):
    world = play(f"deny * from {at(20)} to {at(22)} as 403")
    source = world.here.config["source"]
    world.configure(source={**source, "budget": {"calls_per_second": 5, "in_flight": 1}, "patience": "2s"})
    world.clock.set(T0 + timedelta(hours=19.9))
    before = world.rows()
    run = world.here.start()
    time.sleep(3)
    assert run.poll() is None
    world.clock.set(T0 + timedelta(hours=20.1))
    run.wait(120)
    world.configure(source=source)
    lost = before.join(world.rows().select(KEY), KEY, join_type="left anti")
    assert len(lost) < 70, lost  # snapshots at most
    for hours in (22.1, 46, 48):
        world.run(hours)
    world.check()


# Points


def test_a_point_that_is_added_is_read_from_its_creation(play):
    world = play(f"add Dense.* at {at(1)}", f"add M.* pick 5 at {at(2)}")
    assert world.run(1.5)["points_added"] == 7
    world.check()
    world.run(3)
    world.check()


def test_the_history_of_an_added_point_is_found_when_it_is_loaded(play):
    world = play(f"add Dense.F* at {at(1)} history {at(5)}", f"add Dense.P* at {at(1)} history {at(30)}")
    for hours in (1.5, 3, 6, 7.5, 26, 27.5, 50, 196, 198):
        world.run(hours)
    world.check()


def test_a_point_that_is_removed_keeps_its_rows(play):
    world = play(f"remove Dense.Fast at {at(1)}", f"remove Dense.Pairs at {at(1)} as 410")
    world.run(0.9)
    kept = of(world.truth(), "Dense.Fast", "Dense.Pairs")
    vanished = {entry["tag"].rpartition("\\")[2] for entry in world.run(2, code=LEFT_OUT)["vanished"]}
    assert vanished == {"Dense.Fast", "Dense.Pairs"}
    world.clock.set(T0 + timedelta(hours=50))
    world.here.call("run")
    world.check_as(pa.concat_tables([world.truth(), kept]))


def test_a_renamed_point_goes_on_as_the_same_series(play):
    world = play(f"rename Dense.Fast at {at(1)} name \"Dense Quick\"")
    changed = world.run(2)["points_changed"]
    assert [change["what"] for change in changed] == ["renamed from 'Dense.Fast' to 'Dense Quick'"]
    world.run(3)
    world.check_as(world.truth(), but=("tag_name",))
    names = pc.unique(world.rows()["tag_name"]).to_pylist()
    assert {"Dense.Fast", "Dense Quick"} <= set(names)


def test_a_point_that_is_made_again_is_another_series(play):
    world = play(f"recreate Dense.Fast at {at(1)} again {at(2)}")
    world.run(0.9)
    first = of(world.truth(), "Dense.Fast")
    world.clock.set(T0 + timedelta(hours=1.5))
    world.here.call("run")
    world.clock.set(T0 + timedelta(hours=3))
    world.here.call("run")
    world.check_as(pa.concat_tables([world.truth(), first]))


def becomes_otherwise(play, line: str, *tags: str) -> None:
    """What the archive shows otherwise from now on is replaced in all of a history far longer than second looks go."""
    world = play(line, plant=Plant("mixed", points=70, begins=T0 - timedelta(days=6)), tags=[{"include": list(tags)}])
    rows = world.rows()
    world.run(2)
    world.check()
    changed = world.rows().join(rows, [*KEY, "value", "value_int", "value_code", "value_string"], join_type="left anti")
    assert len(changed) > 100
    world.run(3)
    world.check()


@pytest.mark.parametrize("tags, becomes", [("M.Int32.*", "Float64"), ("M.Float32.*", "Int32"),
                                           ("M.Int32.*", "String"), ("M.Int16.*", "Digital set Modes")])
def test_a_type_changes(play, tags, becomes):
    becomes_otherwise(play, f"retype {tags} at {at(1)} type {becomes}", tags)


def test_a_span_changes_and_what_is_stored_as_a_share_of_it(play):
    becomes_otherwise(play, f"set M.Float* at {at(1)} span 1000", "M.Float*")


def test_a_state_is_called_otherwise(play):
    becomes_otherwise(play, f"relabel Modes code 1 at {at(1)} name Automatic", "M.Digital.*", "M.Float32.*")


def test_many_types_change_at_once(play):
    world = play(f"retype M.Float* at {at(1)} type Int32", plant=Plant("mixed", points=150, begins=SMALL.begins),
                 tags=[{"include": ["M.*"]}])
    assert len(world.run(2)["points_changed"]) > 20
    world.check()


def test_units_change(play):
    world = play(f"set Dense.Fast at {at(1)} units furlong descriptor \"was else\"")
    assert world.run(2)["points_changed"]
    world.check_as(world.truth(), but=("units",))


def test_points_that_run_ahead_and_forecasts_that_are_revised(play):
    world = play(f"edit Forecast.* count 30 events {at(1)} {at(40)} at {at(0.5)} spread 3h",
                 f"edit Ahead.9min count 20 events {at(0.2)} {at(2)} at {at(2.1)}")
    for hours in (0.25, 0.75, 2, 5, 38):
        world.run(hours)
        assert pc.max(of(world.rows(), "Ahead.9min")["timestamp_100ns"]).as_py() > ticks(world.clock.now)
    for hours in (63, 64.5):
        world.run(hours)
    world.check()


def test_forecasts_are_shown_to_their_horizon_and_revisions_of_what_passed_are_found(play):
    world = play(f"edit Forecast.* count 30 events {at(-5)} {at(40)} at {at(0.5)}",
                 f"edit Forecast.* count 5 events {at(-4)} {at(0)} at {at(1.5)}")
    world.configure(future={"horizon": "2d", "refresh": "1h", "lookback": "6h"})
    world.ahead = timedelta(days=2)
    for hours in (1, 2):
        assert world.run(hours)["rows_changed"] > 0
        world.check()
    world.configure(future={"horizon": "15m"})
    world.ahead = AHEAD
    world.run(2.3)
    world.check()


def test_what_is_missing_when_it_is_first_read_is_found_when_it_comes(play):
    world = play(f"unmount * events {at(-16)} {at(-12)} from {at(-1)} to {at(6)}")
    assert world.here.status()["looks"]["silence"] > 0
    world.run(1.5)
    assert world.here.status()["looks"]["silence"] > 0
    for hours in (7, 26):
        world.run(hours)
    world.check()


# The configuration


def test_tags_that_are_not_selected_any_more_keep_their_rows_and_go_on_when_they_are_again(play):
    world = play()
    kept = but_for(world.rows(), *tags_of_m(world.rows()))
    world.configure(tags=[{"include": ["M.*"]}])
    summary = world.run(2)
    assert not summary["vanished"] and not summary["points_changed"]
    world.check(only_selected=True)
    assert not differences(but_for(world.rows(), *tags_of_m(world.rows())), kept)
    world.configure(tags=[{"include": ["*"]}])
    world.run(4)
    world.check()


def test_a_history_that_begins_earlier_is_filled_and_one_that_begins_later_stays(play):
    world = play(begins=T0 - timedelta(hours=6))
    world.configure(history={"from": iso(SMALL.begins), "settle": "10m"})
    world.here.begins = SMALL.begins
    world.run(1)
    world.check()
    world.configure(history={"from": at(-2), "settle": "10m"})
    world.run(2)
    truth, rows = world.truth(), world.rows()
    lacking = truth.join(rows.select(KEY), KEY, join_type="left anti")
    assert len(rows) + len(lacking) == len(truth)
    # Of what is not final, and so stands in the tail, only what is wanted is shown.
    assert set(lacking["tag_name"].to_pylist()) <= {"One.Event"}


# Clocks and calendars


@pytest.mark.parametrize("zone, night", [("Europe/Berlin", "2026-03-28T23:30:00Z"), ("Europe/Berlin", "2026-10-24T22:30:00Z"),
                                         ("America/New_York", "2026-11-01T04:30:00Z")])
def test_the_hour_that_is_there_twice_or_not_at_all_is_an_hour(simulate, site, clock, monkeypatch, zone, night):
    monkeypatch.setenv("TZ", zone)
    clock.set(utc(night) + timedelta(minutes=15))
    plant = Plant("mixed", points=70, begins=utc(night))
    here = site(simulate(plant), tail="current")
    for minutes in range(30, 240, 30):
        clock.set(utc(night) + timedelta(minutes=minutes))
        here.run()
        check_all(here.table, plant, clock.now, here.begins)


# The server


def test_a_server_that_is_renamed_is_the_same(play):
    world = play(f"server at {at(1)} name OTHER")
    world.run(2)
    world.check()


def test_a_server_with_another_identity_is_another(play):
    world = play(f"server at {at(1)} moved")
    kept = world.rows()
    said = world.refuses(2, FOR_A_PERSON)
    assert "--accept-vanished" in said
    world.run(2.5, "--accept-vanished")
    world.run(3)
    world.check_as(pa.concat_tables([world.truth(), kept]))


@pytest.mark.parametrize("clock_of", ["host", "archive"])
@pytest.mark.parametrize("off", ["2h", "-2h"])
def test_clocks_that_disagree_stop_the_run(play, clock_of, off):
    world = play(f"clock {clock_of} off {off} from {at(1)} to {at(3)}")
    assert "clock" in world.refuses(2, FOR_A_PERSON)
    world.run(4)
    world.check()


@pytest.mark.parametrize("off", ["2h", "-2h", "50s"])
def test_clocks_that_are_off_alike_end_in_an_equal_table(play, off):
    world = play(*(f"clock {whose} off {off} from {at(1)} to {at(3)}" for whose in ("host", "archive")))
    for hours in (1.5, 2, 3.5, 6):
        world.run(hours)
    world.check()


def test_a_client_whose_clock_is_wrong_by_hours_goes_by_the_servers(play, tmp_path):
    from drive import Clock  # the client's own
    world = play()
    truth_clock, world.here.clock = world.clock, Clock(tmp_path / "client-clock", T0 + timedelta(hours=5))
    for hours in (1, 2):
        truth_clock.set(T0 + timedelta(hours=hours))
        world.here.clock.set(T0 + timedelta(hours=hours - 7))
        world.here.run()
        world.check()
