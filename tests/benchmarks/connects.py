"""Clients that come and go: `python -m tests.benchmarks.connects --times 10000`.

Each connects to `bosun serve`, asks once and goes: politely, in the middle of an answer, after
rubbish, in the middle of a handshake. Exit code 1 if the server then has more files or threads
open than before, or this process has, or its memory has grown.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from skills.clients.openpi import open_openpi
from skills.wire.codec import encode
from tests.serve.processes import Served, serving
from tests.serve.samples import inputs, observations

MAX_GROWTH_MB = 20.0
_WARM = 100
"""How many connections come before the first look."""
_SETTLED_S = 2.0
_TOLD = inputs(observations(1)[0])
_ASKED = encode(_TOLD)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds.

    Attributes:
        files: How many it has open, sockets among them.
        threads: How many it has.
        memory_mb: That is resident.
    """

    files: int
    threads: int
    memory_mb: float


def footprint(pid: int) -> Footprint:
    """Return what a process holds now."""
    proc = Path(f"/proc/{pid}")
    status = (proc / "status").read_text().splitlines()
    resident = next(line for line in status if line.startswith("VmRSS"))
    return Footprint(
        files=len(list((proc / "fd").iterdir())),
        threads=len(list((proc / "task").iterdir())),
        memory_mb=round(int(resident.split()[1]) / 1024, 1),
    )


def _backend(address: str) -> None:
    """Ask as Bosun does."""
    backend, _ = open_openpi(address, timeout_s=60.0)
    backend.ask(_TOLD)
    backend.close()


def _politely(address: str) -> None:
    """Ask as any client does, and say goodbye."""
    with _opened(address) as connection:
        connection.send(_ASKED)
        assert isinstance(connection.recv(timeout=60), bytes)


def _without_a_word(address: str) -> None:
    """Ask, and go before the answer comes."""
    connection = _opened(address)
    connection.send(_ASKED)
    connection.close_socket()


def _with_rubbish(address: str) -> None:
    """Say what is no message, and be told so."""
    with _opened(address) as connection:
        connection.send(_ASKED[:-9])
        assert isinstance(connection.recv(timeout=60), str)
        with suppress(ConnectionClosed):
            connection.recv(timeout=60)


def _half_way(address: str) -> None:
    """Begin a handshake, and reset the connection."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: ")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _opened(address: str) -> ClientConnection:
    connection = connect(f"ws://{address}", compression=None, legacy=True)
    connection.recv(timeout=60)
    return connection


VISITS: tuple[Callable[[str], None], ...] = (
    _backend,
    _politely,
    _without_a_word,
    _with_rubbish,
    _half_way,
)


def visit(served: Served, times: int) -> tuple[list[Footprint], list[Footprint]]:
    """Come and go, and return what server and client held before and after.

    Args:
        served: The server.
        times: How often, a few more before the first look not counted.
    """

    def look() -> tuple[Footprint, Footprint]:
        time.sleep(_SETTLED_S)
        return footprint(served.pid), footprint(os.getpid())

    for number in tqdm(range(_WARM + times)):
        if number == _WARM:
            server, client = look()
        VISITS[number % len(VISITS)](served.address)
    server_after, client_after = look()
    return [server, server_after], [client, client_after]


def leaks(looks: list[Footprint]) -> bool:
    """Return whether a process holds more than before."""
    before, after = looks
    return (
        after.files > before.files
        or after.threads > before.threads
        or after.memory_mb > before.memory_mb + MAX_GROWTH_MB
    )


def main() -> int:
    """Come and go, print one JSON object, and say by the exit code whether all stays flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10_000)
    asked = parser.parse_args()
    began = time.perf_counter()
    with serving() as served:
        server, client = visit(served, asked.times)
    print(
        json.dumps(
            {
                "connections": asked.times,
                "seconds": round(time.perf_counter() - began, 1),
                "server": [asdict(look) for look in server],
                "client": [asdict(look) for look in client],
            }
        )
    )
    return int(leaks(server) or leaks(client))


if __name__ == "__main__":
    sys.exit(main())
