# SPDX-License-Identifier: Apache-2.0
"""What is not established about the real server is read either way by the simulator; the table is right
under each."""

import re

import pytest

from drive import Plant, call, utc
from truth import check

OTHERS = {
    "unknown_webid_in_set": ["whole_404", "item_errors"],
    "items_limit": ["max_count", "produced"],
    "csrf_status": ["403"],
    "nan": ["string", "null"],
    "float_digits": ["double"],
    "float_integral": ["bare"],
    "escapes": ["ascii"],
    "webexception_needs_selecting": ["no"],
    "template_status": ["200"],
    "child_of_failed": ["400", "500"],
    "batch_parts_limited": ["no"],
    "links_key": ["Self"],
    "flags_as_strings": ["yes"],
    "member_order": ["shuffled"],
    "extra_members": ["yes"],
    "timestamps_trim": ["no"],
    "equal_time_descending": ["stable"],
    "time_compare": ["exact"],
    "blob": ["501", "error"],
    "set_order": ["name"],
    "queued_snapshot": ["hidden"],
    "counted": ["all", "numbers"],
    "count_of_none": ["no_data"],
    "flag_filters": ["no"],
    "webid_type": ["IDOnly", "PathOnly", "LocalIDOnly", "DefaultIDOnly"],
}
# Those about news that is pushed or asked for by marker, which no run of `pilake run` listens to.
OF_NEWS = {
    "swapped_archive", "failover_pipes", "lost_marker", "stale_marker", "overflow", "registered_status",
    "registered_word", "updated_word", "channel_order", "channel_delete", "channel_items", "heartbeat", "channel_end",
}
BEGINS = utc("2026-03-03T18:00:00Z")


def test_every_reading_of_the_simulator_is_tried():
    known = call("simulate", "--reading", "none=such").err
    assert set(re.search(r"there are (.*)", known)[1].split(", ")) == set(OTHERS) | OF_NEWS


@pytest.mark.parametrize("reading", [f"{key}={word}" for key, words in OTHERS.items() for word in words])
def test_the_table_is_right_with(simulate, site, clock, reading):
    plant = Plant("mixed", points=70, begins=BEGINS, readings=[reading])
    here = site(simulate(plant))
    # Points that cannot be read at all are left out, and said to be.
    here.run(code=3 if reading == "blob=501" else 0)
    check(here.table, plant, clock.now, here.settle, here.begins)


def test_the_table_is_right_with_all_of_them_at_once(simulate, site, clock):
    readings = [f"{key}={words[0]}" for key, words in OTHERS.items()]
    plant = Plant("mixed", points=70, begins=BEGINS, readings=readings)
    here = site(simulate(plant))
    here.run(code=3)
    check(here.table, plant, clock.now, here.settle, here.begins)
