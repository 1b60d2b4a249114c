# SPDX-License-Identifier: Apache-2.0
"""What packages ship beside the binary is made by it, and says what it does."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from drive import BINARY, ROOT, Plant, utc

OPTION = re.compile(r"^  (?:-\w,)?(--[\w-]+)", re.MULTILINE)
COMMAND = re.compile(r"^  ([a-z]\w*) ", re.MULTILINE)


def pilake(*words: str) -> str:
    return subprocess.run([BINARY, *words], check=True, capture_output=True, text=True, timeout=60).stdout


def commands(*words: str) -> dict[str, list[str]]:
    """Every command with the options that its --help tells of, by its full name."""
    text = pilake(*words, "--help").split("Examples:")[0].split("First steps:")[0]
    head, _, below = text.partition("Subcommands:")
    found = {" ".join(["pilake", *words]): OPTION.findall(head)}
    for word in COMMAND.findall(below):
        found |= commands(*words, word)
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    told = commands()
    assert {"pilake run", "pilake simulate truth"} <= told.keys() and "--config" in told["pilake run"]
    return told


def test_the_man_page_tells_of_all_commands_and_options(told):
    page = pilake("--man-page").replace("\\-", "-")
    sections = dict(section.split("\n", 1) for section in page.split("\n.SS ")[1:])
    assert sections.keys() == told.keys() - {"pilake"}
    for command, options in told.items():
        text = sections.get(command, page)
        assert [option for option in options if f"{option}\\fR" not in text] == [], command


def complete(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    line = f'source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pilake; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", f"compopt() {{ :; }}; {line}", "bash", *words], check=True,
                          capture_output=True, text=True, timeout=60)
    return done.stdout.split()


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("bash") / "pilake"
    file.write_text(pilake("--completion", "bash"))
    return file


def test_bash_offers_exactly_the_commands_and_options_that_there_are(told, script):
    for command, options in told.items():
        offered = complete(script, *command.split(), "")
        below = {name.split()[-1] for name in told if name.rpartition(" ")[0] == command}
        assert {word for word in offered if word.startswith("--")} == set(options), command
        assert {word for word in offered if not word.startswith("-")} == below, command


def test_bash_offers_what_an_option_takes(script, tmp_path):
    (tmp_path / "plant1.yaml").touch()
    assert complete(script, "pilake", "simulate", "--auth", "b") == ["basic"]
    assert complete(script, "pilake", "run", "-c", f"{tmp_path}/pl") == [f"{tmp_path}/plant1.yaml"]
    assert complete(script, "pilake", "verify", "--from", "") == []
    assert complete(script, "pilake", "run", "--js") == ["--json"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_know_the_same_options(told, shell):
    text = pilake("--completion", shell)
    for command, options in told.items():
        for option in options:
            assert (option if shell == "zsh" else f"-l {option[2:]}") in text, (command, option)


def test_version_names_kernel_and_protocol_as_they_are(simulate, site):
    locked = re.search(r'name = "delta_kernel"\nversion = "([\d.]+)"', (ROOT / "src/delta/bridge/Cargo.lock").read_text())
    project = re.search(r"project\(pilake VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
    here = site(simulate(Plant("mixed", points=5, begins=utc("2026-03-04T08:00:00Z"))))
    here.run()
    log = (here.table / "_delta_log/00000000000000000000.json").read_text()
    protocol = next(entry["protocol"] for entry in map(json.loads, log.splitlines()) if "protocol" in entry)
    assert pilake("--version") == (
        f"pilake {project[1]}\n"
        f"delta_kernel {locked[1]}\n"
        f"Delta protocol: tables up to reader version {protocol['minReaderVersion']} "
        f"and writer version {protocol['minWriterVersion']}\n")
