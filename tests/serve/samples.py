"""Observations to ask Bosun's policy about, and how they are sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from agent.types import ActionChunk, Observation
from skills.backend import Reply

PHRASE = "pick up the red block"


def observations(count: int, seed: int = 0) -> list[Observation]:
    """Return what a robot might sense from tick to tick."""
    rng = np.random.default_rng(seed)
    made = []
    for tick in range(count):
        quaternion = rng.normal(size=4)
        made.append(
            Observation(
                time_s=tick / 10,
                images={
                    "front": rng.integers(0, 256, (120, 160, 3), np.uint8),
                    "wrist": rng.integers(0, 256, (96, 96, 3), np.uint8),
                },
                joint_pos=rng.normal(size=7),
                ee_pose=np.concatenate(
                    [rng.normal(0.3, 0.1, 3), quaternion / np.linalg.norm(quaternion)]
                ),
                gripper=float(rng.random()),
            )
        )
    return made


def inputs(observation: Observation, prompt: str = PHRASE) -> dict[str, Any]:
    """Return what a client sends, to the last bit."""
    return {
        "observation/front_image": observation.images["front"],
        "observation/wrist_image": observation.images["wrist"],
        "observation/joint_position": observation.joint_pos,
        "observation/ee_pose": observation.ee_pose,
        "observation/gripper_position": np.array([observation.gripper]),
        "observation/time": np.array([observation.time_s]),
        "prompt": prompt,
    }


def assert_same(reply: Reply, chunk: ActionChunk) -> None:
    """Fail unless an answer is a chunk, bit for bit."""
    assert chunk.spread is not None and reply.spread is not None
    assert reply.actions.dtype == chunk.actions.dtype == np.float32
    assert np.array_equal(reply.actions, chunk.actions)
    assert np.array_equal(reply.spread, chunk.spread)
    assert (reply.progress, reply.success) == (chunk.progress, chunk.success)
