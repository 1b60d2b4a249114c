# SPDX-License-Identifier: Apache-2.0
"""Draws how far a table was behind the plant over time, from what `bench/live.py --json` wrote.

    tools/live.sh                    writes docs/live.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "pilake", "font.size": 9, "axes.spines.top": False,
                            "axes.spines.right": False})
import matplotlib.pyplot as plt  # noqa: E402

BARS = {"hot": (2.5, 6), "cold": (20, 45)}
TITLES = {"hot": "hot points, by channels", "cold": "the others, by Stream Updates"}


def draw(figures: dict, file: Path) -> None:
    figure, axes = plt.subplots(2, 1, figsize=(8, 5.6), sharex=True, layout="constrained")
    for axis, kind in zip(axes, ("hot", "cold")):
        seconds, p50, p99 = zip(*figures[kind]["course"])
        axis.plot(seconds, p50, color="tab:blue", linewidth=1, label=f"P50: {figures[kind]['p50']:.1f} s in all")
        axis.plot(seconds, p99, color="tab:red", linewidth=1, label=f"P99: {figures[kind]['p99']:.1f} s in all")
        for bar, color in zip(BARS[kind], ("tab:blue", "tab:red")):
            axis.axhline(bar, color=color, linewidth=0.6, linestyle=":")
        events = figures[kind]["events"]
        axis.set_title(f"{TITLES[kind]}: {events:,} events; dotted: the bars", loc="left", fontsize=9)
        axis.set_ylabel("seconds behind")
        axis.set_ylim(bottom=0)
        axis.legend(loc="upper right", ncols=2, frameon=False)
    axes[-1].set_xlabel("seconds")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text())["all"], Path(sys.argv[2]))
