# SPDX-License-Identifier: Apache-2.0
"""The comparison itself: that it finds what it must find, and means what "final" means."""

from datetime import timedelta

import pyarrow as pa
import pytest

from drive import ticks, utc
from truth import COLUMNS, differences, final

T = utc("2026-03-01T12:00:00Z")
SECOND = 10_000_000


def rows(*events: tuple[str, int, int], value: float | None = 1.0, state: str = "archived") -> pa.Table:
    """Rows of (series, seconds before T, ordinal)."""
    columns = {field.name: pa.nulls(len(events), field.type) for field in COLUMNS}
    columns["tag_webid"] = pa.array([e[0] for e in events])
    columns["timestamp_100ns"] = pa.array([ticks(T) - e[1] * SECOND for e in events])
    columns["ordinal"] = pa.array([e[2] for e in events], pa.int32())
    columns["value"] = pa.array([value] * len(events), pa.float64())
    return pa.table(columns).append_column("state", pa.array([state] * len(events)))


def final_ages(events: pa.Table, settle_minutes: int = 10) -> list[int]:
    found = final(events, T, timedelta(minutes=settle_minutes), T - timedelta(days=1))
    return [(ticks(T) - t) // SECOND for t in found["timestamp_100ns"].to_pylist()]


def test_the_newest_event_is_not_final_and_the_one_before_it_is():
    assert final_ages(rows(("a", 9000, 0), ("a", 8000, 0), ("a", 7000, 0))) == [9000, 8000]


def test_events_at_the_time_of_the_newest_are_not_final():
    assert final_ages(rows(("a", 9000, 0), ("a", 7000, 0), ("a", 7000, 1))) == [9000]


def test_one_event_is_no_evidence():
    assert final_ages(rows(("a", 9000, 0), ("b", 9000, 0), ("b", 8000, 0))) == [9000]


def test_what_has_not_settled_is_not_final():
    assert final_ages(rows(("a", 601, 0), ("a", 600, 0), ("a", 10, 0), ("a", 1, 0))) == [601]


def test_events_ahead_of_the_clock_frame_those_before_them():
    assert final_ages(rows(("a", 700, 0), ("a", 650, 0), ("a", -100, 0))) == [700, 650]


def test_what_is_older_than_the_history_is_left_out():
    assert final_ages(rows(("a", 90_000, 0), ("a", 9000, 0), ("a", 10, 0), ("a", 1, 0))) == [9000]


def test_a_snapshot_that_would_be_final_is_an_error():
    with pytest.raises(AssertionError, match="snapshot"):
        final_ages(rows(("a", 9000, 0), ("a", 8000, 0), state="snapshot"))


TWO = rows(("a", 9000, 0), ("a", 8000, 0)).select(COLUMNS.names)


def test_equal_tables_do_not_differ():
    assert differences(TWO, TWO) == ""


def test_a_nan_equals_a_nan():
    nan = rows(("a", 1, 0), value=float("nan")).select(COLUMNS.names)
    assert differences(nan, nan) == ""


@pytest.mark.parametrize(("one", "other"), [(0.0, -0.0), (None, 0.0), (float("nan"), None), (0.1, 0.1 + 1e-16)])
def test_values_that_are_not_the_same_differ(one: float | None, other: float | None):
    ours = rows(("a", 1, 0), value=one).select(COLUMNS.names)
    theirs = rows(("a", 1, 0), value=other).select(COLUMNS.names)
    assert ("column value differs" in differences(ours, theirs)) == (repr(one) != repr(other))


def test_an_empty_text_is_not_a_null():
    empty = TWO.set_column(COLUMNS.get_field_index("value_string"), "value_string", pa.array(["", ""]))
    assert "column value_string differs in 2 rows" in differences(empty, TWO)


@pytest.mark.parametrize("there", [TWO.slice(0, 1), pa.concat_tables([TWO, TWO.slice(1)])])
def test_rows_lacking_or_twice_are_found(there: pa.Table):
    assert "rows, 2 expected" in differences(there, TWO)
    assert differences(TWO, there)
