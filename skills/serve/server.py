"""Serves a policy to several clients at once, over openpi's websocket protocol.

The server speaks first: a message of metadata. Then each observation is answered by a dictionary
with `actions` and timing. A failure is one sentence in a text frame, and the end of that
connection alone. A new connection, another `prompt` and `reset: true` begin a subgoal.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from agent.errors import BosunError, UsageError, WireError
from skills.serve.session import Service, Session
from skills.wire.codec import MAX_BYTES, RESET, TAKES_RESET, decode, encode
from skills.wire.silence import silent_logger

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
_FAILURES = (ArithmeticError, BosunError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What running a network raises; after anything else a connection ends without a word."""
_LONGEST = 300
"""Characters of a failure that a client is told."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What clients may take.

    Attributes:
        clients: At one time; one more is refused until another one goes.
        message_bytes: Of one observation.
        idle_s: How long a client may ask nothing before it is let go.
        open_s: How long an opening or closing handshake may take.
        ping_s: How often a client is asked whether it is there, and how long it may take to say so.
    """

    clients: int = 16
    message_bytes: int = MAX_BYTES
    idle_s: float = 600.0
    open_s: float = 5.0
    ping_s: float = 20.0


class PolicyServer:
    """Holds connections in an event loop and infers, for one client at a time, in one thread."""

    def __init__(
        self, service: Service, key: str | None = None, limits: ServerLimits | None = None
    ) -> None:
        """Keep what is served; nobody is listened to yet.

        Args:
            service: Makes a session for each client.
            key: Which clients must show, as `Authorization: Api-Key KEY`; None asks for none.
            limits: What clients may take.
        """
        self._service = service
        self._authorization = None if key is None else f"Api-Key {key}".encode()
        self._limits = limits or ServerLimits()
        self._server: Server | None = None
        # All of a network's work is done in one thread: so inferences cannot overlap, and what
        # torch keeps per thread, such as their number, holds for all of them.
        self._worker: ThreadPoolExecutor | None = None

    @asynccontextmanager
    async def listening(self, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[int]:
        """Listen for as long as the context lasts; it gives the port.

        Args:
            host: Name or address of this machine to listen at.
            port: 0 takes one that is free.

        Raises:
            UsageError: It cannot be listened there.
        """
        limits = self._limits
        with ThreadPoolExecutor(1, thread_name_prefix="inference") as worker:
            self._worker = worker
            try:
                self._server = await serve(
                    self._converse,
                    host,
                    port,
                    process_request=self._admit,
                    compression=None,
                    max_size=limits.message_bytes,
                    # One message under work and one that waits: a client that sends more than it
                    # is answered is not read any further.
                    max_queue=1,
                    open_timeout=limits.open_s,
                    close_timeout=limits.open_s,
                    ping_interval=limits.ping_s,
                    ping_timeout=limits.ping_s,
                    server_header=None,
                    logger=silent_logger(),
                )
            except OSError as error:
                raise UsageError(_deaf(error, host, port)) from error
            async with self._server as server:
                yield next(iter(server.sockets)).getsockname()[1]

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no websocket, and refuse whom there is no room or no key for."""
        if request.path == "/healthz":
            return connection.respond(HTTPStatus.OK, "OK\n")
        if self._authorization is not None:
            shown = [
                header.encode(errors="surrogateescape")
                for header in request.headers.get_all("Authorization")
            ]
            if len(shown) != 1 or not hmac.compare_digest(shown[0], self._authorization):
                return connection.respond(
                    HTTPStatus.UNAUTHORIZED,
                    "This server wants its key, as `Authorization: Api-Key KEY`.\n",
                )
        assert self._server is not None
        if len(self._server.connections) >= self._limits.clients:
            return connection.respond(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"This server has {self._limits.clients} clients and takes no more.\n",
            )
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        """Serve one client until it goes; what it does wrong ends its own connection."""
        with suppress(ConnectionClosed):
            try:
                await self._answer_all(connection)
            except _FAILURES as error:
                sentence = _sentence(error)
                await connection.send(sentence)
                await connection.close(CloseCode.INTERNAL_ERROR, "The text frame before says why.")

    async def _answer_all(self, connection: ServerConnection) -> None:
        await connection.send(encode({TAKES_RESET: True, **self._service.metadata}))
        exchange = _Exchange(self._service)
        took_s: float | None = None
        while True:
            message = await self._next(connection)
            began = time.monotonic()
            if isinstance(message, str):
                raise WireError("An observation is a binary message of msgpack, not a text.")
            answer = await self._in_worker(exchange.answer, message)
            timing = {"infer_ms": (time.monotonic() - began) * 1e3}
            if took_s is not None:
                timing["prev_total_ms"] = took_s * 1e3
            await connection.send(encode({**answer, "server_timing": timing}))
            took_s = time.monotonic() - began

    async def _next(self, connection: ServerConnection) -> str | bytes:
        """Return a client's next message."""
        try:
            async with asyncio.timeout(self._limits.idle_s):
                return await connection.recv()
        except TimeoutError:
            raise WireError(f"Nothing was asked for {self._limits.idle_s:g} s.") from None

    async def _in_worker(self, call: Callable[[bytes], T], message: bytes) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, call, message)


class _Exchange:
    """What goes on with one client, seen from the thread that infers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._session: Session | None = None
        self._prompt = ""

    def answer(self, message: bytes) -> dict[str, Any]:
        """Return the answer to one message."""
        inputs = decode(message)
        if not isinstance(inputs, dict):
            raise WireError(f"An observation is a mapping, not {type(inputs).__name__}.")
        anew, prompt = inputs.pop(RESET, False), inputs.get("prompt", "")
        if not isinstance(anew, bool):
            raise WireError(f"{RESET}: true or false is expected, not {type(anew).__name__}.")
        if not isinstance(prompt, str):
            raise WireError(f"prompt: a text is expected, not {type(prompt).__name__}.")
        if self._session is None:
            self._session, anew = self._service.session(), True
        if anew or prompt != self._prompt:
            self._session.reset(prompt)
            self._prompt = prompt
        return self._session.infer(inputs)


def serve_until_interrupted(
    server: PolicyServer, host: str, port: int, announce: Callable[[int], None]
) -> None:
    """Serve until this process is interrupted or told to end; clients are told that it goes.

    Args:
        server: What to serve.
        host: Name or address of this machine to listen at.
        port: 0 takes one that is free.
        announce: Is told the port once clients may come.

    Raises:
        UsageError: It cannot be listened there.
    """

    async def run() -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        async with server.listening(host, port) as found:
            announce(found)
            await ended.wait()

    asyncio.run(run())


def _deaf(error: OSError, host: str, port: int) -> str:
    """Say why nobody can be listened to."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {host!r}; try {LOOPBACK} or 0.0.0.0 with --host."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use; name another one with --port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} of {host} is not for everybody; name one from 1024 on with --port."
    return f"Nobody can be listened to at {host}, port {port}: {error.strerror or error}."


def _sentence(error: Exception) -> str:
    """Say a failure on one line."""
    text = str(error) if isinstance(error, WireError) else f"The policy failed: {_named(error)}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, BosunError) else f"{type(error).__name__}: {error}"
