"""What holds for every test: one thread, and no connection to another machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

# Read when torch and numpy's libraries are first imported, here and in subprocesses. Results and
# speed then do not depend on how many cores there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from agent.episode.reader import Episode
    from skills.policy.policy import VLAPolicy
    from tests.serve.processes import Served

LOGGED = ("press the button", "open the drawer", "pick up the red block")
LOGGED_SEED = 20
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


@pytest.fixture(scope="session")
def logged(tmp_path_factory: pytest.TempPathFactory) -> list[Episode]:
    """Return the episodes of real missions, all of which succeed; do not write to their folder."""
    from agent.build import Agent
    from agent.config import Config
    from agent.episode.reader import read_episode
    from agent.mission import Mission, run_mission
    from agent.sections import MemoryConfig

    root = tmp_path_factory.mktemp("logged")
    bosun = Agent(Config(memory=MemoryConfig(file=None)))
    try:
        for number, command in enumerate(LOGGED):
            run_mission(bosun, Mission(command, LOGGED_SEED, root / f"mission-{number}"))
    finally:
        bosun.close()
    return [read_episode(root / f"mission-{number}") for number in range(len(LOGGED))]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """Return a server of the shipped policy in a process of its own; leave it as it is."""
    from tests.serve.processes import serving

    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def unserved() -> VLAPolicy:
    """Return the same policy in this process; reset it first."""
    from agent.resources import resource
    from agent.skilled import POLICY_CHECKPOINT
    from skills.policy.policy import VLAPolicy

    return VLAPolicy.from_checkpoint(resource(POLICY_CHECKPOINT))
