"""A websocket to a server of policies, every wait of which has an end."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidStatus,
    WebSocketException,
)
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from agent.errors import PolicyLost, WireError
from agent.remote import told
from skills.wire.codec import MAX_BYTES, decode, encode
from skills.wire.silence import silent_logger

BROKEN = (OSError, WebSocketException)
"""What is raised where a connection cannot be made or ends; another one may be tried."""
_LONGEST = 500
"""Characters that are repeated of what a server says."""


class Wire:
    """One connection, and what the server said of itself when it came about.

    Attributes:
        metadata: What that was.
    """

    def __init__(self, address: str, server: str, key: str | None, deadline_s: float) -> None:
        """Connect.

        Args:
            address: Of the server, `ws://HOST:PORT`.
            server: What a sentence calls it.
            key: What it is shown.
            deadline_s: When it must have said what it serves, by the monotonic clock.

        Raises:
            PolicyLost: It does not let us in, or nothing that it says can be read.
            BROKEN: It cannot be reached.
        """
        self._address, self._server, self._key = address, server, key
        self._connection = self._open(deadline_s)
        with ExitStack() as undo:
            undo.callback(self.close)
            self.metadata: Mapping[str, Any] = self._read(deadline_s)
            undo.pop_all()

    def exchange(self, inputs: Mapping[str, Any], deadline_s: float) -> Mapping[str, Any]:
        """Return the answer to a message; after anything else the connection is of no use.

        Raises:
            PolicyLost: The server says that it failed, or nothing that can be read.
            BROKEN: The connection ended or its time is spent.
        """
        message = encode(dict(inputs))
        with suppress(TimeoutError):
            self._connection.recv(timeout=0)
            raise ConnectionError("it spoke without being asked")
        try:
            # A server that does not read must not hold us up either.
            self._connection.socket.settimeout(_left(deadline_s))
            self._connection.send(message)
            return self._read(deadline_s)
        except ConnectionClosed as closed:
            raise self._why(closed) from closed

    def close(self) -> None:
        """Close it, whatever the server does; idempotent."""
        # Not `close`, which waits for the server's goodbye and for what is still to be sent.
        self._connection.close_socket()
        self._connection.wait_closed()

    def _why(self, closed: ConnectionClosed) -> Exception:
        """Return what a closed connection means; where it is the end itself, that."""
        if isinstance(closed.__cause__, TimeoutError):
            return TimeoutError()
        if closed.sent is None or closed.sent.code != CloseCode.MESSAGE_TOO_BIG:
            return closed
        if closed.rcvd_then_sent:
            return PolicyLost(f"{self._server} takes no message as large as this observation.")
        return PolicyLost(f"{self._server} answers with more than {MAX_BYTES} bytes.")

    def _open(self, deadline_s: float) -> ClientConnection:
        key = self._key
        try:
            connection = connect(
                self._address,
                additional_headers={"Authorization": f"Api-Key {key}"} if key else None,
                compression=None,
                max_size=MAX_BYTES,
                max_queue=1,
                open_timeout=_left(deadline_s),
                # A server that is gone is noticed when it is asked.
                ping_interval=None,
                proxy=None,
                legacy=True,
                logger=silent_logger(),
            )
        except InvalidStatus as refused:
            if refused.response.status_code in (401, 403):
                shown = "does not take our key" if key else "wants a key"
                raise PolicyLost(f"{self._server} {shown}.") from refused
            raise
        except AssertionError as confused:
            # The library relies on nobody speaking before being asked; other servers do.
            raise InvalidMessage("it spoke before it was asked") from confused
        assert isinstance(connection, ClientConnection)
        return connection

    def _read(self, deadline_s: float) -> Mapping[str, Any]:
        """Return the next message."""
        message = self._connection.recv(timeout=_left(deadline_s))
        if isinstance(message, str):
            raise PolicyLost(f"{self._server} failed: {_last_line(message, self._key)}")
        try:
            answer = decode(message)
        except WireError as error:
            raise PolicyLost(f"{self._server} makes no sense: {error}") from error
        if not isinstance(answer, dict):
            kind = type(answer).__name__
            raise PolicyLost(f"{self._server} answers a {kind}, not a mapping.")
        return answer


def broken(error: BaseException) -> str:
    """Say what is wrong with a connection, to stand after a colon."""
    match error:
        case TimeoutError():
            return "it does not answer in time"
        case ConnectionRefusedError():
            return "nobody listens there"
        case socket.gaierror():
            return "there is no such address"
        case InvalidStatus():
            body = (error.response.body or b"").decode(errors="replace")
            return f"it answers HTTP {error.response.status_code} {told(RuntimeError(body), '')}"
        case ConnectionClosed() | InvalidMessage() | EOFError():
            return "the connection broke off"
    return told(error, "")


def _last_line(text: str, key: str | None) -> str:
    """Return the last line of a failure: openpi's servers send a traceback, ours one sentence."""
    last = (text.strip().splitlines() or ["it does not say why"])[-1]
    return last.replace(key, "***")[:_LONGEST] if key else last[:_LONGEST]


def _left(deadline_s: float) -> float:
    """Return how much time is left, s.

    Raises:
        TimeoutError: None is.
    """
    left = deadline_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
