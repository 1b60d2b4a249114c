# SPDX-License-Identifier: Apache-2.0
"""The bundle's declarative pipeline, run by Spark's own `spark-pipelines` against the simulator.

Delta's connector for open-source Spark takes no AUTO CDC: that one call is replaced by a flow that appends what it is
given, and the test does what AUTO CDC would with it. All else is the file as it stands, with the bundle's configuration.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Iterator

import duckdb
import pyspark
import yaml
from deltalake import DeltaTable, write_deltalake

from bundle import FOLDER, Bundle
from drive import Clock, Plant, Simulator, free_port, iso, utc
from truth import COLUMNS, differences, final, read, span, visible
from workspace import Workspace

PLANT = Plant("mixed", points=60, begins=utc("2026-03-03T00:00:00Z"))
NOW = utc("2026-03-04T09:30:00Z")
SETTLE = "15m"
SECRETS = {"pi_username": "reader", "pi_password": "only-${the}-pipeline 'knows'"}
BIN = Path(pyspark.__file__).parent / "bin"
#: Before the pipeline's own first line. The command line of PySpark 4.2 ends at metrics that every Python worker sends.
STAND_IN = """
from pyspark import pipelines as dp
from pyspark.sql import SparkSession
from pyspark.sql.connect.client import core

answers = core.SparkConnectClient._execute_and_fetch_as_iterator

def without_metrics(*arguments, **options):
    return (one for one in answers(*arguments, **options) if not isinstance(one, core.PlanObservedMetrics))

core.SparkConnectClient._execute_and_fetch_as_iterator = without_metrics

def append(target, source, keys, sequence_by, stored_as_scd_type):
    assert keys == ["tag_webid", "timestamp_100ns", "ordinal"] and sequence_by == "ingestion_timestamp"
    dp.append_flow(target=target, name="appended")(lambda: SparkSession.getActiveSession().readStream.table(source))

dp.create_auto_cdc_flow = append
"""


@contextmanager
def spark_connect(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A server for Spark Connect whose tables are Delta; its address."""
    port = free_port()
    settings = {
        "spark.driver.extraClassPath": f"{os.environ['PILAKE_SPARK_JARS']}/*",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.sources.default": "delta",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [BIN / "spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
             "--master", "local[2]", *words, "spark-internal"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while True:
                assert server.poll() is None and time.monotonic() < deadline, (folder / "server.log").read_text()[-3000:]
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def check_events(folder: Path, plant: Plant, now: datetime, settle: str) -> None:
    """What AUTO CDC would make of what was appended, the newest row of each key, is all that is final."""
    appended = DeltaTable(str(folder / "warehouse/pi_events_current")).to_pyarrow_table()
    newest = duckdb.sql("FROM appended QUALIFY 1 = row_number() OVER ("
                        "PARTITION BY tag_webid, timestamp_100ns, ordinal ORDER BY ingestion_timestamp DESC)")
    write_deltalake(folder / "events", newest.arrow(), mode="overwrite")
    expected = final(visible(plant, now, folder), now, span(settle), plant.begins)
    assert differences(read(folder / "events"), expected.select(COLUMNS.names)) == ""


def test_the_pipeline_shows_final_events_points_and_states(tmp_path):
    plant = PLANT.playing(tmp_path / "script",
                          "insert * count 60 events 2026-03-03T20:00:00Z 2026-03-04T02:00:00Z at 2026-03-04T10:00:00Z",
                          "edit * count 60 events 2026-03-03T20:00:00Z 2026-03-04T02:00:00Z at 2026-03-04T10:00:00Z")
    clock = Clock(tmp_path / "clock", NOW)
    auth = ["--auth", "basic", "--user", SECRETS["pi_username"], "--password", SECRETS["pi_password"]]
    with Simulator(plant, clock, tmp_path, *auth) as simulator, Workspace(**SECRETS) as workspace:
        bundle = Bundle("dev", pi_url=simulator.url, tags="*", history_from=iso(plant.begins))
        pipeline = bundle.resources["pipelines"]["events"]
        (library,) = pipeline["libraries"]
        file = (FOLDER / "resources" / library["file"]["path"]).resolve()
        (tmp_path / file.name).write_text(STAND_IN + file.read_text())
        (tmp_path / "spark-pipeline.yml").write_text(yaml.safe_dump({
            "name": "pilake", "storage": f"file://{tmp_path}/storage", "libraries": [{"glob": {"include": file.name}}],
            "configuration": {**pipeline["configuration"], "pilake.history.settle": SETTLE, "pilake.testClock": str(clock.path)}}))
        environment = {**os.environ, **workspace.environment}
        with spark_connect(tmp_path, environment) as address:
            for hours in (0, 40):  # a second update goes on where the first ended, and looks again
                clock.advance(hours=hours)
                done = subprocess.run([BIN / "spark-pipelines", "--remote", address, "run", "--spec", "spark-pipeline.yml"],
                                      cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
                assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
                check_events(tmp_path, plant, clock.now, SETTLE)
        said = done.stdout + done.stderr + (tmp_path / "server.log").read_text()
    assert SECRETS["pi_password"] not in said
    points = DeltaTable(str(tmp_path / "warehouse/pi_points_current")).to_pyarrow_table()
    assert len(points) == PLANT.points
    states = DeltaTable(str(tmp_path / "warehouse/pi_digital_states_current")).to_pyarrow_table().to_pylist()
    assert [state["digital_set"] for state in states if state["name"] == "Pt Created"] == ["System"]
