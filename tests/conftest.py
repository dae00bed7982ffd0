"""What holds for every test: one thread, and no connection to another machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

# Read when torch and numpy's libraries are first imported, here and in subprocesses. Results and
# speed then do not depend on how many cores there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every connection to another machine raise, unless the test is marked `network`."""
    if request.node.get_closest_marker("network"):
        return

    def guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
        def guard(self: socket.socket, address: Any) -> Any:
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            if inet and not str(address[0]).startswith(_LOOPBACK):
                raise AssertionError(f"A test tried to connect to {address[0]!r}.")
            return connect(self, address)

        return guard

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
