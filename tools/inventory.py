#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is inside a portable binary: `tools/inventory.py VERSION PREFIX FOLDER` writes FOLDER/sbom.cdx.json
(CycloneDX) and FOLDER/NOTICES, the licences' own words. PREFIX is what tools/portable_libraries.sh printed."""

import collections
import json
import os
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from check_licences import LINKED, linked_crates

# Debian source package -> the package that tools/check_licences.py knows the licence of.
PACKAGE_OF = {
    "boost1.81": "libboost1.81-dev", "cli11": "libcli11-dev", "curl": "libcurl4-openssl-dev", "tl-expected": "libexpected-dev",
    "fmtlib": "libfmt-dev", "libyaml": "libyaml-dev", "openssl": "libssl-dev", "simdjson": "libsimdjson-dev",
    "zlib": "zlib1g-dev"}
LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")
# CycloneDX has an identifier for a single licence and an expression for the rest; `/` is cargo's old OR.
EXPRESSION_WORDS = (" OR ", " AND ", " WITH ", "/")


def licence(expression: str) -> dict:
    if any(word in expression for word in EXPRESSION_WORDS):
        return {"expression": " OR ".join(part.strip() for part in expression.split("/"))}
    return {"license": {"id": expression}}


def component(name: str, version: str, expression: str, purl: str) -> dict:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version,
            "licenses": [licence(expression)], "purl": purl}


def libraries(prefix: Path) -> list[tuple[str, str, str]]:
    """Debian source package, version and licence of what is linked from it."""
    lines = [line.split() for line in (prefix / "versions.txt").read_text().splitlines()]
    return [(source, version, LINKED[PACKAGE_OF[source]][1]) for source, version in sorted(lines)]


def compilers() -> list[tuple[str, str, str]]:
    """Whose own libraries are in every binary."""
    rust = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    zig = Path("tools/portable-requirements.txt").read_text().split("ziglang==")[1].split()[0]
    return [("rust-std", rust, "MIT OR Apache-2.0"), ("llvm-runtimes", f"zig-{zig}", "Apache-2.0 WITH LLVM-exception")]


def bill(version: str, prefix: Path) -> dict:
    parts = [component(name, number, expression, f"pkg:deb/debian/{name}@{quote(number, safe='~')}?arch=source&distro=bookworm")
             for name, number, expression in libraries(prefix)]
    parts += [component(name, number, expression, f"pkg:generic/{name}@{number}") for name, number, expression in compilers()]
    parts += [component(crate["name"], crate["version"], crate["license"] or "none",
                        f"pkg:cargo/{crate['name']}@{quote(crate['version'])}") for crate in linked_crates()]
    ours = f"pkg:generic/pilake@{version}"
    built = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    names = " ".join(part["purl"] for part in parts)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # The same contents are the same document.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours + names)}",
        "metadata": {"timestamp": built.strftime("%Y-%m-%dT%H:%M:%SZ"),
                     "component": {"type": "application", "bom-ref": ours, "name": "pilake", "version": version,
                                   "licenses": [licence("Apache-2.0")], "purl": ours}},
        "components": parts,
        "dependencies": [{"ref": ours, "dependsOn": [part["bom-ref"] for part in parts]}]}


def texts(prefix: Path) -> dict[str, list[str]]:
    """Text of a licence -> all that brings these very words."""
    found = collections.defaultdict(list)
    for file in sorted((prefix / "copyright").iterdir()):
        # Boost asks for nothing in a binary, and has 50,000 lines to say so for each of its libraries.
        if file.name.startswith("boost"):
            continue
        found[file.read_text(errors="replace").strip()].append(file.name)
    for crate in linked_crates():
        for file in sorted(Path(crate["manifest_path"]).parent.iterdir()):
            if file.is_file() and file.name.upper().startswith(LICENCE_FILES):
                found[file.read_text(errors="replace").strip()].append(f"{crate['name']} {crate['version']}")
    return found


def notices(prefix: Path) -> str:
    pages = ["Licences and copyright notices of what is linked into pilake. THIRD-PARTY.md has the list."]
    for text, owners in texts(prefix).items():
        pages.append(f"{'=' * 100}\n{', '.join(owners)}\n{'-' * 100}\n{text}")
    return "\n\n".join(pages) + "\n"


def main() -> int:
    version, prefix, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    (folder / "sbom.cdx.json").write_text(json.dumps(bill(version, prefix), indent=1) + "\n")
    (folder / "NOTICES").write_text(notices(prefix))
    return 0


if __name__ == "__main__":
    sys.exit(main())
