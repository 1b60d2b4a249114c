# SPDX-License-Identifier: Apache-2.0
"""The one route of a workspace that entry points ask themselves: secrets. The SDK that asks is the real one."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "a token of the workspace"


class Workspace:
    def __init__(self, **secrets: str):
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                address = urlsplit(handler.path)
                wanted = {key: values[0] for key, values in parse_qs(address.query).items()}
                if handler.headers["Authorization"] != f"Bearer {TOKEN}":
                    return handler.reply(401, {"error_code": "UNAUTHENTICATED", "message": "no such token"})
                name = f"{wanted.get('scope')}/{wanted.get('key')}"
                self.asked.append(name)
                if address.path != "/api/2.0/secrets/get" or wanted["key"] not in secrets:
                    return handler.reply(404, {"error_code": "RESOURCE_DOES_NOT_EXIST",
                                               "message": f"Secret does not exist with scope: {wanted.get('scope')} "
                                                          f"and key: {wanted.get('key')}"})
                value = base64.b64encode(secrets[wanted["key"]].encode()).decode()
                return handler.reply(200, {"key": wanted["key"], "value": value})

            def reply(handler, code: int, body: dict[str, str]) -> None:  # noqa: N805
                text = json.dumps(body).encode()
                handler.send_response(code)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(text)))
                handler.end_headers()
                handler.wfile.write(text)

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        #: What Databricks puts into a task's environment, or the SDK finds in its place.
        self.environment = {"DATABRICKS_HOST": f"http://127.0.0.1:{self._server.server_port}",
                            "DATABRICKS_TOKEN": TOKEN, "DATABRICKS_CONFIG_FILE": "/dev/null"}

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
