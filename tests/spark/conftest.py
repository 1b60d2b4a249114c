# SPDX-License-Identifier: Apache-2.0
from typing import Iterator

import pytest
from pyspark.sql import SparkSession

import session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    started = session.start()
    yield started
    started.stop()
