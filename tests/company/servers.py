# SPDX-License-Identifier: Apache-2.0
"""Servers that a company has, each in a process of its own on a free port of loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from email.utils import formatdate
from pathlib import Path
from typing import Any

BIN = Path(os.environ.get("PILAKE_COMPANY_BIN", Path.home() / ".cache/pilake/company/bin"))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ask(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """One request with a JSON body, or bytes; the JSON that came back."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if data is None or isinstance(body, bytes) else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, {**kind, **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


class Server:
    """A program that listens at `port`; what it says goes to a file in `folder`."""

    def __init__(self, folder: Path, program: str | Path, *args: object, port: int, env: dict[str, str] | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        program = BIN / program
        assert program.exists(), f"no {program}; run `make test-company`"
        self.port, self.log = port, folder / f"{program.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([program, *map(str, args)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env={**os.environ, **(env or {})})
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"nothing listens at {self.port}: {self.log.read_text()}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()


class S3(Server):
    """versitygw: keys are checked, conditional puts are atomic, objects are files below `objects`."""

    def __init__(self, folder: Path, key: str, secret: str, *flags: object, port: int | None = None):
        self.objects = folder / "objects"
        (folder / "sidecar").mkdir(parents=True, exist_ok=True)
        self.objects.mkdir(exist_ok=True)
        port = port or free_port()
        super().__init__(folder, "versitygw", "--quiet", "--port", f"127.0.0.1:{port}", *flags, "posix", "--sidecar",
                         folder / "sidecar", self.objects, port=port,
                         env={"ROOT_ACCESS_KEY": key, "ROOT_SECRET_KEY": secret})

    def make_bucket(self, name: str) -> None:
        (self.objects / name).mkdir()


class Azurite(Server):
    """Blob storage with one account; it has no DFS endpoint."""

    def __init__(self, folder: Path, account: str, key: str):
        self.account, self.key = account, key
        port = free_port()
        super().__init__(folder, "azurite-blob", "--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder,
                         "--silent", "--skipApiVersionCheck", "--disableTelemetry", port=port,
                         env={"AZURITE_ACCOUNTS": f"{account}:{key}"})

    @property
    def endpoint(self) -> str:
        return f"{self.url}/{self.account}"

    def make_container(self, name: str) -> None:
        """One request, signed with the account's key."""
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03"}
        lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in sorted(headers.items())),
                 f"/{self.account}/{self.account}/{name}", "restype:container"]
        signature = hmac.new(base64.b64decode(self.key), "\n".join(lines).encode(), hashlib.sha256).digest()
        authorization = f"SharedKey {self.account}:{base64.b64encode(signature).decode()}"
        ask("PUT", f"{self.endpoint}/{name}?restype=container", b"", {**headers, "Authorization": authorization,
                                                                      "Content-Type": ""})


class Gcs(Server):
    """Google's JSON API only, and no keys are checked; doors.GcsDoor at `door` speaks the XML API before it.

    A process of its own: some calls of delta-rs leave other threads of theirs no moment to answer.
    """

    def __init__(self, folder: Path):
        port = free_port()
        super().__init__(folder, "fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend",
                         "memory", "-external-url", f"http://127.0.0.1:{port}", port=port)
        door_port = free_port()
        self.door = Server(folder, Path(sys.executable), Path(__file__).with_name("doors.py"), port, door_port,
                           port=door_port)

    def make_bucket(self, name: str) -> None:
        ask("POST", f"{self.url}/storage/v1/b", {"name": name})

    def stop(self) -> None:
        self.door.stop()
        super().stop()


class Toxiproxy(Server):
    """A wire that can be cut and slowed."""

    def __init__(self, folder: Path):
        port = free_port()
        super().__init__(folder, "toxiproxy", "-host", "127.0.0.1", "-port", port, port=port)

    def wire(self, upstream_port: int) -> Wire:
        return Wire(self, upstream_port)


class Wire:
    def __init__(self, proxy: Toxiproxy, upstream_port: int):
        self.port = free_port()
        ask("POST", f"{proxy.url}/proxies", {"name": f"wire-{self.port}", "listen": f"127.0.0.1:{self.port}",
                                             "upstream": f"127.0.0.1:{upstream_port}", "enabled": True})
        self._url = f"{proxy.url}/proxies/wire-{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def poison(self, kind: str, stream: str = "downstream", **attributes: int) -> None:
        ask("POST", f"{self._url}/toxics", {"name": "toxic", "type": kind, "stream": stream, "attributes": attributes})

    def heal(self) -> None:
        ask("DELETE", f"{self._url}/toxics/toxic")

    def cut(self) -> None:
        """All that is open ends, nothing new is let through."""
        ask("POST", self._url, {"enabled": False})

    def mend(self) -> None:
        ask("POST", self._url, {"enabled": True})
