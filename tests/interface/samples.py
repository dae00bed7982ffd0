"""Interfaces, robots and observations for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from agent.action_space import ActionSpace, ActionSpec
from agent.types import Observation
from skills.backend import Reply
from skills.interface.schema import Interface

DIMS = {
    ActionSpace.DELTA_EE: 7,
    ActionSpace.DELTA_EE_POSITION: 4,
    ActionSpace.JOINT_POSITION: 8,
    ActionSpace.DELTA_JOINT: 8,
}


def interface(space: ActionSpace = ActionSpace.DELTA_EE, **changed: Any) -> Interface:
    """Return an interface of seven joints; `actions` are merged, all else is replaced."""
    actions = {"space": space, "dim": DIMS[space], "horizon": 4, "rate_hz": 10}
    data: dict[str, Any] = {"name": "Test", "cameras": {"image": {"camera": "front"}}}
    actions.update(changed.pop("actions", {}))
    return Interface.model_validate({**data, "actions": actions, **changed})


def spec(space: ActionSpace = ActionSpace.DELTA_EE, rate_hz: float = 10.0) -> ActionSpec:
    """Return the action space of a robot with seven joints."""
    dim = DIMS[space]
    names = (*(f"number {n}" for n in range(1, dim)), "gripper [0..1]")
    low, high = np.full(dim, -3.0), np.full(dim, 3.0)
    low[-1], high[-1] = 0.0, 1.0
    return ActionSpec(space, names, low, high, rate_hz)


def observation(height: int = 120, width: int = 160, seed: int = 0) -> Observation:
    """Return what a robot with two cameras and seven joints senses."""
    rng = np.random.default_rng(seed)
    pose = Rotation.from_euler("xyz", [3.0, 0.2, -0.4]).as_quat(scalar_first=True)
    return Observation(
        time_s=1.5,
        images={
            "front": rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
            "wrist": rng.integers(0, 256, (96, 96, 3), dtype=np.uint8),
        },
        joint_pos=rng.uniform(-1, 1, 7),
        ee_pose=np.array([0.4, -0.1, 0.3, *pose]),
        gripper=0.25,
    )


def reply(rows: Any) -> Reply:
    """Return what a model answers."""
    return Reply(np.asarray(rows, np.float32))
