# SPDX-License-Identifier: Apache-2.0
"""`spark.read.format("pilake")` and `spark.readStream.format("pilake")` against the truth."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import DataFrame, SparkSession

import pilake.spark
from stream_driver import upsert_into
from drive import Clock, Plant, Simulator, Site, iso, ticks, utc
from truth import COLUMNS, KEY, differences, final, read, span, visible

PLANT = Plant("mixed", points=300, begins=utc("2026-03-02T00:00:00Z"))
NOW = utc("2026-03-05T00:00:00Z")


@pytest.fixture(scope="session")
def pi(spark: SparkSession) -> SparkSession:
    pilake.spark.register(spark)
    return spark


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("plant")
    clock = Clock(folder / "clock", NOW)
    with Simulator(PLANT, clock, folder) as simulator:
        yield Site(folder / "site", simulator.url, PLANT.begins, clock, tail="current")


def reader(spark: SparkSession, site: Site, **options: object):
    return (spark.read.format("pilake").option("config", str(site.file)).option("testClock", str(site.clock.path))
            .options(**{key: str(value) for key, value in options.items()}))


def arrow(rows: DataFrame) -> pa.Table:
    """The rows in key order, as the truth has them."""
    table = rows.select(COLUMNS.names).toArrow()
    place = table.schema.get_field_index("timestamp")
    micros = table["timestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return table.set_column(place, "timestamp", micros).cast(COLUMNS).sort_by([(key, "ascending") for key in KEY])


def truth_between(folder: Path, begin, end) -> pa.Table:
    rows = visible(PLANT, NOW, folder).select(COLUMNS.names)
    at = rows["timestamp_100ns"]
    return rows.filter(pc.and_(pc.greater_equal(at, ticks(begin)), pc.less(at, ticks(end))))


def test_what_spark_reads_is_the_truth_and_what_the_binary_wrote(pi, plant, tmp_path):
    pi.sql("DROP TABLE IF EXISTS events")
    rows = reader(pi, plant, partitions=8).load()
    assert rows.rdd.getNumPartitions() == 8
    rows.write.format("delta").mode("overwrite").option("path", str(tmp_path / "events")).saveAsTable("events")
    table = arrow(pi.table("events"))
    expected = truth_between(tmp_path, PLANT.begins, NOW + timedelta(minutes=15))
    assert differences(table, expected) == ""
    plant.run()
    assert differences(table, read(plant.table)) == ""


def test_conditions_narrow_what_is_asked_of_the_archive(pi, plant, tmp_path):
    name = truth_between(tmp_path, PLANT.begins, NOW)["tag_name"][0].as_py()
    begin, end = utc("2026-03-03T06:00:00Z"), utc("2026-03-03T18:00:00Z")
    rows = reader(pi, plant).load().where(
        f"tag_name = '{name}' AND timestamp >= '{iso(begin)}' AND timestamp < '{iso(end)}'")
    expected = truth_between(tmp_path, begin, end)
    expected = expected.filter(pc.equal(expected["tag_name"], name))
    assert len(expected) > 0
    assert differences(arrow(rows), expected) == ""
    assert rows.rdd.getNumPartitions() == 1


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_conditions_mean_the_same_in_every_time_zone(pi, plant, tmp_path, zone):
    begin, end = utc("2026-03-03T06:00:00Z"), utc("2026-03-03T07:00:00Z")
    pi.conf.set("spark.sql.session.timeZone", zone)
    count = reader(pi, plant).load().where(f"timestamp >= '{iso(begin)}' AND timestamp < '{iso(end)}'").count()
    pi.conf.set("spark.sql.session.timeZone", "UTC")
    assert count == len(truth_between(tmp_path, begin, end))


def test_it_works_where_conditions_are_not_shown_to_sources(pi, plant):
    pi.conf.set("spark.sql.python.filterPushdown.enabled", "false")
    pi.dataSource.register(pilake.spark.PiDataSource)
    rows = reader(pi, plant, start="2026-03-04T23:00:00Z").load()
    assert rows.where("timestamp >= '2026-03-04T23:30:00Z'").count() > 0
    pilake.spark.register(pi)


def test_a_schema_chooses_columns(pi, plant):
    rows = reader(pi, plant, start="2026-03-04T12:00:00Z", end="2026-03-04T13:00:00Z")
    few = rows.schema("tag_name string, timestamp timestamp, value double").load()
    assert few.columns == ["tag_name", "timestamp", "value"]
    assert few.count() == rows.load().count() > 0
    with pytest.raises(Exception, match="pi_timeseries has no column valeu"):
        rows.schema("valeu double").load().count()


def test_points_and_digital_states_are_tables_too(pi, plant):
    points = reader(pi, plant, table="pi_points").load()
    assert points.count() == 300
    assert points.where("point_type = 'Digital' AND digital_set <> ''").count() > 0
    states = reader(pi, plant, table="pi_digital_states").load()
    assert states.where("digital_set = 'System' AND name = 'Pt Created'").count() == 1


def test_options_may_stand_for_the_file(pi, plant):
    url = plant.config["source"]["url"]
    rows = (pi.read.format("pilake").option("source.url", url).option("tags.include", "M.Float64*, M.Int32*")
            .option("source.budget.in_flight", "4").option("testClock", str(plant.clock.path))
            .option("start", "2026-03-04").load())
    assert {name[:9] for (name,) in rows.select("tag_name").distinct().collect()} == {"M.Float64", "M.Int32.0"}


@pytest.mark.parametrize(("options", "sentence"), [
    ({"source.ur": "http://x"}, "source.ur: is no key; did you mean source.url"),
    ({"config": "nowhere.yaml"}, "nowhere.yaml cannot be read"),
    ({"table": "pi_evnts"}, "there is no table 'pi_evnts'"),
    ({"start": "yesterday"}, "'yesterday' is no time"),
    ({"partitions": "many"}, "'many' is no whole number"),
])
def test_an_option_that_cannot_work_is_named(pi, options, sentence):
    with pytest.raises(Exception, match=sentence):
        pi.read.format("pilake").options(**options).load().count()


def test_secrets_do_not_show(pi, plant, tmp_path):
    password = "tAHJ-not-to-be-seen"
    rows = (pi.read.format("pilake").option("source.url", plant.config["source"]["url"])
            .option("source.auth.kind", "basic").option("source.auth.username", "reader")
            .option("source.auth.password", password).option("tags.include", "M.Int32.0*")
            .option("testClock", str(plant.clock.path)).option("start", "2026-03-04"))
    frame = rows.load()
    explained = frame._jdf.queryExecution().toString() + frame._jdf.queryExecution().analyzed().treeString()
    assert password not in explained
    with pytest.raises(Exception) as failed:
        rows.option("source.ur", "x").load().count()
    assert password not in str(failed.value)


# ---- Streams


@pytest.fixture
def moving(tmp_path: Path):
    """A plant whose clock a test moves."""
    clock = Clock(tmp_path / "clock", NOW)
    with Simulator(PLANT, clock, tmp_path) as simulator:
        yield Site(tmp_path / "site", simulator.url, PLANT.begins, clock)


def stream(spark: SparkSession, site: Site, **options: object) -> DataFrame:
    return (spark.readStream.format("pilake").option("config", str(site.file))
            .option("testClock", str(site.clock.path))
            .options(**{key: str(value) for key, value in options.items()}).load())


def catch_up(rows: DataFrame, site: Site, write: Callable[[DataFrame, int], None] | None = None) -> int:
    """Lets the stream run until it has caught up; how many batches it took."""
    writer = rows.writeStream.option("checkpointLocation", str(site.folder / "checkpoint")).trigger(availableNow=True)
    query = (writer.foreachBatch(write).start() if write
             else writer.format("delta").start(str(site.folder / "events")))
    query.awaitTermination()
    return len(query.recentProgress)


def final_now(site: Site) -> pa.Table:
    now = site.clock.now
    return final(visible(PLANT, now, site.folder), now, span(site.settle), site.begins).select(COLUMNS.names)


def test_a_stream_brings_what_is_final_each_once(pi, moving):
    batches = 0
    for hours in (0, 3, 1):
        moving.clock.advance(hours=hours)
        batches += catch_up(stream(pi, moving, maxEventsPerTrigger=200_000), moving)
        rows = arrow(pi.read.format("delta").load(str(moving.folder / "events")))
        assert differences(rows, final_now(moving)) == ""
    assert batches > 3  # the first one alone was cut into several


def test_what_came_late_or_was_edited_comes_again_with_a_second_look(pi, tmp_path):
    began = utc("2026-03-03T23:00:00Z")
    plant = Plant("mixed", points=100, begins=utc("2026-03-03T00:00:00Z")).playing(
        tmp_path / "script",
        "insert * count 60 events 2026-03-03T20:00:00Z 2026-03-03T22:30:00Z at 2026-03-03T23:30:00Z spread 20m",
        "edit * count 60 events 2026-03-03T20:00:00Z 2026-03-03T22:30:00Z at 2026-03-03T23:30:00Z unmarked")
    clock = Clock(tmp_path / "clock", began)
    with Simulator(plant, clock, tmp_path) as simulator:
        site = Site(tmp_path / "site", simulator.url, plant.begins, clock)
        events = str(site.folder / "events")
        for _ in range(7):
            catch_up(stream(pi, site, secondLook="4h"), site, upsert_into(events))
            clock.advance(hours=1)
        clock.advance(hours=-1)
        rows = arrow(pi.read.format("delta").load(events))
        expected = final(visible(plant, clock.now, tmp_path), clock.now, span(site.settle), site.begins)
        assert differences(rows, expected.select(COLUMNS.names)) == ""


# ---- Writing through pilake's own commits


def test_binary_and_spark_take_turns_on_one_table(pi, moving):
    moving.run()
    moving.clock.advance(hours=3)
    moving.config["history"]["from"] = iso(PLANT.begins - timedelta(days=2))
    moving.write()
    report = pilake.spark.write(pi, config=str(moving.file), testClock=str(moving.clock.path), at_once=2,
                                rows_per_task=300_000)
    assert report["commits"] > 2
    moving.clock.advance(hours=1)
    moving.run()
    rows = read(moving.table)
    now = moving.clock.now
    expected = final(visible(PLANT, now, moving.folder), now, span(moving.settle), PLANT.begins)
    assert differences(rows, expected.select(COLUMNS.names)) == ""
