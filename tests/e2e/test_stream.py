# SPDX-License-Identifier: Apache-2.0
"""`pilake stream`: a table seconds behind the plant, of which every version is right."""

import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Iterator

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from drive import Plant, free_port, iso, metrics_of, ticks, utc
from truth import body_files, check_all, check_versions, differences, read, span, visible

SMALL = Plant("mixed", points=70, begins=utc("2026-03-04T06:00:00Z"))
RATE = 60  # simulated seconds a second
LIVE = {"commit_every": "5s", "sweep_every": "10s", "settle_every": "1m"}


class Stream:
    """`pilake stream` in the background, on a clock that runs."""

    def __init__(self, here, clock):
        self.here, self.clock = here, clock
        self.port = free_port()
        here.config["stream"]["listen"] = f"127.0.0.1:{self.port}"
        here.write()
        self.process = None

    def start(self) -> None:
        self.process = self.here.start("--json", command="stream")

    def until(self, holds, seconds: float = 60):
        """Waits until something holds; whatever it returned."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        return found

    def log(self) -> str:
        return (self.here.folder / "stream.log").read_text()

    def is_caught_up(self) -> bool:
        return self.log().count("event=caught_up") > 0

    def is_settled(self) -> bool:
        """Whether the archive was read to its end, as it is at the time at which the clock stands still."""
        try:
            metrics = metrics_of(self.port)
        except OSError:  # it has just been started
            return False
        return metrics["pilake_caught_up"] == 1 and metrics["pilake_settled_lag_seconds"] == 0

    def live(self, minutes: float, rate: float = RATE) -> None:
        """So many simulated minutes pass."""
        self.clock.go(rate)
        time.sleep(minutes * 60 / rate)
        self.clock.freeze()

    def pass_after(self, hours: float) -> None:
        """The archive is read so much later, and whatever that makes due is done."""
        self.clock.advance(hours=hours)
        self.until(self.is_settled)

    def look_at_all(self) -> None:
        """So much time passes that all was looked at a second time."""
        for hours in (25, 1.1, 24, 1.1, 1.1):
            self.pass_after(hours)

    def stop(self) -> dict:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, self.log()
        return json.loads(self.log().splitlines()[-1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def stream(simulate, site, clock, tmp_path):
    """A stream that has caught up at a plant to which happens what the lines say."""
    started = []

    def begin(*lines, plant=SMALL, at=None, **changes) -> tuple[Stream, Plant]:
        if at:
            clock.set(at)
        played = plant.playing(tmp_path / "script", *lines) if lines else plant
        here = site(simulate(played, *changes.pop("faults", [])), tail=changes.pop("tail", "current"),
                    stream={**LIVE, **changes.pop("stream", {})}, **changes)
        here.config["source"]["patience"] = "1s"  # of the machine's time, which does not run faster
        here.write()
        started.append(Stream(here, clock))
        started[-1].start()
        started[-1].until(started[-1].is_caught_up)
        return started[-1], played

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.kill()


def check_settled(stream: Stream, plant: Plant) -> None:
    """Once the archive is read again the table shows all that can be seen; what failed then is tried again soon."""
    settle_every = span(stream.here.config["stream"].get("settle_every", "1m"))
    for _ in range(5):
        stream.pass_after(hours=(settle_every.total_seconds() + 1) / 3600)
        expected = visible(plant, stream.clock.now, stream.here.folder)
        expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], ticks(stream.here.begins)))
        expected = expected.select(read(stream.here.table).column_names)
        if not (found := differences(read(stream.here.table), expected)):
            return
    raise AssertionError(f"{found}\n{stream.here.call('status').out}\n{stream.log()}")


def test_rows_come_before_they_are_settled_and_no_version_holds_one_twice(stream):
    running, plant = stream()
    since = DeltaTable(str(running.here.table)).version()
    running.live(minutes=20)
    check_settled(running, plant)
    summary = running.stop()
    assert summary["live_rows"] > 500
    assert check_versions(running.here.table, since) == summary["live_versions"] > 30
    check_all(running.here.table, plant, running.clock.now, running.here.begins)


@pytest.mark.parametrize("way", ["channels", "updates", "sweep"])
def test_each_way_alone_shows_what_is_new(stream, way):
    running, plant = stream(tags=[{"include": ["*"], "hear": way}])
    since = DeltaTable(str(running.here.table)).version()
    running.live(minutes=12)
    check_settled(running, plant)
    summary = running.stop()
    assert summary["live_rows"] > 300
    assert check_versions(running.here.table, since) == summary["live_versions"] > 10
    check_all(running.here.table, plant, running.clock.now, running.here.begins)


@pytest.mark.parametrize("way", ["auto", "updates"])
def test_whatever_a_data_pipe_does_nothing_is_lost_or_stands_twice(stream, way):
    faults = ["message_dropped=0.1", "message_twice=0.1", "channel_cut=0.02", "channel_closed=0.02",
              "channel_stall=0.01", "markers_lost=0.1", "503=0.02"]
    readings = ["channel_order=shuffled", "heartbeat=empty_frame"]
    running, plant = stream("restart at 2026-03-04T09:36:00Z over 30s",
                            "edit Dense.* count 20 events 2026-03-04T09:00:00Z 2026-03-04T09:30:00Z at 2026-03-04T09:33:00Z",
                            "insert Dense.* count 20 events 2026-03-04T09:00:00Z 2026-03-04T09:30:00Z at 2026-03-04T09:34:00Z",
                            plant=replace(SMALL, readings=readings),
                            tags=[{"include": ["*"], "hear": way}],
                            faults=[flag for fault in faults for flag in ("--fault", fault)])
    since = DeltaTable(str(running.here.table)).version()
    running.live(minutes=15)
    assert check_versions(running.here.table, since) > 5
    running.look_at_all()  # what a message that was lost told of the past is found then
    check_settled(running, plant)
    running.stop()


# The long form: PILAKE_LIVE_HOURS=24 (`make live-day`).
HOURS = float(os.environ.get("PILAKE_LIVE_HOURS", "0.25"))


def outages(begin: datetime, end: datetime, every: timedelta) -> Iterator[str]:
    """Something goes wrong each time, of each kind in turn; and the past changes."""
    kinds = ["outage M.* from {t} to {u} buffered over 1m",
             "outage Dense.* from {t} to {u}",
             "queue Dense.* from {t} to {u} over 2m",
             "restart at {t} over 30s",
             "failover from {t} to {u} lag 5m",
             'outage M.* from {t} to {u} state "I/O Timeout" buffered over 1m',
             "unmount M.* events {past} {lately} from {t} to {u}"]
    for number in range((end - begin) // every):
        at = begin + number * every
        times = {"t": iso(at), "u": iso(at + every / 4), "past": iso(at - every), "lately": iso(at - every / 2)}
        yield kinds[number % len(kinds)].format(**times)
        for what, count in (("edit", 10), ("insert", 10), ("delete", 2)):
            yield "{} Dense.* count {} seed {} events {past} {t} at {u}".format(what, count, number, **times)


def test_a_day_with_an_outage_each_hour_ends_equal_to_the_truth(stream):
    begin, every = utc("2026-03-04T09:32:00Z"), timedelta(hours=1 if HOURS >= 5 else 0.08)
    rhythm = {} if HOURS < 5 else {"commit_every": "30s", "sweep_every": "30s", "settle_every": "3m"}
    running, plant = stream(*outages(begin, begin + timedelta(hours=HOURS), every), stream=rhythm)
    since = DeltaTable(str(running.here.table)).version()
    running.live(minutes=HOURS * 60, rate=RATE if HOURS < 5 else 120)
    assert check_versions(running.here.table, since) > 20
    running.look_at_all()
    check_settled(running, plant)
    running.stop()


class Ageing:
    """Makes the files of a table as old as they are on the simulated clock, or `times` as old, so that what expires does."""

    def __init__(self, table, clock, times: float):
        self.folders = [table, table / "_delta_log", table / "_pilake"]
        self.clock, self.times = clock, times
        self.seen: dict[Path, datetime] = {}

    def look(self) -> None:
        now = self.clock.reading()
        for folder in self.folders:
            for file in folder.iterdir():
                age = now - self.seen.setdefault(file, now)
                if age < timedelta(hours=2):
                    continue  # a writer takes another time of the version that it knows for another's work
                then = time.time() - age.total_seconds() * self.times
                with suppress(FileNotFoundError):  # it has just expired
                    os.utime(file, (then, then))


def resources(pid: int) -> tuple[int, int]:
    """Resident bytes and open files."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024, len(os.listdir(f"/proc/{pid}/fd"))


def bytes_in(folder: Path) -> int:
    """Of its files; some may be gone by the time they are looked at."""
    total = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


# The long form: PILAKE_LIVE_HOURS=168 (`make live-week`).
def test_memory_open_files_and_log_stay_as_they_are(stream):
    parts, hours = 24, HOURS if HOURS >= 100 else 0.8
    rate = 900 if HOURS >= 100 else 120
    rhythm = {"commit_every": "2m", "sweep_every": "2m", "settle_every": "10m"} if HOURS >= 100 else {}
    running, plant = stream(stream=rhythm)
    ageing = Ageing(running.here.table, running.clock, times=4)
    log = running.here.table / "_delta_log"
    memory, files, log_bytes = [], [], []
    for part in range(parts):
        running.live(minutes=hours * 60 / parts, rate=rate)
        ageing.look()
        if HOURS >= 100:
            assert running.here.call("vacuum").code == 0
        rss, open_files = resources(running.process.pid)
        memory.append(rss), files.append(open_files)
        log_bytes.append(bytes_in(log))
    print(f"MiB {[rss >> 20 for rss in memory]}, open files {files}, KiB of log {[size >> 10 for size in log_bytes]}")
    third = parts // 3
    assert max(memory[-third:]) < 1.15 * max(memory[third:-third])
    assert min(files[-third:]) <= min(files[:third]) + 4  # connections and files come and go; a leak stays
    if HOURS >= 100:  # what is older than two days has expired
        assert max(log_bytes[-third:]) < 1.3 * max(log_bytes[third:-third])
    assert len(running.log()) < 1e6 * max(0.02, hours / 168)
    check_settled(running, plant)
    running.stop()


def test_a_day_leaves_as_few_files_as_a_backfill_of_it(stream, simulate, site):
    midnight, hours = utc("2026-03-05T00:00:00Z"), HOURS if HOURS >= 5 else 0.5
    begin = midnight - timedelta(hours=hours)
    running, plant = stream(plant=replace(SMALL, begins=begin - timedelta(hours=1)), at=begin)
    running.live(minutes=hours * 60 + 2, rate=RATE if HOURS < 5 else 120)
    log = running.here.table / "_delta_log"

    def merges() -> list[int]:
        return [int(file.stem) for file in sorted(log.glob("*.json")) if '"OPTIMIZE"' in file.read_text()]

    running.until(lambda: len(merges()) >= 2 and merges()[-1], seconds=180)  # the day's, after those of it
    running.stop()
    assert check_versions(running.here.table) > 10
    other = site(simulate.running[-1], name="other", tail="none")
    other.run()
    backfilled = len(DeltaTable(str(other.table)).file_uris())
    assert len(body_files(running.here.table, merges()[-1])) <= 1.2 * backfilled


def test_an_edit_that_is_heard_is_in_the_table_within_a_minute_and_a_half(stream):
    edited = "2026-03-04T09:33:00Z"
    running, plant = stream("edit Dense.* count 30 events 2026-03-04T07:00:00Z 2026-03-04T09:00:00Z at " + edited,
                            tags=[{"include": ["*"], "hear": "updates"}])
    running.live(minutes=2)
    running.clock.set(utc(edited) + timedelta(seconds=1))
    running.live(minutes=1.45)
    expected = visible(plant, utc(edited), running.here.folder)
    old = pc.and_(pc.less(expected["timestamp_100ns"], ticks(utc("2026-03-04T09:00:00Z"))),
                  pc.greater_equal(expected["timestamp_100ns"], ticks(running.here.begins)))
    table = read(running.here.table)
    table = table.filter(pc.less(table["timestamp_100ns"], ticks(utc("2026-03-04T09:00:00Z"))))
    assert not differences(table, expected.filter(old).select(table.column_names))
    running.stop()


@pytest.mark.parametrize("way", ["auto", "updates"])
def test_an_edit_of_a_hot_point_that_is_heard_is_in_the_table_within_ten_seconds(stream, way):
    edited = utc("2026-03-04T09:33:00Z")
    running, plant = stream(f"edit Dense.* count 30 events 2026-03-04T07:00:00Z 2026-03-04T09:00:00Z at {iso(edited)}",
                            tags=[{"include": ["Dense.*"], "hot": True, "hear": way}, {"include": ["*"]}])
    running.live(minutes=2)
    running.clock.set(edited - timedelta(seconds=2))
    expected = visible(plant, edited, running.here.folder)
    old = pc.and_(pc.less(expected["timestamp_100ns"], ticks(utc("2026-03-04T09:00:00Z"))),
                  pc.greater_equal(expected["timestamp_100ns"], ticks(running.here.begins)))
    expected = expected.filter(old)

    def is_repaired() -> bool:
        table = read(running.here.table)
        table = table.filter(pc.less(table["timestamp_100ns"], ticks(utc("2026-03-04T09:00:00Z"))))
        return not differences(table, expected.select(table.column_names))

    assert not is_repaired()
    running.clock.go(1)
    running.until(is_repaired)
    assert running.clock.reading() - edited < timedelta(seconds=10)
    running.stop()


def test_the_tags_are_read_anew_on_sighup(stream):
    running, plant = stream(tags=[{"include": ["Dense.*"]}])
    running.live(minutes=2)
    running.here.config["tags"] = [{"include": ["Dense.*", "M.Int*"]}]
    running.here.write()
    running.process.send_signal(signal.SIGHUP)
    running.live(minutes=3)
    names = set(read(running.here.table)["tag_name"].unique().to_pylist())
    assert any(name.startswith("M.Int") for name in names) and any(name.startswith("Dense.") for name in names)
    running.here.file.write_text("tags: [")
    running.process.send_signal(signal.SIGHUP)
    running.live(minutes=1)
    assert "the tags stay as they were" in running.log()
    running.stop()


def test_a_stream_that_is_killed_goes_on_where_it_was(stream):
    running, plant = stream()
    for _ in range(3):
        running.live(minutes=3)
        running.kill()
        running.clock.advance(minutes=7)
        running.start()
    check_settled(running, plant)
    running.stop()


@pytest.mark.parametrize("minutes", [0.5, 25])
def test_a_stream_that_is_started_again_reads_each_point_that_moves_once(stream, simulate, minutes):
    running, plant = stream(plant=Plant("live", points=300, begins=utc("2026-03-04T09:00:00Z")), stream={"channels": 0},
                            tags=[{"include": ["*"], "hear": "updates"}])
    running.live(minutes=3)
    running.kill()
    running.clock.advance(minutes=minutes)
    port = running.here.config["source"]["url"].rpartition(":")[2].partition("/")[0]
    simulate.running[-1].stop()
    simulate(plant, "--port", port)  # it counts from now on
    (running.here.folder / "stream.log").unlink()
    running.start()
    running.until(running.is_caught_up)
    running.stop()
    reads = simulate.running[-1].stop()["series_reads"]
    assert 300 <= reads < 1.2 * 300
    check_all(running.here.table, plant, running.clock.now, running.here.begins)


def test_what_changes_behind_a_stream_is_what_it_shows_in_the_end(stream):
    begin, end = "2026-03-04T09:33:00Z", "2026-03-04T09:41:00Z"
    running, plant = stream(f'outage M.* from {begin} to {end} buffered over 2m',
                            f"queue Dense.* from {begin} to {end} over 3m",
                            f"edit Dense.* count 30 events 2026-03-04T09:30:00Z {end} at {end}",
                            f"delete Dense.* count 10 events 2026-03-04T09:30:00Z {end} at {end}")
    running.live(minutes=18)
    running.look_at_all()
    check_settled(running, plant)
    running.stop()


def test_a_point_that_is_added_joins_with_its_history(stream):
    running, plant = stream("add Dense.Fast at 2026-03-04T09:36:00Z history 2026-03-04T09:37:00Z")
    assert "Dense.Fast" not in read(running.here.table)["tag_name"].unique().to_pylist()
    running.live(minutes=18)
    check_settled(running, plant)
    running.stop()
    assert "Dense.Fast" in read(running.here.table)["tag_name"].unique().to_pylist()


def test_a_source_that_goes_away_is_missed_and_found_again(stream, simulate, clock):
    running, plant = stream()
    running.live(minutes=3)
    port = running.here.config["source"]["url"]
    simulate.running[-1].stop()
    running.live(minutes=4)
    running.until(lambda: running.log().count("event=trouble") >= 1)
    simulate(plant, "--port", port.rpartition(":")[2].partition("/")[0])
    running.live(minutes=12)
    check_settled(running, plant)
    running.stop()
    assert running.log().count("\n") < 20  # quiet, in trouble too


def test_a_service_manager_is_told_when_it_has_caught_up_and_when_it_stops(simulate, site, clock, tmp_path):
    here = site(simulate(SMALL), tail="current", stream=LIVE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        running = here.start("--json", command="stream", env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(1000).decode().startswith("READY=1\nWATCHDOG=1\nSTATUS=caught up with 70 series")
        running.send_signal(signal.SIGTERM)
        assert manager.recv(1000) == b"STOPPING=1"
        assert running.wait(10) == 0


def test_a_table_without_tail_is_streamed_too(stream):
    running, plant = stream(tail="none")
    running.live(minutes=15)
    summary = running.stop()
    assert summary["live_rows"] == 0 and summary["rows_settled"] > 1000
