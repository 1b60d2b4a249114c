# SPDX-License-Identifier: Apache-2.0
"""What must be seen nowhere, and who looks for it: in outputs, logs, tables, commits and command lines."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Iterator
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from drive import BINARY

_secrets: dict[str, set[bytes]] = {}  # and the forms in which each of them travels


def secret(text: str, user: str = "") -> str:
    """`text`, which from now on must be seen nowhere; with `user` not as Basic has it either."""
    forms = _secrets.setdefault(text, set())
    forms |= {text.encode(), quote(text, safe="").encode()}
    for pair in (text, f"{user}:{text}", f"{quote(user, safe='')}:{quote(text, safe='')}"):
        forms.add(base64.b64encode(pair.encode()).rstrip(b"="))
    return text


# Tokens that others make: what they begin with is the same for all of them.
HEADERS = (b"Negotiate YI", b"Bearer ey", b"NTLM TlRM", b"eyJhbGciOi")


def told(text: bytes) -> list[str]:
    """The secrets that stand in it."""
    found = [known for known, forms in _secrets.items() if any(form in text for form in forms)]
    return found + [header.decode() for header in HEADERS if header in text]


def files_of_ours(folder: Path) -> Iterator[Path]:
    """What pilake wrote below `folder`: logs of sites and their tables, but not what it was given."""
    for config in folder.rglob("pilake.yaml"):
        for path in config.parent.rglob("*"):
            if path.is_file() and path.name != "pilake.yaml":
                yield path


def content(path: Path) -> bytes:
    """A file's bytes; of a table's, its texts as well."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        for column in pq.read_table(path).columns:
            if pa.types.is_string(column.type):
                data += "\n".join(text or "" for text in column.unique().to_pylist()).encode()
    return data


class CommandLines:
    """Looks at the command lines of all processes of pilake, as `ps` does. The simulator's are the tests' own."""

    def __init__(self):
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                except OSError:
                    continue  # it has ended
                if line.startswith(str(BINARY).encode()) and b"\0simulate\0" not in line:
                    self.seen.add(line)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
