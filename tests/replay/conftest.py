"""Real missions, recorded once, for all that is done with an episode afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.build import Agent
from agent.config import load_config
from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.events import Event, Ticked
from agent.mission import Mission, run_mission

SEED = 20
STOPPED_AT = 12
"""Tick after which somebody stops the arm."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Folders of episodes.

    Attributes:
        lamp: One skill in a fresh scene.
        drawer: What came next in the same world.
        stopped: A mission that somebody stopped in mid-motion.
        asked: A command that is a question instead of a plan.
    """

    lamp: Path
    drawer: Path
    stopped: Path
    asked: Path


class _Hand:
    """Presses the button some ticks into a mission, while the arm moves."""

    def __init__(self, agent: Agent) -> None:
        self._agent, self._ticks = agent, 0

    def on_event(self, event: Event) -> None:
        self._ticks += isinstance(event, Ticked)
        if self._ticks == STOPPED_AT:
            self._agent.robot.stop()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Return the episodes; nobody may change them."""
    folder = tmp_path_factory.mktemp("recorded")
    episodes = Recorded(*(folder / name for name in ("lamp", "drawer", "stopped", "asked")))
    agent = Agent(load_config(None, ["memory.file=null"]))
    run_mission(agent, Mission("press the button", SEED, episodes.lamp))
    run_mission(agent, Mission("open the drawer", None, episodes.drawer))
    run_mission(agent, Mission("open the drawer", SEED, episodes.stopped), [_Hand(agent)])
    run_mission(agent, Mission("pick up the purple block", SEED, episodes.asked))
    agent.close()
    yield episodes


def rewritten(source: Path, folder: Path, change: Callable[[Event, int], Event]) -> Path:
    """Write an episode again, each event changed as told by it and the ticks before it."""
    ticks = 0
    with EpisodeWriter(folder) as writer:
        for event in read_episode(source).events():
            writer.on_event(change(event, ticks))
            ticks += isinstance(event, Ticked)
    return folder
