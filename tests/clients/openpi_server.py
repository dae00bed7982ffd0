"""A server of the kind openpi has, written from its published description alone.

It sends its metadata first, then one answer for each observation; a failure is a traceback in a
text frame and the code 1011. `GET /healthz` answers "OK". What it does with an observation is up to
the test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.wire.plain_msgpack import read, written

Behaviour = Callable[[ServerConnection, bytes], None]
"""What is done about one message that came."""
METADATA: Mapping[str, Any] = {"reset_pose": [0.0, -1.5, 1.5, 0.0, 0.0, 0.0]}


@dataclass
class OpenpiServer:
    """Keeps what came and went.

    Attributes:
        address: `host:port`.
        behaviour: What it does about an observation.
        heard: Every message that came, as bytes.
        said: Every answer that `reply` sent, as bytes.
        connections: How many there have been.
        released: Set when the test is over, for whoever waits.
    """

    behaviour: Behaviour
    address: str = ""
    heard: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def serve(self, connection: ServerConnection) -> None:
        """Serve one client until it goes."""
        self.connections += 1
        try:
            connection.send(written(dict(METADATA)))
            for message in connection:
                assert isinstance(message, bytes)
                self.heard.append(message)
                self.behaviour(connection, message)
        except (ConnectionClosed, OSError):
            return

    def reply(self, connection: ServerConnection, answer: Any) -> None:
        """Send an answer."""
        self.said.append(written(answer))
        connection.send(self.said[-1])


def actions(rows: int = 6, number: float = 0.01) -> dict[str, Any]:
    """Return an answer as a policy of openpi's gives it."""
    return {
        "actions": np.full((rows, 7), number, np.float32),
        "state": np.zeros(8),
        "policy_timing": {"infer_ms": 1.5},
        "server_timing": {"infer_ms": 1.6},
    }


@contextmanager
def openpi_server(answer: Any = None, behaviour: Behaviour | None = None) -> Iterator[OpenpiServer]:
    """Serve within the context.

    Args:
        answer: To every observation; None is a chunk of six rows.
        behaviour: Done in its place.
    """
    given = actions() if answer is None else answer

    def usual(connection: ServerConnection, message: bytes) -> None:
        assert isinstance(read(message), dict)
        server.reply(connection, given)

    server = OpenpiServer(behaviour or usual)
    with serve(
        server.serve,
        "127.0.0.1",
        0,
        compression=None,
        max_size=None,
        process_request=_health,
        close_timeout=0.2,
    ) as listening:
        server.address = f"127.0.0.1:{listening.socket.getsockname()[1]}"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            listening.shutdown()
            thread.join()


def _health(connection: ServerConnection, request: Request) -> Response | None:
    healthy = request.path == "/healthz"
    return connection.respond(HTTPStatus.OK, "OK\n") if healthy else None
