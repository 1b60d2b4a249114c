# SPDX-License-Identifier: Apache-2.0
"""The tables as Spark sees them."""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from ..errors import InvalidError

TABLES = {
    "pi_timeseries": """
        tag_webid string, tag_name string, timestamp timestamp, timestamp_100ns bigint, ordinal int,
        value double, value_int bigint, value_string string, value_code int, value_kind string,
        good boolean, questionable boolean, substituted boolean, annotated boolean, units string,
        ingestion_timestamp timestamp""",
    "pi_points": """
        tag_webid string, server string, tag_name string, path string, descriptor string,
        point_type string, units string, digital_set string, zero double, span double, step boolean,
        future boolean""",
    "pi_digital_states": "server string, digital_set string, code int, name string",
}


_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "timestamp": TimestampType(),
    "bigint": LongType(),
    "int": IntegerType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
}


def schema_of(table: str) -> StructType:
    """Made by hand: the process that plans has no session that could read DDL."""
    columns = (column.split() for column in TABLES[table].split(","))
    return StructType([StructField(name, _TYPES[kind]) for name, kind in columns])


def check(table: str, asked: StructType) -> list[str]:
    """The columns of `asked`, which must be columns of `table`. Raises `InvalidError`."""
    ours = {field.name: field.dataType for field in schema_of(table)}
    for field in asked:
        if field.name not in ours:
            raise InvalidError(f"{table} has no column {field.name}; it has {', '.join(ours)}")
        if ours[field.name] != field.dataType:
            raise InvalidError(f"column {field.name} of {table} is of type "
                               f"{ours[field.name].simpleString()}, not {field.dataType.simpleString()}")
    return asked.fieldNames()
