# SPDX-License-Identifier: Apache-2.0
"""How fast Python and Spark read a simulated plant, beside the binary, which writes it into a table. Run by tools/spark.sh. Exits with 1 if a bar is
missed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from measure import NOW, ROOT, Bars, Clock, Plant, Simulator, Site, cpu_seconds, finish

sys.path.insert(0, str(ROOT / "tests/spark"))

import duckdb  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow as pa  # noqa: E402

import pilake  # noqa: E402
import pilake.spark  # noqa: E402
import session  # noqa: E402


def timed(name: str, work: Callable[[], int], rows: int, simulator: Simulator) -> float:
    """Rows a second, after the answer was checked."""
    served = cpu_seconds(simulator.pid)
    began = time.monotonic()
    found = work()
    took = time.monotonic() - began
    if found != rows:
        raise SystemExit(f"WRONG ANSWER: {name} has {found:,} rows, {rows:,} expected")
    print(f"{name:<34} {rows / took:>12,.0f} rows/s in {took:6.1f} s; the simulator took {cpu_seconds(simulator.pid) - served:.1f} s of a core")
    return rows / took


def read_all(source: pilake.Source, take: Callable[[pilake.Rows], int]) -> int:
    return sum(take(source.read(one)) for one in source.plan(partitions=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--hours", type=float, default=72)
    parser.add_argument("--plant", default="mixed")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilake-spark-"))
    spark = session.start()
    pilake.spark.register(spark)
    rates, bars = {}, Bars()
    try:
        plant = Plant(options.plant, points=options.points, begins=NOW - timedelta(hours=options.hours))
        clock = Clock(folder / "clock", NOW)
        with Simulator(plant, clock, folder) as simulator:
            site = Site(folder / "site", simulator.url, plant.begins, clock, tail="current")
            began = time.monotonic()
            site.run()
            rows = site.status()["rows"]
            rates["binary"] = rows / (time.monotonic() - began)
            print(f"{'binary, into a table':<34} {rates['binary']:>12,.0f} rows/s of {rows:,}")
            source = pilake.Source(site.file, test_clock=str(clock.path))
            source.discover()
            for name, take in (("pyarrow", lambda rows: len(pa.table(rows))), ("polars", lambda rows: len(pl.DataFrame(rows))),
                               ("DuckDB", lambda rows: duckdb.sql("SELECT count(value_kind) FROM rows").fetchone()[0])):
                rates[name] = timed(f"Python, into {name}", lambda take=take: read_all(source, take), rows, simulator)
            reader = (spark.read.format("pilake").option("config", str(site.file)).option("testClock", str(clock.path))
                      .option("partitions", "2"))

            def noop() -> int:
                reader.load().write.format("noop").mode("overwrite").save()
                return rows

            def to_delta() -> int:
                reader.load().write.format("delta").mode("overwrite").save(str(folder / "events"))
                return spark.read.format("delta").load(str(folder / "events")).count()

            spark.range(1000).count()  # the session has begun
            rates["spark, rows thrown away"] = timed("Spark, rows thrown away", noop, rows, simulator)
            rates["spark"] = timed("Spark, into Delta", to_delta, rows, simulator)
    finally:
        spark.stop()
        shutil.rmtree(folder)
    bars.at_least("Spark into Delta, rows a second", rates["spark"], 150_000)
    for name in ("pyarrow", "polars", "DuckDB"):
        bars.at_least(f"{name}: of the binary's rate", rates[name] / rates["binary"], 0.8)
    print(f"Spark into Delta is {rates['spark'] / rates['binary']:.2f} of the binary; of its time "
          f"{rates['spark'] / rates['spark, rows thrown away']:.0%} is reading, the rest Spark's Parquet and commit")
    finish(bars, rates, options.json)


if __name__ == "__main__":
    main()
