#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on files without their licence line, on paths of somebody's machine in the tree, and on citations
of sections that docs/pi-web-api.md does not have."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LICENSED = {".h", ".cc", ".py", ".rs"}
LICENCE = "SPDX-License-Identifier: Apache-2.0"
CITATION = re.compile(r"wire §([\d.]*\d)")
PRIVATE_PATH = re.compile(r"(?<![\w.])/(home|root|Users)/\w")


def sections() -> set[str]:
    """`5.5` for `### 5.5 Pages`."""
    page = (ROOT / "docs/pi-web-api.md").read_text()
    return set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", page, re.MULTILINE))


def complaints(file: str, text: str, known: set[str]) -> list[str]:
    found = []
    if Path(file).suffix in LICENSED and LICENCE not in "\n".join(text.splitlines()[:2]):
        found.append(f"{file}:1: the first line must be the licence line, {LICENCE}")
    for number, line in enumerate(text.splitlines(), start=1):
        if PRIVATE_PATH.search(line):
            found.append(f"{file}:{number}: a path of somebody's own machine")
        for section in set(CITATION.findall(line)) - known:
            found.append(f"{file}:{number}: docs/pi-web-api.md has no section {section}")
    return found


def main() -> int:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    known = sections()
    found = []
    for file in files.stdout.splitlines():
        path = ROOT / file
        if file.startswith(("fuzz/corpus/", "testdata/")) or not path.is_file():
            continue
        found += complaints(file, path.read_text(errors="replace"), known)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
