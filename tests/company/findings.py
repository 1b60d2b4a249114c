# SPDX-License-Identifier: Apache-2.0
"""What `pilake check` finds, and the page that lists all that it can find."""

from __future__ import annotations

import json
import re

from drive import ROOT, Site


def listed() -> set[str]:
    """The names of docs/check.md."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/check.md").read_text(), re.MULTILINE))


def check_finds(here: Site, finding: str, code: int | None = None, env: dict[str, str] | None = None) -> str:
    """`check` names what is wrong, and only that; its sentence. An empty name: one that has none."""
    checked = here.call("check", "--json", env=env)
    assert code is None or checked.code == code, f"exit code {checked.code}, not {code}: {checked.out}"
    bad = [line for line in map(json.loads, checked.out.splitlines()) if line["state"] == "bad"]
    assert [line["finding"] for line in bad] == [finding], checked.out
    assert not finding or f"[{finding}]" in here.call("check", env=env).out
    return bad[0]["detail"]
