# SPDX-License-Identifier: Apache-2.0
"""How a stream is seen from outside: its page, and `status --watch`."""

import re
import signal
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from drive import BINARY, Plant, call, free_port, get, metrics_of, utc

SMALL = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))


def until(holds, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := holds():
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def seen(simulate, site):
    """A running stream and its port."""
    port = free_port()
    here = site(simulate(SMALL), tail="current", stream={"listen": f"127.0.0.1:{port}"})
    process = here.start(command="stream")
    yield here, port, process
    process.kill()
    process.wait()


def test_its_page_tells_prometheus_and_an_orchestrator_how_it_is(seen):
    here, port, process = seen
    until(lambda: get(port, "/readyz")[0] == 200)
    assert get(port, "/healthz") == (200, "alive\n")
    assert get(port, "/readyz") == (200, "caught up\n")
    until(lambda: 'pilake_series{way="channel"} 0' not in get(port, "/metrics")[1])
    status, metrics = get(port, "/metrics")
    families = list(text_string_to_metric_families(metrics))  # which fails for what Prometheus would not take
    assert len(families) > 20 and all(family.documentation for family in families)
    values = metrics_of(port)
    assert values["pilake_caught_up"] == 1
    assert values["pilake_series_selected"] == 40
    assert values["pilake_channels_open"] == values["pilake_channels_wanted"] > 0
    assert values["pilake_rows_settled_total"] > 100
    assert get(port, "/nothing")[0] == 404
    assert get(port, "/metrics", "DELETE")[0] == 405


def test_what_is_asked_to_hear_of_new_events_counts_as_asked(simulate, site, clock):
    port = free_port()
    here = site(simulate(SMALL), tail="current", tags=[{"include": ["*"], "hear": "sweep"}],
                stream={"listen": f"127.0.0.1:{port}", "sweep_every": "1s", "settle_every": "1h"})
    process = here.start(command="stream")
    try:
        until(lambda: get(port, "/readyz")[0] == 200)
        before = until(lambda: metrics_of(port))
        passes = before["pilake_passes_total"]
        clock.go(1)
        now = until(lambda: (now := metrics_of(port))["pilake_calls_total"] > before["pilake_calls_total"] + 2 and now)
        assert now["pilake_passes_total"] == passes  # so it is nobody who reads the archive
        assert now["pilake_series_reads_total"] >= before["pilake_series_reads_total"] + 2 * SMALL.points
        assert now["pilake_wire_bytes_total"] > before["pilake_wire_bytes_total"]
        assert now["pilake_events_read_total"] > before["pilake_events_read_total"]
    finally:
        process.kill()
        process.wait()


def test_status_watch_shows_a_running_stream_line_by_line_where_there_is_no_terminal(seen):
    here, port, process = seen
    until(lambda: get(port, "/readyz")[0] == 200)
    watch = subprocess.Popen([BINARY, "status", "-c", here.file, "--watch", "--every", "200ms"],
                             stdout=subprocess.PIPE, text=True)
    lines = [watch.stdout.readline() for _ in range(3)]
    watch.send_signal(signal.SIGINT)
    assert watch.wait(10) == 0
    for line in lines:
        assert re.match(r"\S+Z caught up.* lag=\S+.* events=\S+/s live=\S+/s .*budget=\d+%", line), line


def test_watching_what_does_not_run_says_so(site, simulate):
    port = free_port()
    here = site(simulate(SMALL), tail="current", stream={"listen": f"127.0.0.1:{port}"})
    outcome = call("status", "-c", here.file, "--watch")
    assert outcome.code == 5 and f"no `pilake stream` shows itself at 127.0.0.1:{port}" in outcome.err
    here.config["stream"] = {}
    here.write()
    outcome = call("status", "-c", here.file, "--watch")
    assert outcome.code == 2 and "set stream.listen" in outcome.err


def test_a_port_that_is_taken_is_said_before_anything_is_done(seen, site, simulate):
    here, port, process = seen
    until(lambda: get(port, "/healthz")[0] == 200)
    other = site(simulate(SMALL), name="other", tail="current", stream={"listen": f"127.0.0.1:{port}"})
    outcome = other.call("stream")
    assert outcome.code == 2 and "stream.listen" in outcome.err and "another port" in outcome.err
    assert not other.table.exists()
