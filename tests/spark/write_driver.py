# SPDX-License-Identifier: Apache-2.0
"""A driver that a test kills: has executors fill the table of a configuration.

    write_driver.py CONFIG CLOCK FOLDER
"""

import sys

import pilake.spark
import session


def main(config: str, clock: str, _: str) -> None:
    spark = session.start("local[2]")
    pilake.spark.write(spark, config=config, testClock=clock, at_once=2, rows_per_task=100_000)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
