"""One request to the fault proxy: passing it on, answering it, or leaving the client alone."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.llm.faults import Fault

_PASSED_ON = ("Authorization", "Content-Type", "Accept")


class FaultServer(ThreadingHTTPServer):
    """Knows the faults and how often each was asked for."""

    daemon_threads = True

    def __init__(self, port: int, upstream: str, faults: dict[str, Fault]) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.upstream, self.faults = upstream, faults
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, fault: str) -> int:
        """Count a request and return its number, from 1."""
        with self._lock:
            self.counts[fault] += 1
            return self.counts[fault]


class Exchange(BaseHTTPRequestHandler):
    """One request and what becomes of it."""

    protocol_version = "HTTP/1.1"
    # Headers and body are written one after the other; Nagle's algorithm would hold up the latter.
    disable_nagle_algorithm = True
    server: FaultServer

    def do_GET(self) -> None:
        if self.path == "/counts":
            self.send(200, self.server.counts)
        else:
            self._fail_or_pass()

    def do_POST(self) -> None:
        self._fail_or_pass()

    def do_DELETE(self) -> None:
        self.server.counts.clear()
        self.send(200, {})

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent; the counts say what was asked."""

    @property
    def streaming(self) -> bool:
        return bool(self.asked.get("stream"))

    @property
    def model(self) -> str:
        return str(self.asked.get("model"))

    def pass_on(self, request: dict[str, Any] | None = None) -> None:
        """Ask the server behind the proxy, with another request if one is given."""
        body = self.body if request is None else json.dumps(request).encode()
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        connection = HTTPConnection(self.server.upstream)
        try:
            connection.request(self.command, self._rest, body, headers)
            reply = connection.getresponse()
            kind = reply.headers["Content-Type"]
            if reply.length is not None:
                self.send_bytes(reply.status, kind, reply.read())
            else:
                self.send_chunks(iter(lambda: reply.read1(65_536), b""), kind, reply.status)
        finally:
            connection.close()

    def send(self, status: int, content: Any, **headers: str) -> None:
        self.send_bytes(status, "application/json", json.dumps(content).encode(), **headers)

    def send_bytes(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_head(status, kind, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def send_chunks(self, pieces: Iterable[bytes], kind: str, status: int = 200) -> None:
        """Send a body of unknown length, piece by piece, and end it properly."""
        self.send_head(status, kind, Transfer_Encoding="chunked")
        for piece in pieces:
            self.send_chunk(piece)
        self.send_chunk(b"")

    def send_chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def send_head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def cut(self) -> None:
        """Close the connection, whatever is still owed."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def client_stays(self, seconds: float | None = None) -> bool:
        """Wait, forever if not told how long, and return whether the client is still there."""
        gone, _, _ = select.select([self.connection], [], [], seconds)
        self.close_connection |= bool(gone)
        return not gone

    def _fail_or_pass(self) -> None:
        _, fault, *rest = self.path.split("/", 2)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._rest = "/" + "".join(rest)
        # Sound comes as a form.
        is_form = self.headers.get("Content-Type", "").startswith("multipart/")
        self.asked: dict[str, Any] = {} if is_form else json.loads(self.body or "{}")
        if fault not in self.server.faults:
            known = ", ".join(sorted(self.server.faults))
            self.send(404, {"error": {"message": f"No fault {fault!r}; there are {known}."}})
            return
        try:
            self.server.faults[fault](self, self.server.count(fault))
        except ConnectionError:
            # The client gave up, as many of these faults make it.
            self.close_connection = True
