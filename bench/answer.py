# SPDX-License-Identifier: Apache-2.0
"""Whether a table of any size is right, in little memory: digests of each series, the table's and the truth's.

A digest holds the number of rows, the sum and the exclusive or of their times, of their values' bits and of a
mix of all columns of a row, each modulo 2^64. Tests compare tables row by row (tests/e2e/truth.py).
"""

from __future__ import annotations

import subprocess
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from deltalake import DeltaTable

from measure import BINARY, Plant  # which also knows where the modules of the tests are

import truth  # noqa: E402
from drive import iso  # noqa: E402

COLUMNS = [name for name in truth.COLUMNS.names if name != "timestamp"]
WORDS = np.uint64  # modulo 2^64
SUMS, XORS = 3, 3


def _hash(values: pa.Array) -> np.ndarray:
    """A word for each text; null differs from any."""
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    words = [zlib.crc32(text.encode()) + 1 for text in values.dictionary.to_pylist()] + [0]
    return np.array(words, dtype=WORDS)[values.indices.fill_null(len(words) - 1).to_numpy()]


def _words(values: pa.Array) -> np.ndarray:
    """A word for each value, whatever the type; null differs from nought."""
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        return _hash(values)
    nulls = values.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(kind):
        words = values.cast(pa.uint8()).fill_null(2).to_numpy().astype(WORDS)
    elif pa.types.is_floating(kind):
        numbers = values.fill_null(0.0).to_numpy().copy()
        numbers[np.isnan(numbers)] = np.nan
        words = numbers.view(WORDS).copy()
    else:
        words = values.cast(pa.int64()).fill_null(0).to_numpy().view(WORDS).copy()
    words[nulls] ^= WORDS(0xA5A5A5A5A5A5A5A5)
    return words


def _mix(columns: list[np.ndarray]) -> np.ndarray:
    mixed = np.full(len(columns[0]), 0x9E3779B97F4A7C15, dtype=WORDS)
    for column in columns:
        mixed ^= column
        mixed *= WORDS(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> WORDS(31)
    return mixed


class Digests:
    def __init__(self) -> None:
        self.rows = 0
        self.by_series: dict[str, list[int]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows == 0:
            return
        self.rows += batch.num_rows
        series = batch["tag_webid"]
        if not pa.types.is_dictionary(series.type):
            series = series.dictionary_encode()
        codes = series.indices.to_numpy()
        begins = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])
        sizes = np.diff(np.append(begins, len(codes)))
        columns = {name: _words(batch[name]) for name in COLUMNS}
        measures = [columns["timestamp_100ns"], columns["value"], _mix(list(columns.values()))]
        sums = [np.add.reduceat(words, begins) for words in measures]
        xors = [np.bitwise_xor.reduceat(words, begins) for words in measures]
        names = series.dictionary.take(pa.array(codes[begins])).to_pylist()
        for i, name in enumerate(names):
            self._add(name, int(sizes[i]), [int(words[i]) for words in sums], [int(words[i]) for words in xors])

    def _add(self, name: str, rows: int, sums: list[int], xors: list[int]) -> None:
        digest = self.by_series.setdefault(name, [0] * (1 + SUMS + XORS))
        digest[0] += rows
        for i, word in enumerate(sums):
            digest[1 + i] = (digest[1 + i] + word) % 2**64
        for i, word in enumerate(xors):
            digest[1 + SUMS + i] ^= word


def _stream(plant: Plant, at: datetime) -> Iterator[pa.Table]:
    """The truth in pieces, each of whole series."""
    command = [BINARY, "simulate", "truth", *plant.flags(), "--at", iso(at), "--until", iso(at + truth.AHEAD)]
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        reader = pa.csv.open_csv(
            process.stdout,
            read_options=pa.csv.ReadOptions(block_size=32 << 20),
            parse_options=pa.csv.ParseOptions(newlines_in_values=False),
            convert_options=pa.csv.ConvertOptions(
                column_types={**{f.name: f.type for f in truth.COLUMNS}, "state": pa.string()},
                include_columns=[*COLUMNS, "state"],
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
                true_values=["true"], false_values=["false"]))
        rest = None
        for batch in reader:
            piece = pa.Table.from_batches([batch])
            if rest is not None:
                piece = pa.concat_tables([rest, piece])
            series = piece["tag_webid"].combine_chunks()
            last = pc.index(pc.equal(series, series[len(series) - 1]), True).as_py()
            if last:
                yield piece.slice(0, last)
            rest = piece.slice(last)
        if rest is not None:
            yield rest
    if process.returncode != 0:
        raise RuntimeError(f"simulate truth ended with {process.returncode}")


def expected(plant: Plant, at: datetime, settle: timedelta) -> Digests:
    """Of the rows that are final at `at`. Texts of the plant must hold no line breaks."""
    digests = Digests()
    for piece in _stream(plant, at):
        for batch in truth.final(piece, at, settle, plant.begins).combine_chunks().to_batches():
            digests.add(batch)
    return digests


def found(path: Path | str, storage: dict[str, str] | None = None) -> Digests:
    """Of the rows that delta-rs finds in the table; `storage` says how to reach its store."""
    digests = Digests()
    for batch in DeltaTable(str(path), storage_options=storage).to_pyarrow_dataset().to_batches(columns=COLUMNS, batch_readahead=2,
                                                                       fragment_readahead=1):
        digests.add(batch)
    return digests


def check(path: Path | str, truth_digests: Digests, storage: dict[str, str] | None = None) -> None:
    """Fails with a sentence unless the table holds just the rows of the truth."""
    table = found(path, storage)
    wrong = [name for name in truth_digests.by_series.keys() | table.by_series.keys()
             if truth_digests.by_series.get(name) != table.by_series.get(name)]
    if wrong or table.rows != truth_digests.rows:
        raise SystemExit(f"WRONG ANSWER: {table.rows:,} rows, {truth_digests.rows:,} expected; {len(wrong)} series "
                         f"differ, first of them {sorted(wrong)[:3]}")
