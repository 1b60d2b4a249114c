# SPDX-License-Identifier: Apache-2.0
"""A PI System as a Spark data source.

    import pilake.spark
    pilake.spark.register(spark)
    events = spark.read.format("pilake").option("config", "plant.yaml").load()
    pilake.spark.write(spark, config="plant.yaml")
    live = spark.readStream.format("pilake").option("config", "plant.yaml").load()

Options: ``config`` names a configuration file, which driver and executors know by the same path
only if it refers to other files; or the keys of a configuration are options themselves
(``source.url``, ``source.auth.password``, ``tags.include``). Write secrets as ``${env:NAME}`` or
``${file:path}``: they are replaced in the processes that sign on, and nothing else sees them.

Needs pyspark and pyarrow. Every process needs this package.
"""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    DataSourceStreamReader,
    SimpleDataSourceStreamReader,
)
from pyspark.sql.types import StructType

from ..errors import InvalidError
from . import _options, _schemas, _stream
from ._batch import DimensionReader, EventReader, FilteringEventReader
from ._write import write

__all__ = ["FilteringPiDataSource", "PiDataSource", "register", "write"]


class PiDataSource(DataSource):
    """`format("pilake")`."""

    _event_reader: type[EventReader] = EventReader

    @classmethod
    def name(cls) -> str:
        return "pilake"

    def schema(self) -> StructType:
        return _schemas.schema_of(self._read_options().table)

    def reader(self, schema: StructType) -> DataSourceReader:
        options = self._read_options()
        if options.table == "pi_timeseries":
            return self._event_reader(options, schema)
        return DimensionReader(options, schema)

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:
        if not _stream.HAS_LIMITS:
            return super().streamReader(schema)  # so that Spark asks for the simple one
        return _stream.EventStreamReader(self._events_only(), schema)

    def simpleStreamReader(self, schema: StructType) -> SimpleDataSourceStreamReader:
        return _stream.SimpleEventStreamReader(self._events_only(), schema)

    def _read_options(self) -> _options.Options:
        return _options.read(self.options)

    def _events_only(self) -> _options.Options:
        options = self._read_options()
        if options.table != "pi_timeseries":
            raise InvalidError(f"option table: {options.table} cannot be streamed; read it with spark.read")
        return options


class FilteringPiDataSource(PiDataSource):
    """The same for sessions that let Python sources see the conditions of a query, as PySpark 4.1
    and later can: only the tags and times that they speak of are read."""

    _event_reader = FilteringEventReader


def register(spark: SparkSession) -> None:
    """Makes `format("pilake")` known to the session, and lets it see the conditions of a query.

    ``spark.dataSource.register(PiDataSource)`` does the former alone: then narrow what is read by
    the options ``start``, ``end`` and ``tags.include``.
    """
    if hasattr(DataSourceReader, "pushFilters"):
        spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
        spark.dataSource.register(FilteringPiDataSource)
    else:
        spark.dataSource.register(PiDataSource)
