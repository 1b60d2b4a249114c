#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the #include lines and fails on one that crosses a wall of the house.

    tools/check_rooms.py              checks the tree
    tools/check_rooms.py --self-test  checks that every rule bites
"""

import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# room -> the rooms whose headers it may include beside its own. ARCHITECTURE.md draws it.
MIDDLE = {"pi", "decode", "plan", "delta", "ops"}
ROOMS: dict[str, set[str]] = {
    "core": set(),
    "web": {"core"},
    "pi": {"core"},
    "decode": {"core"},
    "plan": {"core"},
    "delta": {"core"},
    "ops": {"core", "web"},
    "sim": {"core", "web"},
    "config": {"core"},
    "pipeline": {"core"} | MIDDLE,
    "cli": {"core", "config", "sim", "pipeline"} | MIDDLE,
    # The package carries the command line, too.
    "python": {"core", "config", "pipeline", "plan", "delta", "cli"},
}
# Tests of any room may start the simulator.
FOR_TESTS = {"sim", "web"}
# These exercise the rooms and may include any of them.
GUESTS = {"bench", "fuzz", "tests"}

# foreign header -> the files that may include it. A test may include what its room may.
HOMES: list[tuple[str, str, str]] = [
    (r"curl/", r"src/pi/http[a-z_]*\.(cc|h)", "libcurl lives in src/pi/http.cc and its helpers"),
    (r"simdjson\.h", r"src/decode/.*", "simdjson lives in src/decode"),
    (r"boost/(beast|asio)", r"src/web/server\.cc|src/pi/channel\.cc",
     "Beast and Asio live in src/web/server.cc and src/pi/channel.cc"),
    (r"yaml\.h|yaml-cpp/", r"src/config/yaml\.cc", "libyaml lives in src/config/yaml.cc"),
    (r"CLI/", r"src/cli/.*", "CLI11 lives in src/cli"),
    (r"pilake_bridge\.h|.*/pilake_bridge\.h", r"src/delta/.*", "the bridge's header lives in src/delta"),
    (r"openssl/", r"src/web/.*|src/pi/(http|channel|base64)[a-z_]*\.(cc|h)|sim/(tls|certificate)[a-z_]*\.(cc|h)|src/cli/.*_test\.cc",
     "OpenSSL lives in src/web, sim/tls.cc and where src/pi connects"),
    (r"dlfcn\.h", r"src/pi/gssapi\.cc", "libraries are loaded at run time in src/pi/gssapi.cc"),
    (r"nanobind/", r"python/.*", "nanobind lives in python"),
    (r"zlib\.h", r"src/web/.*|sim/.*|src/pi/http[a-z_]*\.(cc|h)", "zlib lives where answers are compressed"),
    (r"gtest/|gmock/", r".*_test\.cc|.*/(matchers|test_[a-z_]*|[a-z_]*_testing|fake_[a-z_]*)\.h|tests/.*",
     "GoogleTest is for tests"),
    (r"benchmark/", r"bench/.*", "Google Benchmark lives in bench"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')


class Finding(NamedTuple):
    file: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}"


def room_of(file: str) -> str:
    """The room a file of the tree belongs to: `src/pi/http.cc` to `pi`, `sim/plant.h` to `sim`."""
    parts = file.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def crossing(file: str, header: str) -> str | None:
    """The rule that `file` breaks by including our own `header`, if it breaks one."""
    room, other = room_of(file), header.split("/")[0]
    if other in GUESTS and room not in GUESTS:
        return f"nothing may include {other}, which only exercises the rooms"
    if other not in ROOMS or room in GUESTS or room == other:
        return None
    if room not in ROOMS:
        return f"room {room} is not in the table of tools/check_rooms.py"
    if other in ROOMS[room] or (other in FOR_TESTS and file.endswith("_test.cc")):
        return None
    if room == "sim" and other in {"pi", "decode"}:
        return f"sim may not include {other}: a misreading must not be on both sides"
    if room in MIDDLE and other in MIDDLE:
        return f"{room} may not include {other}: rooms in the middle never meet, only pipeline composes them"
    allowed = ", ".join(sorted(ROOMS[room])) or "no other room"
    return f"{room} may not include {other}; it may include {allowed}"


def homeless(file: str, header: str) -> str | None:
    """The rule that `file` breaks by including the foreign `header`, if it breaks one."""
    for pattern, home, sentence in HOMES:
        if re.match(pattern, header) and not re.fullmatch(home, file):
            # A room's tests and benchmarks may speak to the library that the room wraps.
            if room_of(file) in GUESTS and not re.match(r"gtest|gmock|benchmark", pattern):
                continue
            return f"<{header}> does not belong here: {sentence}"
    return None


def check(file: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), start=1):
        if match := INCLUDE.match(line):
            header = match.group(2)
            for rule in (crossing(file, header), homeless(file, header)):
                if rule:
                    yield Finding(file, number, rule)


def check_tree() -> list[Finding]:
    findings = []
    for top in ("src", "sim", "bench", "fuzz", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in {".h", ".cc"} and "target" not in path.parts:
                findings += check(str(path.relative_to(ROOT)), path.read_text())
    return findings


def self_test() -> None:
    wrong = [
        ("src/pi/client.cc", '"decode/recorded.h"', "never meet"),
        ("src/plan/window.h", '"pipeline/pull.h"', "may include core"),
        ("src/core/time.h", '"pi/http.h"', "no other room"),
        ("sim/server.cc", '"pi/request.h"', "both sides"),
        ("sim/server.cc", '"decode/value.h"', "both sides"),
        ("sim/server_test.cc", '"decode/value.h"', "both sides"),
        ("src/pipeline/pull.cc", '"sim/server.h"', "pipeline may not include sim"),
        ("src/pipeline/pull.cc", '"cli/words.h"', "pipeline may not include cli"),
        ("src/nursery/toy.cc", '"core/time.h"', "not in the table"),
        ("src/core/time.cc", '"fuzz/corpus.h"', "only exercises"),
        ("src/pipeline/pull.cc", "<curl/curl.h>", "src/pi/http.cc"),
        ("src/pi/client.cc", "<simdjson.h>", "src/decode"),
        ("sim/server.cc", "<boost/beast.hpp>", "src/web/server.cc"),
        ("src/ops/page.cc", "<boost/asio/io_context.hpp>", "src/web/server.cc"),
        ("src/cli/main.cc", "<yaml.h>", "src/config"),
        ("src/config/keys.cc", "<CLI/CLI.hpp>", "src/cli"),
        ("src/pipeline/pull.cc", '"pilake_bridge.h"', "src/delta"),
        ("src/core/time.cc", "<gtest/gtest.h>", "for tests"),
        ("src/core/time.cc", "<benchmark/benchmark.h>", "bench"),
    ]
    right = [
        ("src/pi/client.cc", '"core/time.h"'),
        ("src/pi/http.cc", "<curl/curl.h>"),
        ("src/decode/recorded.cc", "<simdjson.h>"),
        ("src/pipeline/pull.cc", '"decode/recorded.h"'),
        ("src/cli/main.cc", '"sim/server.h"'),
        ("sim/server.cc", '"web/server.h"'),
        ("sim/json.cc", "<boost/json/src.hpp>"),
        ("src/core/matchers.h", "<gmock/gmock.h>"),
        ("src/pi/http_test.cc", "<gmock/gmock.h>"),
        ("bench/pull_bench.cc", '"pipeline/pull.h"'),
        ("src/core/time.cc", "<vector>"),
        ("src/pipeline/pull_test.cc", '"sim/server.h"'),
    ]
    for file, header, sentence in wrong:
        findings = list(check(file, f"// x\n#include {header}\n"))
        assert [f.line for f in findings] == [2], (file, header, findings)
        assert sentence in findings[0].rule, findings[0]
    for file, header in right:
        assert not list(check(file, f"#include {header}\n")), (file, header)
    print(f"{len(wrong)} crossings refused, {len(right)} right includes accepted")


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    findings = check_tree()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
