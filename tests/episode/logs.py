"""Short made-up episodes on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from agent.episode.reader import Episode, read_episode
from agent.episode.writer import EpisodeWriter
from agent.events import Event, MissionStarted, SubgoalStarted, Ticked, VerdictGiven
from agent.types import ActionChunk, Observation, Verdict
from tests.episode.samples import PICK, image


def written(folder: Path, events: Iterable[Event]) -> Episode:
    """Return an episode of these events."""
    with EpisodeWriter(folder) as writer:
        for event in events:
            writer.on_event(event)
    return read_episode(folder)


def tick(number: int, cameras: Sequence[str] = ("front", "wrist"), joints: int = 7) -> Ticked:
    """Return a tick of small images and numbers that tell which one it is."""
    rng = np.random.default_rng(number)
    action = np.full(7, 0.01 * number)
    return Ticked(
        time_s=0.1 * number,
        observation=Observation(
            time_s=0.1 * number,
            images={name: image(rng, 16) for name in cameras},
            joint_pos=np.linspace(0.0, 0.1 * number, joints),
            ee_pose=np.array([0.4, 0.0, 0.3, 0.0, 1.0, 0.0, 0.0]),
            gripper=0.5,
        ),
        chunk=ActionChunk(action[None].astype(np.float32), 0.1),
        action=action,
        sent=None if number % 3 == 2 else action / 2,
    )


def run(
    ticks: Iterable[Ticked],
    *,
    rate_hz: float = 10.0,
    command: str = "pick up the red block",
    verdict: Verdict | None = None,
) -> list[Event]:
    """Return the events of a mission of one run, which ends with its verdict, or is cut off."""
    ticks = list(ticks)
    end = ticks[-1].time_s if ticks else 0.0
    return [
        MissionStarted(0.0, command, {"rate_hz": rate_hz, "seed": 1}),
        SubgoalStarted(0.0, PICK, 1),
        *ticks,
        *([VerdictGiven(end, PICK, verdict)] if verdict else []),
    ]
