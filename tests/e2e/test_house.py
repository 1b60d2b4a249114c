# SPDX-License-Identifier: Apache-2.0
"""The house's own tools: what a newcomer meets first, and what CI believes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drive import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from check_licences import is_accepted  # noqa: E402
from tally import tally  # noqa: E402


def with_commands(folder: Path, **commands: str) -> dict[str, str]:
    """An environment in which some commands are stand-ins."""
    folder.mkdir()
    for name, script in commands.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CI": "true"}


def deps(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "tools/deps.sh", "build"], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)


@pytest.mark.parametrize(("rustc", "found"), [("echo rustc 1.87.0", "1.87.0"), ("exit 127", "none")])
def test_rust_that_is_old_or_missing_is_told_in_one_sentence(tmp_path, rustc, found):
    done = deps(with_commands(tmp_path / "bin", rustc=rustc))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"needs Rust 1.88 or newer (found: {found})" in done.stderr


def test_package_lists_are_fetched_when_an_install_fails_without_them(tmp_path):
    log = tmp_path / "log"
    env = with_commands(
        tmp_path / "bin", dpkg_query="exit 1", sudo='exec "$@"', rustc="echo rustc 1.100.0",
        apt_get=f'echo "$1" >> {log}; [ "$1" = update ] || [ "$(wc -l < {log})" -gt 1 ]')
    assert deps(env).returncode == 0
    assert log.read_text().split() == ["install", "update", "install"]


def test_nothing_is_installed_when_nothing_is_missing(tmp_path):
    env = with_commands(tmp_path / "bin", dpkg_query="printf installed", apt_get="exit 1")
    assert deps(env).returncode == 0


@pytest.mark.parametrize(("log", "has_failed", "counted"), [
    ("100% tests passed, 0 tests failed out of 61", False, (61, 0)),
    ("97% tests passed, 2 tests failed out of 61", True, (59, 2)),
    ("test result: ok. 12 passed; 0 failed; 0 ignored", False, (12, 0)),
    ("1 failed, 2 passed, 3 errors in 1.20s", True, (2, 4)),
    ("== 36 passed in 99.21s (0:01:39) ==", True, (36, 1)),
    ("a step without tests", False, (1, 0)),
    ("a step that crashed", True, (0, 1)),
])
def test_ci_counts_what_suites_say(log, has_failed, counted):
    assert tally(f"before\n{log}\nafter\n", has_failed) == counted


@pytest.mark.parametrize(("expression", "goes"), [
    ("MIT", True), ("MIT OR GPL-3.0", True), ("MIT AND GPL-3.0", False), ("GPL-3.0 OR LGPL-2.1-or-later", False),
    ("(MIT OR GPL-3.0) AND Unicode-3.0", True), ("(MIT AND GPL-3.0) OR AGPL-3.0", False), ("MIT/Apache-2.0", True),
    ("Apache-2.0 WITH LLVM-exception", True), ("none", False),
])
def test_licences_are_judged_by_what_they_ask(expression, goes):
    assert is_accepted(expression) is goes
