# SPDX-License-Identifier: Apache-2.0
"""Secrets are seen nowhere. After each test of this folder a scan looks for those that it used; here, for all at once."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

from drive import BINARY, Plant, utc
from secrecy import content, files_of_ours, secret, told

FEW = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))


def test_the_scan_finds_a_secret_in_whatever_form():
    secret("an/example+of one", "me")
    for text in (b"x an/example+of one y", b"an%2Fexample%2Bof%20one", b"Basic bWU6YW4vZXhhbXBsZStvZiBvbmU=",
                 b"YW4vZXhhbXBsZStvZiBvbmU"):
        assert told(text) == ["an/example+of one"], text
    assert told(b"Authorization: Negotiate YIIFvgYGKwYBBQUC") == ["Negotiate YI"]
    assert told(b"nothing at all") == []


def test_the_scan_looks_into_logs_and_tables(simulate, site):
    here = site(simulate(FEW))
    here.run()
    (here.folder / "run.log").write_text("x")
    names = {path.suffix for path in files_of_ours(here.folder)}
    assert {".log", ".json", ".parquet"} <= names
    texts = b"".join(map(content, files_of_ours(here.folder)))
    assert b"M.Int32" in texts, "names of tags stand in the table's columns"


def test_secrets_of_all_kinds_are_seen_nowhere(simulate, site, tmp_path):
    """From the environment, a file and a command; where all goes well and where all fails, in every command."""
    word = secret("pass-w0rd-of-basic", "me")
    simulator = simulate(FEW, "--auth", "basic", "--user", "me", "--password", "pass-w0rd-of-basic")
    (tmp_path / "word").write_text(word + "\n")
    for source in ("${env:PILAKE_TEST_WORD}", "${file:../word}", f"${{command:cat {tmp_path / 'word'}}}"):
        here = site(simulator, "site" + str(time.monotonic_ns()), source={
            "name": "plant1", "url": simulator.url, "auth": {"kind": "basic", "username": "me", "password": source}})
        env = {"PILAKE_TEST_WORD": word}
        for command, *flags in (("run", "--json"), ("check", "--json"), ("check",), ("plan",), ("discover",),
                                ("status", "--json"), ("verify",), ("run",)):
            outcome = here.call(command, *flags, env=env)
            assert outcome.code == 0, (command, outcome.err)
    stop = site(simulator, "refused", source={"url": simulator.url, "auth": {
        "kind": "basic", "username": "me", "password": secret("wr0ng-w0rd", "me")}})
    for command in ("run", "check", "plan", "discover"):
        assert stop.call(command).code != 0


def test_a_process_that_dies_leaves_no_core(simulate, site, tmp_path):
    here = site(simulate(FEW), source={"url": simulate.running[0].url, "budget": {"series_reads_per_second": 1},
                                       "auth": {"kind": "bearer", "token": secret("t0ken-in-memory")}})
    process = subprocess.Popen(
        [BINARY, *map(str, here.args("run"))], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    time.sleep(1)
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"], limits
    process.send_signal(signal.SIGSEGV)
    assert process.wait(20) == -signal.SIGSEGV
    assert not [path for path in os.listdir(tmp_path) if path.startswith("core")]
