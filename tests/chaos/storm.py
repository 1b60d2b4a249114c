# SPDX-License-Identifier: Apache-2.0
"""One seeded storm: a plant to which things happen, a server and a store that fail, runs that meet and are killed.

Afterwards the weather is fine, the clock goes on until every look that the storm gave reason for has been made, and the
table must be equal to the truth. Everything is drawn from the seed, so that a seed that fails fails again, but for what
two processes do to each other in time.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from drive import BINARY, Clock, Plant, Simulator, Site, iso, utc  # noqa: E402
from truth import differences, final, read, span, ticks, visible  # noqa: E402

BEGIN = utc("2026-03-04T09:30:00Z")
HUNG_AFTER = float(os.environ.get("PILAKE_HUNG_AFTER", "120"))  # seconds
# Kinds of faults of the server that pass, with the most of all calls that they may strike.
FAULTS = {"429": 0.03, "500": 0.05, "502": 0.05, "503": 0.05, "504": 0.03, "reset": 0.05, "truncate": 0.05,
          "hang_up": 0.05, "cut_head": 0.05, "empty200": 0.05, "html200": 0.03, "html502": 0.03, "garbage200": 0.03,
          "webexception": 0.05, "stream_webexception": 0.05, "part500": 0.05, "part429": 0.02}
LIES = ["fail", "slow", "lost", "late", "retry", "cut", "stale"]
# What a run may end with while it storms: done, failed, a page that is none of PI's, series left out, not reachable.
FINE_IN_A_STORM = {0, 1, 2, 3, 5}


@dataclass
class Storm:
    seed: int
    folder: Path
    struck: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.clock = Clock(self.folder / "clock", BEGIN)
        self.tail = self.random.choice(["current", "current", "none"])
        begins = BEGIN - timedelta(hours=self.random.choice([2, 5, 9]))
        plant = Plant("mixed", points=70, seed=self.random.randrange(1, 10_000), begins=begins)
        self.ends = BEGIN + timedelta(hours=self.random.choice([1, 4, 9]))
        self.plant = plant.playing(self.folder / "script", *self.script(begins))
        self.flags = ["--rows-per-shard", str(self.random.choice([2_000, 20_000, 4_000_000]))]
        if self.random.random() < 0.5:
            self.flags += ["--transport", self.random.choice(["single", "set", "batch"])]

    def moment(self, begin: datetime, end: datetime) -> str:
        return iso(begin + (end - begin) * self.random.random())

    def script(self, begins: datetime) -> list[str]:
        """What happens to the plant before `ends`."""
        r, lines = self.random, []
        tags = ["*", "M.*", "Dense.*"]
        for verb in ("insert", "edit", "delete"):
            for _ in range(r.randrange(3)):
                selected = "Dense.*" if verb == "delete" else r.choice(tags)
                lines.append(f"{verb} {selected} count {r.randrange(1, 8 if verb == 'delete' else 40)} "
                             f"events {iso(begins + timedelta(minutes=5))} {iso(BEGIN - timedelta(minutes=20))} "
                             f"at {self.moment(BEGIN, self.ends)}" + (" unmarked" if verb == "edit" and r.random() < 0.3 else ""))
                self.struck[verb] += 1
        for kind in ("outage", "queue", "unreadable"):
            if r.random() < 0.5:
                continue
            first, second = sorted((self.moment(BEGIN, self.ends), self.moment(BEGIN, self.ends)))
            if kind == "outage":
                line = f"outage {r.choice(tags)} from {first} to {second}"
                line += ' state "I/O Timeout"' if r.random() < 0.5 else ""
                line += r.choice([" buffered", " buffered over 5m"])
            elif kind == "queue":
                line = f"queue {r.choice(tags)} from {first} to {second}" + r.choice(["", " lag 5m", " over 3m"])
            else:
                line = f"unreadable M.* pick 4 as {r.choice(['404', '403', '500', 'item', 'webexception'])} from {first} to {second}"
            lines.append(line)
            self.struck[kind] += 1
        return lines + self.hidden(begins)

    def hidden(self, begins: datetime) -> list[str]:
        """What another member, files that are not mounted, or a lost permission hide for a while."""
        r = random.Random(f"hidden {self.seed}")  # of its own, so that whatever else a seed means stays
        if r.random() < 0.1:
            return []
        first, second = sorted(iso(BEGIN + (self.ends - BEGIN) * r.random()) for _ in range(2))
        kind = ["failover", "split", "unmount", "deny"][self.seed % 4]
        self.struck[kind] += 1
        when = f"from {first} to {second}"
        if kind == "unmount":
            events = sorted(iso(begins + (BEGIN - begins) * r.random()) for _ in range(2))
            return [f"unmount * events {events[0]} {events[1]} {when}"]
        if kind == "deny":
            return [f"deny {r.choice(['*', 'M.*', 'Dense.*'])} {when} as {r.choice(['404', '403', 'empty'])}"]
        lag = f"lag {r.choice(['10m', '40m', '3h'])}"
        return [f"failover {when} {lag}" + (" split" if kind == "split" else r.choice(["", " frozen"]))]

    def faults(self) -> list[str]:
        flags = []
        for kind in self.random.sample(sorted(FAULTS), 4):
            flags += ["--fault", f"{kind}={self.random.uniform(0, FAULTS[kind]):.3f}"]
        return [*flags, "--fault-seed", str(self.random.randrange(1_000_000))]

    def trial(self) -> dict[str, str]:
        """An accident of the process with its table, or a store that lies."""
        dice = self.random.random()
        if dice < 0.25:
            step = self.random.choice(["data-put", "data-landed", "log-put", "log-landed", "checksum-put"])
            self.struck[f"die at {step}"] += 1
            return {"PILAKE_TRIAL": f"die={step}:{self.random.randrange(1, 4)}"}
        if dice < 0.5:
            lies = self.random.sample(LIES, 2)
            self.struck.update(f"store: {lie}" for lie in lies)
            return {"PILAKE_TRIAL": f"lies={'+'.join(lies)},rate=0.05,seed={self.random.randrange(1_000_000)}"}
        return {}

    def start(self, site: Site) -> subprocess.Popen:
        env = {**os.environ, **self.trial()}
        log = (site.folder / "run.log").open("ab")
        return subprocess.Popen([BINARY, *map(str, site.args("run", *self.flags))], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, env=env)

    def end(self, run: subprocess.Popen, site: Site) -> None:
        """Lets a run end, or kills it at some moment."""
        try:
            if self.random.random() < 0.3:
                self.struck["kill"] += 1
                time.sleep(self.random.uniform(0, 0.5))
                run.send_signal(signal.SIGKILL)
            code = run.wait(HUNG_AFTER)
        except subprocess.TimeoutExpired:
            run.kill()
            raise AssertionError("a run hangs") from None
        assert code in FINE_IN_A_STORM | {-signal.SIGKILL}, (
            f"exit code {code}:\n" + (site.folder / "run.log").read_text()[-1500:])

    def rage(self) -> Site:
        """The storm itself."""
        site = None
        moments = sorted(self.random.random() for _ in range(self.random.randrange(3, 7)))
        for moment in [0.0, *moments, 1.0]:
            self.clock.set(BEGIN + (self.ends - BEGIN) * moment)
            with Simulator(self.plant, self.clock, self.folder, *self.faults()) as simulator:
                if site is None:
                    site = Site(self.folder / "site", simulator.url, self.plant.begins, self.clock, tail=self.tail)
                    site.config["history"]["second_look"] = "20h"
                    site.config["source"]["timeouts"] = {"stall": "5s"}
                site.config["source"]["url"] = simulator.url
                site.write()
                runs = [self.start(site) for _ in range(2 if self.random.random() < 0.4 else 1)]
                self.struck["two writers"] += len(runs) - 1
                for run in runs:
                    self.end(run, site)
                self.struck.update({name[6:]: count for name, count in simulator.stop().items() if name.startswith("fault_")})
        return site

    def calm(self, site: Site) -> None:
        """Fine weather until the last look is made."""
        with Simulator(self.plant, self.clock, self.folder) as simulator:
            site.config["source"]["url"] = simulator.url
            site.write()
            for hours in (0.1, 2, 46, 1.1, 1.1, 1.1):
                self.clock.advance(hours=hours)
                # What stands at the edge of a small table cannot be proved gone, and waits for a person: that is us.
                outcome = site.call("run", "--json", "--allow-deletes", timeout=HUNG_AFTER)
                assert outcome.code in (0, 3), f"exit code {outcome.code} in fine weather:\n{outcome.err[-1500:]}"
            assert outcome.code == 0, f"not well again after the storm:\n{outcome.out[:1500]}"

    def compare(self, site: Site) -> None:
        expected = visible(self.plant, self.clock.now, self.folder)
        if self.tail == "none":
            expected = final(expected, self.clock.now, span(site.settle), site.begins)
        begin = ticks(site.begins)
        expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], begin))
        found = differences(read(site.table), expected.drop_columns(["state"]))
        assert not found, found

    def run(self) -> Counter:
        site = self.rage()
        self.calm(site)
        self.compare(site)
        return self.struck
