# SPDX-License-Identifier: Apache-2.0
"""Bare systems to install into: a copy each, entered by chroot."""

import shutil
import subprocess
from pathlib import Path

from drive import ROOT, Outcome

PACKAGES = ROOT / "build/packages"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def package(pattern: str) -> Path:
    """The one file in build/packages that is meant."""
    found = sorted(PACKAGES.glob(pattern))
    assert len(found) == 1, f"{pattern} in {PACKAGES}: {found}; run `make packages`"
    return found[0]


class System:
    """A Debian system of its own in `folder`; `words` are as for tools/bare_system.sh."""

    def __init__(self, folder: Path, *words: str):
        base = subprocess.run([ROOT / "tools/bare_system.sh", *words], check=True, capture_output=True, text=True)
        subprocess.run(["cp", "-a", "--reflink=auto", base.stdout.strip(), folder], check=True)
        self.root = folder

    def run(self, *words: str, timeout: float = 300) -> Outcome:
        """Runs a command in it, with an environment that knows nothing of this machine."""
        done = subprocess.run(["chroot", self.root, *words], env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def must(self, *words: str, timeout: float = 300) -> str:
        """As `run`, of a command that may not fail; what it said."""
        outcome = self.run(*words, timeout=timeout)
        assert outcome.code == 0, f"{words}: {outcome}"
        return outcome.out

    def bring(self, file: Path, to: str) -> str:
        """Copies a file of this machine to a path in the system, and says which."""
        place = self.root / to.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
        return to

    def files(self) -> set[str]:
        done = subprocess.run(["find", ".", "-xdev", "-not", "-type", "d"], cwd=self.root, check=True,
                              capture_output=True, text=True)
        return set(done.stdout.splitlines())
