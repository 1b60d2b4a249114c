#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a third-party licence that does not go with ours, and when THIRD-PARTY.md is stale.

    tools/check_licences.py           checks
    tools/check_licences.py --write   writes THIRD-PARTY.md anew
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "THIRD-PARTY.md"

# Licences that ask for no more than to be named.
ACCEPTED = {
    "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "curl", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib"}

# Debian package -> name and licence, for what is linked into the binary.
LINKED = {
    "libboost1.81-dev": ("Boost", "BSL-1.0"),
    "libcli11-dev": ("CLI11", "BSD-3-Clause"),
    "libcurl4-openssl-dev": ("curl", "curl"),
    "libexpected-dev": ("tl::expected", "CC0-1.0"),
    "libfmt-dev": ("fmt", "MIT"),
    "libsimdjson-dev": ("simdjson", "Apache-2.0"),
    "libssl-dev": ("OpenSSL", "Apache-2.0"),
    "libyaml-dev": ("libyaml", "MIT"),
    "zlib1g-dev": ("zlib", "Zlib"),
}
# Libraries of the tests, which are not shipped.
NOT_SHIPPED = {"libbenchmark-dev", "libgmock-dev", "libgtest-dev"}


def is_accepted(expression: str) -> bool:
    """Whether an SPDX expression can be met with accepted licences alone. AND binds tighter than OR."""
    expression = expression.replace("/", " OR ")
    while match := re.search(r"\(([^()]*)\)", expression):
        stand_in = "MIT" if is_accepted(match[1]) else "refused"
        expression = expression[: match.start()] + stand_in + expression[match.end():]
    return any(all(" ".join(word.split()) in ACCEPTED for word in choice.split(" AND "))
               for choice in expression.split(" OR "))


def linked_crates() -> list[dict]:
    """Every crate that is linked into the bridge, as cargo tells of it, by name and version."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"]
    output = subprocess.run(command, cwd=ROOT / "src/delta/bridge", check=True, stdout=subprocess.PIPE).stdout
    metadata = json.loads(output)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    linked, todo = set(), [metadata["resolve"]["root"]]
    while todo:
        crate = todo.pop()
        if crate not in linked:
            linked.add(crate)
            todo += [dep["pkg"] for dep in nodes[crate]["deps"]
                     if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    linked.remove(metadata["resolve"]["root"])
    return sorted((package for package in metadata["packages"] if package["id"] in linked),
                  key=lambda package: (package["name"], package["version"], package["license"] or "none"))


def crates() -> list[tuple[str, str, str]]:
    """Name, version and licence of each."""
    return [(package["name"], package["version"], package["license"] or "none") for package in linked_crates()]


def libraries() -> list[str]:
    """The library packages that tools/deps.sh installs to build with."""
    lines = (ROOT / "tools/debian-packages.txt").read_text().splitlines()
    return [line.split()[1] for line in lines if re.match(r"build (lib.*|zlib1g)-dev$", line)]


def page(rust: list[tuple[str, str, str]]) -> str:
    lines = [
        "# Third-party software", "",
        "<!-- Made by tools/check_licences.py --write (`make docs`); do not edit. -->", "",
        "pilake is linked with the following. None of it is part of this repository.", "",
        "## C and C++ libraries", "", "| library | licence |", "|---|---|"]
    lines += [f"| {name} | {licence} |" for name, licence in sorted(LINKED.values(), key=lambda x: x[0].lower())]
    lines += ["", "## Rust crates, in the bridge", "", "| crate | version | licence |", "|---|---|---|"]
    lines += [f"| {name} | {version} | {licence} |" for name, version, licence in rust]
    return "\n".join(lines) + "\n"


def main() -> int:
    rust = crates()
    wrong = [f"{name} {version}: {licence} does not go with our licence"
             for name, version, licence in rust if not is_accepted(licence)]
    wrong += [f"{name}: {licence} does not go with our licence"
              for name, licence in LINKED.values() if not is_accepted(licence)]
    wrong += [f"{package}: say in tools/check_licences.py what its licence is"
              for package in libraries() if package not in LINKED.keys() | NOT_SHIPPED]
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(rust))
    elif not PAGE.exists() or PAGE.read_text() != page(rust):
        wrong.append("THIRD-PARTY.md is stale; run `make docs`")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
