# SPDX-License-Identifier: Apache-2.0
"""What a perfect table holds, and whether a table holds just that.

The truth comes from `pilake simulate truth`, which computes it without HTTP, JSON or Parquet; the table
is read by delta-rs. They are compared both ways, every column but `ingestion_timestamp`, bit by bit.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from deltalake import DeltaTable

from drive import Plant, call, iso, ticks

# An ordinary point may run this much ahead of the server's clock.
AHEAD = timedelta(minutes=15)

COLUMNS = pa.schema([
    ("tag_webid", pa.string()), ("tag_name", pa.string()), ("timestamp", pa.int64()),
    ("timestamp_100ns", pa.int64()), ("ordinal", pa.int32()), ("value", pa.float64()), ("value_int", pa.int64()),
    ("value_string", pa.string()), ("value_code", pa.int32()), ("value_kind", pa.string()), ("good", pa.bool_()),
    ("questionable", pa.bool_()), ("substituted", pa.bool_()), ("annotated", pa.bool_()), ("units", pa.string()),
])
KEY = ["tag_webid", "timestamp_100ns", "ordinal"]


def visible(plant: Plant, at: datetime, folder: Path, settled: bool = False, ahead: timedelta = AHEAD) -> pa.Table:
    """All events that a client may see at `at`, those ahead of it by `ahead` included, in key order.

    With `settled`, as the archive is when the plant's script is over and nothing waits or hides any more.
    """
    file = folder / "truth.csv"
    outcome = call("simulate", "truth", *plant.flags(), "--at", iso(at), "--until", iso(at + ahead), "--out", file,
                   *(["--settled"] if settled else []))
    assert outcome.code == 0, outcome.err
    table = pa.csv.read_csv(
        file,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={**{f.name: f.type for f in COLUMNS}, "state": pa.string()},
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["true"], false_values=["false"]))
    file.unlink()
    return table


def final(events: pa.Table, at: datetime, settle: timedelta, begins: datetime) -> pa.Table:
    """The rows of `events` that are final at `at`.

    S is a series' newest event and A the one before it: everything before `A + 1 tick` has passed
    compression, but nothing at S's own time, and nothing younger than `settle`.
    """
    assert len(events) > 0
    web_ids = pc.dictionary_encode(events["tag_webid"].combine_chunks()).indices.to_numpy()
    times = events["timestamp_100ns"].to_numpy()
    ends = np.append(np.flatnonzero(np.diff(web_ids)), len(times) - 1)
    sizes = np.diff(np.append(-1, ends))
    assert len(ends) == len(np.unique(web_ids)), "the truth is not in key order"
    newest, before = times[ends], times[np.maximum(ends - 1, 0)]
    through = np.minimum(np.minimum(before + 1, newest), ticks(at - settle))
    through[sizes < 2] = np.iinfo(np.int64).min
    is_final = (times < np.repeat(through, sizes)) & (times >= ticks(begins))
    rows = events.filter(pa.array(is_final))
    assert set(pc.unique(rows["state"]).to_pylist()) <= {"archived"}, "a snapshot would be taken for final"
    return rows


def read(path: Path | str, storage: dict[str, str] | None = None) -> pa.Table:
    """The table as delta-rs sees it, in key order; `storage` says how to reach its store."""
    table = DeltaTable(str(path), storage_options=storage).to_pyarrow_table(columns=COLUMNS.names)
    table = table.set_column(table.schema.get_field_index("timestamp"), "timestamp",
                             table["timestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()))
    table = table.cast(COLUMNS)
    return table.sort_by([(name, "ascending") for name in KEY])


def check_versions(path: Path, since: int = 0) -> int:
    """No version of the table after `since` holds a row twice. How many of these only added what was heard.

    Each file is read once, when the log adds it; of each version only the keys that it added are looked at.
    """
    keys: dict[str, list[tuple[str, int, int]]] = {}  # of the active files
    standing: Counter[tuple[str, int, int]] = Counter()
    live = 0
    for version in range(DeltaTable(str(path)).version() + 1):
        text = (path / f"_delta_log/{version:020}.json").read_text()
        actions = [json.loads(line) for line in text.splitlines()]
        for removed in (action["remove"]["path"] for action in actions if "remove" in action):
            standing.subtract(keys.pop(removed))
        added = [action["add"] for action in actions if "add" in action]
        for file in added:
            assert not file.get("deletionVector"), f"version {version}: rows that are marked as deleted are not read here"
            rows = pq.read_table(path / file["path"], columns=KEY)
            keys[file["path"]] = list(zip(*(rows[name].to_pylist() for name in KEY)))
            standing.update(keys[file["path"]])
        twice = [key for file in added for key in keys[file["path"]] if standing[key] > 1]
        assert version <= since or not twice, f"version {version} holds rows twice: {twice[:5]}"
        live += version > since and '"STREAMING UPDATE"' in text
    return live


def body_files(path: Path, version: int) -> list[str]:
    """Files of the table's body at `version`: all but those that the coverage record or live versions since call tail."""
    tail: set[str] = set()
    for number in range(version + 1):
        text = (path / f"_delta_log/{number:020}.json").read_text()
        actions = [json.loads(line) for line in text.splitlines()]
        for record in (action["domainMetadata"] for action in actions if "domainMetadata" in action):
            if record["domain"] == "pilake.coverage":
                tail = {line.split()[1] for line in record["configuration"].splitlines() if line.startswith("file ")}
        if '"STREAMING UPDATE"' in text:
            tail |= {action["add"]["path"] for action in actions if "add" in action}
    files = (file.rpartition("/")[2] for file in DeltaTable(str(path), version=version).file_uris())
    return [file for file in files if file not in tail]


def _differs(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> np.ndarray:
    """Row by row; a NaN equals a NaN, and -0.0 is not 0.0."""
    if pa.types.is_floating(ours.type):
        def bits(column: pa.ChunkedArray) -> np.ndarray:
            numbers = column.fill_null(0.0).to_numpy().copy()
            numbers[np.isnan(numbers)] = np.nan
            return numbers.view(np.int64)
        values = bits(ours) != bits(theirs)
    else:
        values = pc.fill_null(pc.not_equal(ours, theirs), False).to_numpy(zero_copy_only=False)
    nulls = pc.not_equal(ours.is_null(), theirs.is_null()).to_numpy(zero_copy_only=False)
    return values | nulls


def _sample(rows: pa.Table) -> str:
    return "\n".join(str(row) for row in rows.select([*KEY, "tag_name", "value_kind"]).slice(0, 5).to_pylist())


def differences(table: pa.Table, expected: pa.Table, but: tuple[str, ...] = ()) -> str:
    """How two tables in key order differ, in the columns `but` or not; in a few lines, empty if they are equal."""
    lacking = expected.join(table.select(KEY), KEY, join_type="left anti")
    too_much = table.join(expected.select(KEY), KEY, join_type="left anti")
    if len(lacking) or len(too_much) or len(table) != len(expected):
        return (f"{len(table)} rows, {len(expected)} expected, {len(lacking)} lacking:\n{_sample(lacking)}\n"
                f"{len(too_much)} too much:\n{_sample(too_much)}")
    for name in (name for name in COLUMNS.names if name not in but):
        rows = np.flatnonzero(_differs(table[name], expected[name]))
        if len(rows):
            pick = rows[:5]
            return (f"column {name} differs in {len(rows)} rows; the table's and the expected:\n"
                    f"{_sample(table.take(pick))}\n{table[name].take(pick)}\n{expected[name].take(pick)}")
    return ""


def span(settle: str) -> timedelta:
    return {"m": timedelta(minutes=1), "h": timedelta(hours=1)}[settle[-1]] * int(settle[:-1])


def check_all(path: Path, plant: Plant, at: datetime, begins: datetime) -> pa.Table:
    """The table with its tail holds all that can be seen of `plant` at `at`, no more and no less."""
    expected = visible(plant, at, path.parent)
    expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], ticks(begins))).select(COLUMNS.names)
    found = differences(read(path), expected)
    assert not found, found
    return expected


def check_site(here, plant: Plant) -> None:
    """The table of `here` shows of `plant` what its configuration says: all, or what is final."""
    if here.config["table"]["tail"] == "none":
        check(here.table, plant, here.clock.now, here.settle, here.begins)
    else:
        check_all(here.table, plant, here.clock.now, here.begins)


def check(path: Path, plant: Plant, at: datetime, settle: str, begins: datetime) -> pa.Table:
    """The table holds the final rows of `plant` as of `at`, no more and no less. Returns them."""
    expected = final(visible(plant, at, path.parent), at, span(settle), begins).select(COLUMNS.names)
    found = differences(read(path), expected)
    assert not found, found
    return expected
