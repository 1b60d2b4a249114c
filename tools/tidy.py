#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on every source of the product that changed since it was last found clean.

    tools/tidy.py build/dev

A source is known by the content of all files of the tree that it is made of, so that a warm cache
makes this a matter of seconds. What was clean is remembered in $PILAKE_CACHE/tidy.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLEAN = Path(os.environ.get("PILAKE_CACHE", Path.home() / ".cache/pilake")) / "tidy"


def dependencies(build: Path) -> dict[str, list[Path]]:
    """Object file -> the files of this tree that went into it, as ninja remembers them."""
    deps: dict[str, list[Path]] = {}
    files: list[Path] = []
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        if line and not line.startswith(" "):
            files = deps.setdefault(line.split(":")[0], [])
        elif line.strip():
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT) and not path.is_relative_to(build):
                files.append(path)
    return deps


def fingerprint(command: str, files: list[Path]) -> str:
    # Without the place of the checkout: another one of the same sources is as clean.
    digest = hashlib.sha256(command.replace(str(ROOT), "").encode() + (ROOT / ".clang-tidy").read_bytes())
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def tidy(build: Path, file: str, stamp: Path) -> bool:
    result = subprocess.run(["clang-tidy-19", "--quiet", f"-p={build}", file], capture_output=True, text=True)
    if result.returncode == 0:
        stamp.touch()
        return True
    print(result.stdout, result.stderr, sep="\n")
    return False


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    CLEAN.mkdir(parents=True, exist_ok=True)
    deps = dependencies(build)
    todo = []
    for unit in json.loads((build / "compile_commands.json").read_text()):
        # Tests take clang-tidy a minute each, for GoogleTest's macros; the compiler's eye must do there.
        if unit["file"].endswith("_test.cc"):
            continue
        # What this folder did not build is not in ninja's memory.
        output = re.search(r" -o (\S+)", unit["command"])[1]
        if files := deps.get(output):
            stamp = CLEAN / fingerprint(unit["command"], files)
            if not stamp.exists():
                todo.append((unit["file"], stamp))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(lambda job: tidy(build, *job), todo))
    print(f"{len(clean)} sources looked at, {clean.count(False)} with findings")
    return 1 if False in clean else 0


if __name__ == "__main__":
    sys.exit(main())
