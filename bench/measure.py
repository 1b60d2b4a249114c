# SPDX-License-Identifier: Apache-2.0
"""What a process costs while it works: wall and CPU time, and memory as it grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from drive import BINARY, Clock, Plant, Simulator, Site, utc  # noqa: E402

NOW = utc("2026-03-04T04:00:00Z")
SETTLE = timedelta(minutes=10)
MIB = 1 << 20


@dataclass
class Cost:
    """`rss` holds (seconds since the start, bytes), sampled while the process ran."""

    seconds: float
    cpu_seconds: float
    rss_max: int
    rss: list[tuple[float, int]]
    simulator_cpu_seconds: float
    out: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


def memory(pid: int) -> dict[str, int]:
    """VmRSS and VmHWM in bytes; empty once the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except ProcessLookupError:
        return {}
    fields = dict(line.split(":", 1) for line in lines)
    return {key: int(fields[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM") if key in fields}


def cpu_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def measure(site: Site, simulator: Simulator, command: str, *flags: object, code: int = 0,
            pause: float = 0.02) -> Cost:
    """Runs `pilake COMMAND` for `site`. What it prints goes to files in the site's folder."""
    out, log = site.folder / "out.txt", site.folder / "log.txt"
    simulator_before = cpu_seconds(simulator.pid)
    with out.open("wb") as stdout, log.open("wb") as stderr:
        began = time.monotonic()
        process = subprocess.Popen([BINARY, *map(str, site.args(command, *flags))], stdin=subprocess.DEVNULL,
                                   stdout=stdout, stderr=stderr)
        rss, rss_max = [], 0
        while True:
            # The peak is read from /proc, since ru_maxrss counts this program's memory before the exec in.
            used = memory(process.pid)
            if "VmHWM" in used:
                rss.append((time.monotonic() - began, used["VmRSS"]))
                rss_max = used["VmHWM"]
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(pause)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        sys.exit(f"pilake {command} ended with {process.returncode}:\n{log.read_text()}")
    return Cost(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, rss_max=rss_max, rss=rss,
                simulator_cpu_seconds=cpu_seconds(simulator.pid) - simulator_before, out=out.read_text())


class Bars:
    """The bars of a benchmark: prints each beside its figure, and remembers whether all were cleared."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def at_least(self, what: str, figure: float, bar: float) -> None:
        self._print(what, figure, f"at least {bar:,g}", figure >= bar)

    def at_most(self, what: str, figure: float, bar: float) -> None:
        self._print(what, figure, f"at most {bar:,g}", figure <= bar)

    def _print(self, what: str, figure: float, bar: str, cleared: bool) -> None:
        shown = f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:,.3g}"
        print(f"  {what:<44} {shown:>12}   {bar:<20} {'ok' if cleared else 'MISSED'}")
        if not cleared:
            self.missed.append(what)


def finish(bars: Bars, figures: dict[str, Any], file: str | None) -> None:
    """Keeps the figures and ends the program, with 1 if a bar was missed."""
    figures["missed"] = bars.missed
    if file:
        Path(file).write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(1 if bars.missed else 0)


def plant_of_events(events: int, points: int = 200, now: datetime = NOW) -> Plant:
    """The plant `bench` with some `events` final events: ten a second and point."""
    span = timedelta(seconds=events / points / 10)
    return Plant("bench", points=points, begins=now - SETTLE - span)


__all__ = ["BINARY", "Bars", "Clock", "Cost", "MIB", "NOW", "Plant", "SETTLE", "Simulator", "Site", "finish", "measure",
           "cpu_seconds",
           "memory", "plant_of_events", "utc"]
