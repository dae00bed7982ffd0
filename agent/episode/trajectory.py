"""One subgoal run as numbers to learn from, be it of an episode or of a LeRobotDataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.episode.lerobot.layout import acted, state_of
from agent.episode.runs import SubgoalRun
from agent.types import FloatArray, Image, Scene, Subgoal


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """A run of n frames.

    Attributes:
        mission: Number of the mission it belongs to, from 0.
        subgoal: What was to be done; its skill is empty where only the phrase is known.
        outcome: How it ended, as `SubgoalOutcome` has it, or `unknown`; None where nothing says.
        scene: What the agent believed at the decision point before it; None where that is unknown.
        images: Camera name -> n images, (H, W, 3) uint8 RGB.
        state: (n, 8 + joints): tool pose in m and wxyz, gripper 0..1, joints in rad.
        action: (n, dim) what was sent, and where nothing was, what the policy asked for.
    """

    mission: int
    subgoal: Subgoal
    outcome: str | None
    scene: Scene | None
    images: Mapping[str, Sequence[Image]]
    state: FloatArray
    action: FloatArray


def trajectory_of(run: SubgoalRun, mission: int) -> Trajectory:
    """Return a logged run, which has at least one tick, as numbers."""
    cameras = run.ticks[0].observation.images
    return Trajectory(
        mission=mission,
        subgoal=run.subgoal,
        outcome=run.outcome,
        scene=run.scene,
        images={
            name: [t.observation.images[name] for t in run.ticks if name in t.observation.images]
            for name in cameras
        },
        state=np.stack([state_of(tick) for tick in run.ticks]),
        action=np.stack([acted(tick) for tick in run.ticks]),
    )
