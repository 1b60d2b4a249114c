#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up what the steps of .ci/run say about themselves: `N passed, N failed` is the last line.

A step's log holds the closing lines of ctest, cargo test and pytest. A step without any counts as one
test, and so does one that failed although all its tests passed.
"""

import re
import sys
from pathlib import Path

CTEST = re.compile(r"tests passed, (\d+) tests? failed out of (\d+)")
CARGO = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed")
PYTEST = re.compile(r"^(?:=+ )?((?:\d+ (?:passed|failed|errors?|warnings?|deselected)(?:, )?)+) in [\d.:]+")


def tally(log: str, has_failed: bool) -> tuple[int, int]:
    passed = failed = 0
    for line in log.splitlines():
        if match := CTEST.search(line):
            failed += int(match[1])
            passed += int(match[2]) - int(match[1])
        elif match := CARGO.search(line):
            passed += int(match[1])
            failed += int(match[2])
        elif match := PYTEST.search(line):
            for count, word in re.findall(r"(\d+) (passed|failed|error)", match[1]):
                if word == "passed":
                    passed += int(count)
                else:
                    failed += int(count)
    if has_failed and not failed:
        return passed, 1
    return (passed, failed) if passed or failed else (1, 0)


def main() -> int:
    passed = failed = 0
    for code in sorted(Path(sys.argv[1]).glob("*.exit")):
        has_failed = code.read_text().strip() != "0"
        good, bad = tally(code.with_suffix(".log").read_text(errors="replace"), has_failed)
        print(f"{code.stem}: {good} passed, {bad} failed")
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
