# SPDX-License-Identifier: Apache-2.0
"""Small HTTP servers in front of others: one that loses answers, one that signs on, one that speaks Google's XML API."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import random
import socket
import struct
import sys
import threading
from email.utils import format_datetime, formatdate
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import spnego

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Door:
    """Answers each request by `answer(handler, body)`; HTTP/1.1, connections are kept."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, bytes], None], port: int = 0):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                answer(self, read_body(self))

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_CONNECT = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                pass  # a client that was killed

        self._listener = Listener(("127.0.0.1", port), Handler)
        self.port = self._listener.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def reply(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str] | None = None, body: bytes = b"",
          length: int | None = None) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    request.end_headers()
    request.wfile.write(body)


def reply_json(request: BaseHTTPRequestHandler, status: int, value: Any) -> None:
    reply(request, status, {"Content-Type": "application/json"}, json.dumps(value).encode())


class Upstream:
    """One kept connection a thread to the server behind a door."""

    def __init__(self, port: int):
        self._port, self._kept = port, threading.local()

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None,
            body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        for attempt in (1, 2):
            connection = getattr(self._kept, "connection", None)
            if connection is None:
                connection = self._kept.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                connection.putrequest(method, target, skip_host="host" in map(str.lower, headers or {}),
                                      skip_accept_encoding=True)
                for name, value in (headers or {}).items():
                    connection.putheader(name, value)
                if body or method in ("PUT", "POST"):
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body or None)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._kept.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")


def slam(request: BaseHTTPRequestHandler) -> None:
    """Resets the connection instead of answering."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True


class PassingDoor(Door):
    """Passes all on, answers included."""

    def __init__(self, upstream_port: int):
        self._upstream = Upstream(upstream_port)
        super().__init__(self._pass_on)

    def change(self, request: BaseHTTPRequestHandler, status: int) -> int | None:
        """What is answered instead of `status`; nothing: the connection is reset."""
        return status

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        status, answered, content = self._upstream.ask(request.command, request.path, headers, body)
        told = self.change(request, status)
        if told is None:
            return slam(request)
        if told != status:
            return reply(request, told, {"ETag": '"changed"', "Last-Modified": formatdate(usegmt=True)})
        kept = {name: value for name, value in answered.items() if name.lower() not in HOP_BY_HOP}
        length = int(answered.get("Content-Length", len(content))) if request.command == "HEAD" else None
        reply(request, status, kept, content, length)


class NtlmDoor(PassingDoor):
    """Signs connections on by NTLM, as HTTP.sys does; `users` are `DOMAIN\\user` and their passwords."""

    def __init__(self, upstream_port: int, users: dict[str, str], folder: Path):
        known = folder / "ntlm-users"
        known.write_text("".join("{0}:{1}:{2}\n".format(*user.split("\\"), word) for user, word in users.items()))
        os.environ["NTLM_USER_FILE"] = str(known)
        self.connections = 0  # that were signed on
        super().__init__(upstream_port)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        # There is one handler for each connection.
        if getattr(request, "signed_on_as", None) or self._sign_on(request):
            super()._pass_on(request, body)

    def _sign_on(self, request: BaseHTTPRequestHandler) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        challenge = "NTLM"
        if kind == "NTLM":
            try:
                request.handshake = getattr(request, "handshake", None) or spnego.server(protocol="ntlm")
                answer = request.handshake.step(base64.b64decode(token))
                if request.handshake.complete:
                    request.signed_on_as = request.handshake.client_principal
                    self.connections += 1
                    return True
                challenge = "NTLM " + base64.b64encode(answer).decode()
            except spnego.exceptions.SpnegoError:
                request.handshake = None
        reply(request, 401, {"WWW-Authenticate": challenge})
        return False


class LossyDoor(PassingDoor):
    """Some PUTs land, but the answer is 500, 503 or a reset connection."""

    def __init__(self, upstream_port: int, seed: int = 1, rate: float = 0.25):
        self._draw, self._rate = random.Random(seed), rate
        self.lost = 0
        super().__init__(upstream_port)

    def change(self, request: BaseHTTPRequestHandler, status: int) -> int | None:
        if request.command != "PUT" or status >= 300 or self._draw.random() >= self._rate:
            return status
        self.lost += 1
        return self._draw.choice([500, 503, None])


class CarelessDoor(PassingDoor):
    """As a store that knows no condition of a PUT: whoever comes second is told that he won."""

    def change(self, request: BaseHTTPRequestHandler, status: int) -> int | None:
        return 200 if request.command == "PUT" and status in (409, 412) else status


class RefusingDoor(PassingDoor):
    """As a store that says that it knows no condition of a PUT."""

    CONDITIONS = ("If-None-Match", "x-goog-if-generation-match")

    def change(self, request: BaseHTTPRequestHandler, status: int) -> int | None:
        has_condition = any(name in request.headers for name in self.CONDITIONS)
        return 501 if request.command == "PUT" and has_condition else status


class GcsDoor(Door):
    """The part of Google's XML API that object_store speaks, told to a server that knows the JSON API only.

    Preconditions, lists and bytes are that server's; parts of an upload are kept here until it is complete.
    """

    def __init__(self, upstream_port: int, port: int):
        self._upstream = Upstream(upstream_port)
        self._uploads: dict[str, dict[int, bytes]] = {}
        super().__init__(self._answer, port)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(request.path)
        bucket, _, name = parts.path.lstrip("/").partition("/")
        name, query = unquote(name), {key: values[0] for key, values in
                                      parse_qs(parts.query, keep_blank_values=True).items()}
        if not name:
            return self._list(request, bucket, query)
        if "uploads" in query or "uploadId" in query:
            return self._upload(request, bucket, name, query, body)
        match request.command:
            case "PUT":
                self._put(request, bucket, name, body, request.headers.get("x-goog-if-generation-match"))
            case "GET" | "HEAD":
                self._get(request, bucket, name)
            case "DELETE":
                status, _, _ = self._upstream.ask("DELETE", self._object(bucket, name))
                reply(request, status)

    @staticmethod
    def _object(bucket: str, name: str) -> str:
        return f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"

    def _store(self, bucket: str, name: str, body: bytes, generation: str | None) -> tuple[int, dict[str, Any]]:
        condition = f"&ifGenerationMatch={generation}" if generation else ""
        target = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}{condition}"
        status, _, answer = self._upstream.ask("POST", target, {"Content-Type": "application/octet-stream"}, body)
        return status, json.loads(answer) if status == 200 else {}

    def _put(self, request: BaseHTTPRequestHandler, bucket: str, name: str, body: bytes, generation: str | None) -> None:
        status, stored = self._store(bucket, name, body, generation)
        reply(request, status, {"ETag": f'"{stored["generation"]}"', "x-goog-generation": stored["generation"]}
              if stored else None)

    def _get(self, request: BaseHTTPRequestHandler, bucket: str, name: str) -> None:
        status, _, answer = self._upstream.ask("GET", self._object(bucket, name))
        if status != 200:
            return reply(request, status)
        about = json.loads(answer)
        headers = {"ETag": f'"{about["generation"]}"', "x-goog-generation": about["generation"],
                   "Last-Modified": format_datetime(datetime.fromisoformat(about["updated"]), usegmt=True)}
        if request.command == "HEAD":
            return reply(request, 200, headers, length=int(about["size"]))
        wanted = {"Range": request.headers["Range"]} if "Range" in request.headers else {}
        status, answered, content = self._upstream.ask("GET", self._object(bucket, name) + "?alt=media", wanted)
        if "Content-Range" in answered:
            headers["Content-Range"] = answered["Content-Range"]
        reply(request, status, headers, content)

    def _list(self, request: BaseHTTPRequestHandler, bucket: str, query: dict[str, str]) -> None:
        wanted = {"prefix": query.get("prefix"), "delimiter": query.get("delimiter"),
                  "startOffset": query.get("start-after"), "pageToken": query.get("continuation-token")}
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in wanted.items() if value)
        status, _, answer = self._upstream.ask("GET", f"/storage/v1/b/{bucket}/o?{asked}")
        if status != 200:
            return reply(request, status)
        found = json.loads(answer)
        contents = "".join(
            f"<Contents><Key>{escape(one['name'])}</Key><Size>{one['size']}</Size>"
            f"<LastModified>{one['updated']}</LastModified><ETag>{one['generation']}</ETag></Contents>"
            for one in found.get("items", []) if one["name"] != wanted["startOffset"])
        prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>"
                           for one in found.get("prefixes", []))
        token = found.get("nextPageToken")
        more = f"<NextContinuationToken>{escape(token)}</NextContinuationToken>" if token else ""
        reply(request, 200, {"Content-Type": "application/xml"},
              f"<ListBucketResult>{contents}{prefixes}{more}</ListBucketResult>".encode())

    def _upload(self, request: BaseHTTPRequestHandler, bucket: str, name: str, query: dict[str, str],
                body: bytes) -> None:
        if "uploads" in query:
            upload = hashlib.sha256(f"{name}{len(self._uploads)}".encode()).hexdigest()
            self._uploads[upload] = {}
            return reply(request, 200, {}, f"<Result><UploadId>{upload}</UploadId></Result>".encode())
        parts = self._uploads.get(query["uploadId"])
        if parts is None:
            return reply(request, 404)
        if request.command == "PUT":
            parts[int(query["partNumber"])] = body
            return reply(request, 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        if request.command == "POST":
            status, stored = self._store(bucket, name, b"".join(parts[number] for number in sorted(parts)), None)
            assert status == 200
            reply(request, 200, {"x-goog-generation": stored["generation"]},
                  f"<Result><ETag>{stored['generation']}</ETag></Result>".encode())
        else:
            reply(request, 204)
        del self._uploads[query["uploadId"]]


if __name__ == "__main__":
    GcsDoor(int(sys.argv[1]), int(sys.argv[2]))
    threading.Event().wait()
