#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Storms by seed: `chaos.py --seeds 500`. Prints what struck how often; a failure names the seed that repeats it."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storm import Storm


def brave(seed: int, keep: bool) -> tuple[int, Counter, str]:
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    try:
        struck, failure = Storm(seed, folder).run(), ""
    except Exception as error:  # noqa: BLE001: whatever it is, the seed is to be named
        struck, failure = Counter(), f"{type(error).__name__}: {error}"
    if failure and keep:
        failure += f"\nleft in {folder}"
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return seed, struck, failure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many storms")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--each-kind", type=int, default=0, help="fail if some kind struck less often than this")
    parser.add_argument("--keep", action="store_true", help="leave the folders of storms that failed")
    options = parser.parse_args()

    began, struck, failed = time.monotonic(), Counter(), []
    with ThreadPoolExecutor(options.at_once) as pool:
        seeds = range(options.first, options.first + options.seeds)
        for done, (seed, counts, failure) in enumerate(pool.map(lambda seed: brave(seed, options.keep), seeds), 1):
            struck += counts
            if failure:
                failed.append(seed)
                print(f"\nseed {seed} failed; again with: chaos.py --first {seed} --seeds 1 --keep\n{failure}", flush=True)
            elif sys.stderr.isatty():
                print(f"\r{done} of {options.seeds}", end="", file=sys.stderr, flush=True)

    print(f"\n{options.seeds} storms in {time.monotonic() - began:.0f} s, "
          f"{sum(struck.values())} things struck, {len(failed)} tables not equal to the truth: {failed or 'none'}")
    for kind, count in sorted(struck.items()):
        print(f"  {kind:<24} {count:>7}")
    rare = [kind for kind, count in struck.items() if count < options.each_kind]
    if rare:
        print(f"struck fewer than {options.each_kind} times: {', '.join(rare)}")
    print(f"{options.seeds - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or rare else 0


if __name__ == "__main__":
    sys.exit(main())
