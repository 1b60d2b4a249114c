# SPDX-License-Identifier: Apache-2.0
"""Drives the real binary: a simulator, configurations, runs, and a clock that all of them share."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("PILAKE_BINARY", ROOT / "build/release/pilake"))
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TICKS_PER_SECOND = 10_000_000


def ticks(moment: datetime) -> int:
    """100-ns ticks since 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 10


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metrics_of(port: int) -> dict[str, float]:
    """What the page of a stream at `port` says, by the names and labels of its metrics."""
    lines = get(port, "/metrics")[1].splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Clock:
    """A clock file: simulator and client read their time from it. It stands still until it is set or set going."""

    def __init__(self, path: Path, now: datetime):
        self.path = path
        self.set(now)

    def set(self, now: datetime, rate: float = 0) -> None:
        self.now, self._rate, self._real = now, rate, time.time_ns()
        draft = self.path.with_suffix(".draft")
        draft.write_text(f"{ticks(now)} {rate} {self._real // 100}\n")
        draft.replace(self.path)

    def reading(self) -> datetime:
        """What it shows now, while it runs too."""
        return self.now + timedelta(seconds=(time.time_ns() - self._real) / 1e9 * self._rate)

    def go(self, rate: float) -> None:
        """From now on it runs so many times as fast as the machine's."""
        self.set(self.now, rate)

    def freeze(self) -> None:
        self.set(self.reading())

    def advance(self, **span: float) -> None:
        self.set(self.now + timedelta(**span))


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


def call(*args: object, timeout: float = 300, env: dict[str, str] | None = None, cwd: Path | None = None) -> Outcome:
    done = subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})}, cwd=cwd)
    return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass
class Plant:
    """What simulator and truth must be told alike, so that they mean the same archive."""

    name: str = "mixed"
    points: int = 0
    seed: int = 1
    begins: datetime = utc("2026-03-01T00:00:00Z")
    readings: list[str] = field(default_factory=list)
    script: Path | None = None

    def flags(self) -> list[str]:
        flags = ["--plant", self.name, "--seed", str(self.seed), "--from", iso(self.begins)]
        if self.points:
            flags += ["--points", str(self.points)]
        for reading in self.readings:
            flags += ["--reading", reading]
        if self.script:
            flags += ["--script", str(self.script)]
        return flags

    def playing(self, script: Path, *lines: str) -> Plant:
        """The same plant, to which happens what `lines` tell; they are written to `script`."""
        script.write_text("\n".join(lines) + "\n")
        return replace(self, script=script)


class Simulator:
    """`pilake simulate` in a process of its own, on a port of its own choice."""

    def __init__(self, plant: Plant, clock: Clock, folder: Path, *flags: str):
        self.plant = plant
        self.clock = clock
        self._port_file = folder / f"port-{time.monotonic_ns()}"
        self._log = (folder / "simulator.log").open("ab")
        self._process = subprocess.Popen(
            [BINARY, "simulate", *plant.flags(), *([] if "--port" in flags else ["--port", "0"]), "--port-file",
             self._port_file, "--test-clock", clock.path, *flags],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.port = self._wait_for_port()
        scheme = "https" if "--tls" in flags else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/piwebapi"

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + 60
        while not self._port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"the simulator does not start, see {self._log.name}:\n"
                                   + Path(self._log.name).read_text())
            time.sleep(0.02)
        return int(self._port_file.read_text())

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> dict[str, int]:
        """Ends it; what it counted."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._log.close()
        counted = Path(self._log.name).read_text().rpartition("answered ")[2].split()
        return {name: int(count) for name, _, count in (word.partition("=") for word in counted)}

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Site:
    """A folder with a configuration and a table; what a user of pilake has."""

    def __init__(self, folder: Path, url: str, begins: datetime, clock: Clock | None = None, settle: str = "10m",
                 tail: str = "none", **changes: Any):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.clock = clock
        self.table = folder / "table"
        self.begins = begins
        self.settle = settle
        self.config: dict[str, Any] = {
            "source": {"name": "plant1", "url": url},
            "tags": [{"include": ["*"]}],
            "history": {"from": iso(begins), "settle": settle},
            "table": {"path": str(self.table), "tail": tail},
        }
        self.config.update(changes)
        self.file = folder / "pilake.yaml"
        self.write()

    def write(self) -> None:
        self.file.write_text(yaml.safe_dump(self.config, sort_keys=False))

    def args(self, command: str, *flags: object) -> list[object]:
        clock = ["--test-clock", self.clock.path] if self.clock and command in ("run", "status", "stream") else []
        return [command, "-c", self.file, *clock, *flags]

    def call(self, command: str, *flags: object, **options: Any) -> Outcome:
        return call(*self.args(command, *flags), **options)

    def run(self, *flags: object, code: int | None = 0) -> dict[str, Any]:
        """`pilake run --json`, which must end with `code`, or in whatever way; its summary."""
        outcome = self.call("run", "--json", *flags)
        assert code is None or outcome.code == code, f"exit code {outcome.code}, not {code}:\n{outcome.err[-2000:]}\n{outcome.out[:2000]}"
        return outcome.json

    def start(self, *flags: object, command: str = "run", env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """`pilake run` in the background, or another command."""
        log = (self.folder / f"{command}.log").open("ab")
        args = [BINARY, *map(str, self.args(command, *flags))]
        return subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def status(self) -> dict[str, Any]:
        outcome = self.call("status", "--json")
        assert outcome.code == 0, outcome.err
        return outcome.json
