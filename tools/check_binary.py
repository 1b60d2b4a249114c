#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a binary that would not run everywhere: `tools/check_binary.py FILE…` (programs and Python modules).

It may need no glibc newer than 2.28, no library but glibc's own, and know nothing of the machine that built it. With --self-test it holds a program of this machine, which needs more, to be one."""

import os
import re
import subprocess
import sys
from pathlib import Path

NEWEST_GLIBC = (2, 28)
# Those of glibc itself, which are there wherever it is.
LIBRARIES = re.compile(r"(lib(c|m|dl|pthread|rt|util|resolv)\.so\.\d|ld-linux-(x86-64\.so\.2|aarch64\.so\.1))$")
ROOT = Path(__file__).resolve().parent.parent


def readelf(file: Path, *options: str) -> str:
    return subprocess.run(["readelf", "--wide", *options, file], check=True, capture_output=True, text=True).stdout


def too_new(file: Path) -> list[str]:
    """Symbols of a newer glibc, or of libraries that have versions of their own."""
    wrong = set()
    for family, version in re.findall(r"Name: ([A-Z]\w+?)_(\d[\d.]*)", readelf(file, "--version-info")):
        if family != "GLIBC" or tuple(map(int, version.split("."))) > NEWEST_GLIBC:
            wrong.add(f"needs {family}_{version}")
    return sorted(wrong)


def foreign(file: Path) -> list[str]:
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(file, "--dynamic"))
    return [f"needs {name}" for name in needed if not LIBRARIES.match(name)]


def private_paths(file: Path) -> list[str]:
    """Folders of this machine, and of people's homes anywhere."""
    mine = {str(ROOT), os.environ.get("PILAKE_CACHE", ""), os.environ.get("CARGO_HOME", ""), str(Path.home())} - {"", "/"}
    pattern = b"(?:" + b"|".join(re.escape(path.encode()) for path in sorted(mine)) + rb"|/(?:home|Users)/\w+)/[\x21-\x7e]*"
    found = {match[0].decode() for match in re.finditer(pattern, file.read_bytes())}
    return [f"knows the path {path}" for path in sorted(found)[:10]]


def complaints(file: Path) -> list[str]:
    return too_new(file) + foreign(file) + private_paths(file)


def self_test() -> int:
    """Python's own library links with what a portable binary may not have."""
    wrong = complaints(Path(sys.executable).resolve())
    print("\n".join(wrong))
    return 0 if any(line.startswith("needs") for line in wrong) else 1


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    failed = 0
    for file in map(Path, sys.argv[1:]):
        wrong = complaints(file)
        failed |= bool(wrong)
        for complaint in wrong:
            print(f"{file.name}: {complaint}")
        if not wrong:
            print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, needs glibc 2.28 or later, and nothing else")
    return failed


if __name__ == "__main__":
    sys.exit(main())
