# SPDX-License-Identifier: Apache-2.0
"""What pilake asks of a server whose capacity halves and then recovers, in real time.

Between `pilake run` and the simulator stands a gate with the capacity of a scene. In one it answers 429 to all requests
above its rate, as PI Web API does; in the other it works on a few calls at a time, for so long each, and the others wait.
The budget bounds only the calls in flight, so that it is the governor who finds out what the server can do.

    tools/governor.sh                    five minutes; writes docs/governor.svg

Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from drive import Clock, Plant, Simulator, Site, utc  # noqa: E402

NOW = utc("2026-03-04T09:30:00Z")
# Points enough that none of the scenes runs out of calls: each is asked for alone.
PLANT = Plant("wide", points=25_000, begins=utc("2026-03-04T00:00:00Z"))

HALVES_AT, RECOVERS_AT, ENDS_AT = 60, 150, 300
RECOVERED_BY = 240
THROTTLED_PERCENT = 1.0
SHARE_OF_ALLOWED = 0.8


@dataclass
class Scene:
    """What the server can do at a second of the scene."""

    name: str
    title: str
    requests_per_second: Callable[[float], float] = lambda at: float("inf")
    seconds_per_call: Callable[[float], float] = lambda at: 0.0
    workers: int = 8

    def allowed(self, second: int) -> float:
        call = self.seconds_per_call(second)
        return min(self.requests_per_second(second), self.workers / call if call else float("inf"))


def is_halved(at: float) -> bool:
    return HALVES_AT <= at < RECOVERS_AT


SCENES = [
    Scene("limit", "A server that answers 429 above its limit",
          requests_per_second=lambda at: 30 if is_halved(at) else 60),
    Scene("slow", "A server whose every call takes twice as long, four at a time",
          seconds_per_call=lambda at: 0.16 if is_halved(at) else 0.08, workers=4),
]


@dataclass
class Seen:
    """What the gate saw, by second."""

    offered: list[int] = field(default_factory=lambda: [0] * (ENDS_AT + 1))
    served: list[int] = field(default_factory=lambda: [0] * (ENDS_AT + 1))
    refused: list[int] = field(default_factory=lambda: [0] * (ENDS_AT + 1))


class Gate:
    """Passes requests on to the simulator as far as the scene's capacity goes."""

    REFUSAL = b'{"Errors":["Rate limit was reached"]}'

    def __init__(self, scene: Scene, upstream_port: int):
        self.scene = scene
        self.seen = Seen()
        self._upstream_port = upstream_port
        self._workers = asyncio.Semaphore(scene.workers)
        self._began = time.monotonic()

    @property
    def at(self) -> float:
        return min(time.monotonic() - self._began, ENDS_AT)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(length_of(head))
                writer.write(await self._answer(head, body))
                await writer.drain()
        writer.close()

    async def _answer(self, head: bytes, body: bytes) -> bytes:
        second = int(self.at)
        self.seen.offered[second] += 1
        if self.seen.offered[second] > self.scene.requests_per_second(second):
            self.seen.refused[second] += 1
            return (b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(self.REFUSAL), self.REFUSAL))
        async with self._workers:
            ends = time.monotonic() + self.scene.seconds_per_call(self.at)
            answer = await self._pass_on(head, body)
            await asyncio.sleep(max(0.0, ends - time.monotonic()))
        self.seen.served[int(self.at)] += 1
        return answer

    async def _pass_on(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        # The connection to the client stays open: the body tells its own end.
        return answer.replace(b"Connection: close\r\n", b"", 1)


def length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def play(scene: Scene, folder: Path) -> Seen:
    folder.mkdir()
    clock = Clock(folder / "clock", NOW)
    with Simulator(PLANT, clock, folder, "--rate-limit", "0") as simulator:
        gate = Gate(scene, simulator.port)
        server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/piwebapi"
        site = Site(folder / "site", url, PLANT.begins, clock, source={"url": url, "gzip": "off", "budget": {
            "in_flight": 8, "calls_per_second": 0, "series_reads_per_second": 0, "events_per_second": 0}})
        run = site.start("--transport", "single")
        while gate.at < ENDS_AT:
            await asyncio.sleep(0.5)
            if run.poll() is not None:
                sys.exit(f"the run of scene {scene.name} ended too early, see {site.folder}/run.log:\n"
                         + (site.folder / "run.log").read_text()[-2000:])
        run.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(run.wait, 30) == 130
        server.close()
        return gate.seen


def judge(scene: Scene, seen: Seen) -> bool:
    allowed = [scene.allowed(second) for second in range(ENDS_AT)]
    throttled = 100 * sum(seen.refused) / sum(seen.offered)
    whole = sum(seen.served[:ENDS_AT]) / sum(allowed)
    recovered = sum(seen.served[RECOVERED_BY:ENDS_AT]) / sum(allowed[RECOVERED_BY:])
    print(f"\n{scene.title}: {sum(seen.offered):,} requests in {ENDS_AT} s")
    good = True
    for what, figure, bar, is_good in [
            ("refused with 429, percent", throttled, f"below {THROTTLED_PERCENT:g}", throttled < THROTTLED_PERCENT),
            ("of what the server could do", whole, f"at least {SHARE_OF_ALLOWED:g}", whole >= SHARE_OF_ALLOWED),
            (f"the same, after second {RECOVERED_BY}", recovered, f"at least {SHARE_OF_ALLOWED:g}",
             recovered >= SHARE_OF_ALLOWED)]:
        print(f"  {what:<36} {figure:>8.3g}   {bar:<16} {'ok' if is_good else 'MISSED'}")
        good &= is_good
    return good


def draw(scenes: list[Scene], all_seen: list[Seen], file: Path) -> None:
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "pilake", "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False})
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(len(scenes), 1, figsize=(8, 5.6), sharex=True, layout="constrained")
    seconds = range(ENDS_AT)
    for axis, scene, seen in zip(axes, scenes, all_seen):
        axis.plot(seconds, [scene.allowed(second) for second in seconds], color="0.35", linewidth=1.5,
                  drawstyle="steps-post", label="the server can do")
        axis.plot(seconds, seen.offered[:ENDS_AT], color="tab:blue", linewidth=1, label="pilake asks")
        met = [second for second in seconds if seen.refused[second]]
        if met:
            axis.scatter(met, [seen.offered[second] for second in met], color="tab:red", s=14, zorder=3,
                         label=f"429 ({sum(seen.refused)} of {sum(seen.offered):,})")
        axis.set_title(scene.title, loc="left", fontsize=9)
        axis.set_ylabel("requests a second")
        axis.set_ylim(bottom=0)
        axis.legend(loc="lower right", bbox_to_anchor=(1, 0.97), ncols=3, frameon=False, borderaxespad=0)
    axes[-1].set_xlabel("seconds")
    figure.savefig(file, metadata={"Date": None})


async def play_all(folder: Path) -> list[Seen]:
    return await asyncio.gather(*(play(scene, folder / scene.name) for scene in SCENES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, help="write the picture here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        all_seen = asyncio.run(play_all(Path(folder)))
    good = all([judge(scene, seen) for scene, seen in zip(SCENES, all_seen)])
    if options.plot:
        draw(SCENES, all_seen, options.plot)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
