"""A server as OpenVLA's and OpenVLA-OFT's are described: `POST /act`, json-numpy, "error" with 200.

It answers chunks of random actions, or fails as it is told to.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np


def array_json(array: np.ndarray) -> dict[str, Any]:
    """Write an array as the package json-numpy is documented to."""
    data = base64.b64encode(array.tobytes()).decode()
    return {"__numpy__": data, "dtype": array.dtype.str, "shape": list(array.shape)}


def array_of(found: Any) -> Any:
    """Read an array as the package json-numpy is documented to."""
    if not isinstance(found, dict) or "__numpy__" not in found:
        return found
    data = base64.b64decode(found["__numpy__"])
    return np.frombuffer(data, np.dtype(found["dtype"])).reshape(found["shape"])


class ActServer(ThreadingHTTPServer):
    """Keeps what it was `asked`.

    Attributes:
        chunk: Rows of an answer: one action alone where it is None, as OpenVLA's; else a list of
            rows, as OpenVLA-OFT's.
        faults: What goes wrong with the questions to come, one after another; "" is nothing.
        from_question: The number of questions before that from which on the last fault stays.
    """

    daemon_threads = True

    def __init__(self, chunk: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chunk = chunk
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[str] = []
        self.from_question: int | None = None
        self._rng = np.random.default_rng(7)
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def fault(self) -> str:
        with self._lock:
            if self.from_question is not None:
                return self.faults[-1] if len(self.asked) >= self.from_question else ""
            return self.faults.pop(0) if self.faults else ""

    def act(self, payload: dict[str, Any]) -> Any:
        """Return what the model answers, as plain JSON."""
        with self._lock:
            self.asked.append({key: array_of(value) for key, value in payload.items()})
        actions = self._rng.uniform(-0.01, 0.01, (self.chunk or 1, 7))
        rows = [array_json(row) for row in actions]
        return rows[0] if self.chunk is None else rows


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ActServer

    def do_GET(self) -> None:
        self._send(404, b'{"detail":"Not Found"}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.headers.append(dict(self.headers))
        fault = self.server.fault()
        match fault:
            case "":
                self._send(200, self._answer(json.loads(body)))
            case "error":
                self._send(200, b'"error"')
            case "500" | "503":
                self._send(int(fault), b"Internal Server Error")
            case "dies":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[0.1, ")
                self.close_connection = True
            case "hangs up":
                self.close_connection = True
            case "slow":
                time.sleep(0.8)
                self._send(200, self._answer(json.loads(body)))
            case "trickle":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
                for _ in range(40):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
            case "endless":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n")
                for _ in range(100):
                    self.wfile.write(b" " * 900_000)
            case _:
                self._send(200, fault.encode("latin1"))

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def _answer(self, payload: dict[str, Any]) -> bytes:
        double = "encoded" in payload
        answer = json.dumps(self.server.act(json.loads(payload["encoded"]) if double else payload))
        return json.dumps(answer).encode() if double else answer.encode()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            # The client has had enough of it.
            self.close_connection = True


@contextmanager
def act_server(chunk: int | None = None) -> Iterator[ActServer]:
    """Serve in a thread."""
    server = ActServer(chunk)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
