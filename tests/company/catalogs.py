# SPDX-License-Identifier: Apache-2.0
"""Unity Catalogs: a server by others for the routes, and a stub that lends keys which really end."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from doors import Door, reply_json
from servers import BIN, S3, Server, ask, free_port

API = "/api/2.1/unity-catalog"


class UnityCatalog(Server):
    """With a catalog `pi`, a schema `raw` and an external location around `location`. It checks no tokens."""

    token = "any"

    def __init__(self, folder: Path):
        port = free_port()
        for name in ("ext", "managed"):
            (folder / name).mkdir(parents=True)
        config = folder / "uc.yaml"
        config.write_text(f"""
host: 127.0.0.1
port: {port}
backend: {{engine: sqlite, path: ":memory:"}}
encryption: {{active: {{id: v1, key: "{base64.b64encode(os.urandom(32)).decode()}"}}}}
local_storage: {{allowed-roots: ["{folder}"]}}
""")
        super().__init__(folder, "uc-server", "serve", "-c", config, "--no-ui", port=port)
        self.location = f"file://{folder}/ext"
        self.post("credentials", {"name": "key", "purpose": "STORAGE",
                                  "aws_iam_role": {"role_arn": "arn:aws:iam::1:role/x"}})
        for name in ("ext", "managed"):
            self.post("external-locations", {"name": name, "url": f"file://{folder}/{name}", "credential_name": "key"})
        self.post("catalogs", {"name": "pi", "storage_root": f"file://{folder}/managed"})
        self.post("schemas", {"name": "raw", "catalog_name": "pi"})

    def post(self, what: str, body: dict[str, Any]) -> Any:
        return ask("POST", f"{self.url}{API}/{what}", body)

    def table(self, name: str) -> dict[str, Any]:
        return ask("GET", f"{self.url}{API}/tables/{name}")


class KeysOffice:
    """Accounts of a versitygw, each of which is deleted when its time is over."""

    def __init__(self, server: S3, key: str, secret: str, life: float):
        self._server, self._root, self.life = server, (key, secret), life
        self.given = 0
        self.secrets: list[str] = []
        self._ends: list[threading.Timer] = []

    def _admin(self, *args: str) -> None:
        done = subprocess.run([BIN / "versitygw", "admin", "--access", self._root[0], "--secret", self._root[1],
                               "--endpoint-url", self._server.url, *args], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def give(self) -> tuple[str, str]:
        key, secret = f"lent-{secrets.token_hex(4)}", secrets.token_hex(16)
        self._admin("create-user", "--access", key, "--secret", secret, "--role", "admin")
        end = threading.Timer(self.life, self._admin, ("delete-user", "--access", key))
        end.start()
        self._ends.append(end)
        self.given += 1
        self.secrets.append(secret)
        return key, secret

    def close(self) -> None:
        for end in self._ends:
            end.cancel()


class StubCatalog(Door):
    """The routes that pilake asks for, with a token, grants that can be missing, and keys that end.

    `refuse` maps a route's first word to the answer (status, error_code, message) that it gets.
    """

    def __init__(self, office: KeysOffice | None = None, token: str = "dapi-token-of-the-test"):
        self.office, self.token = office, token
        self.location = ""
        self.tables: dict[str, dict[str, Any]] = {}
        self.refuse: dict[str, tuple[int, str, str]] = {}
        self.principal = ("a-service-principal", secrets.token_hex(16))
        self.tokens_given = 0
        self._ends = float("inf")
        super().__init__(self._answer)

    def post(self, what: str, body: dict[str, Any]) -> Any:
        return ask("POST", f"{self.url}{API}/{what}", body, {"Authorization": f"Bearer {self.token}"})

    def table(self, name: str) -> dict[str, Any]:
        return self.tables[name]

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.path == "/oidc/v1/token":
            return self._give_token(request)
        is_known = request.headers.get("Authorization") == f"Bearer {self.token}" and time.monotonic() < self._ends
        if not is_known:
            return reply_json(request, 401, {"error_code": "UNAUTHENTICATED", "message": "Invalid access token."})
        kind, _, name = unquote(request.path.removeprefix(API + "/")).partition("/")
        key = f"{request.command} {kind}"
        if key in self.refuse:
            status, code, message = self.refuse[key]
            return reply_json(request, status, {"error_code": code, "message": message})
        said = json.loads(body) if body else {}
        match key:
            case "GET tables" if name in self.tables:
                reply_json(request, 200, self.tables[name])
            case "GET tables":
                reply_json(request, 404, {"error_code": "TABLE_DOES_NOT_EXIST", "message": f"Table '{name}' …"})
            case "GET catalogs" | "GET schemas":
                reply_json(request, 200, {"full_name": name})
            case "POST tables":
                full = f"{said['catalog_name']}.{said['schema_name']}.{said['name']}"
                if full in self.tables:
                    return reply_json(request, 409, {"error_code": "TABLE_ALREADY_EXISTS", "message": full})
                self.tables[full] = {**said, "table_id": secrets.token_hex(8)}
                reply_json(request, 200, self.tables[full])
            case "POST temporary-table-credentials" | "POST temporary-path-credentials":
                assert said["operation"] in ("READ_WRITE", "PATH_CREATE_TABLE")
                reply_json(request, 200, self._lend())
            case _:
                reply_json(request, 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": request.path})

    def _give_token(self, request: BaseHTTPRequestHandler) -> None:
        wanted = base64.b64encode(":".join(self.principal).encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return reply_json(request, 401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        self.token, self._ends = secrets.token_hex(16), time.monotonic() + 6
        self.tokens_given += 1
        reply_json(request, 200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 6})

    def _lend(self) -> dict[str, Any]:
        if self.office is None:
            return {}
        ends = time.time() + self.office.life
        key, secret = self.office.give()
        return {"aws_temp_credentials": {"access_key_id": key, "secret_access_key": secret},
                "expiration_time": int(ends * 1000)}
