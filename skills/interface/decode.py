"""What a model answers, as actions of the robot."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import PolicyInvalid
from agent.types import ActionChunk, Observation, Vector
from skills.backend import Reply
from skills.interface.normalisation import restored
from skills.interface.schema import ActionOutput, Interface

CONVERTIBLE = frozenset(
    {
        (ActionSpace.DELTA_JOINT, ActionSpace.JOINT_POSITION),
        (ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT),
        (ActionSpace.DELTA_EE_POSITION, ActionSpace.DELTA_EE),
    }
)
"""Pairs of a model's space and a robot's other one for which it means the very same motion."""


def decode(
    interface: Interface, reply: Reply, observation: Observation, spec: ActionSpec
) -> ActionChunk:
    """Return the chunk for the robot.

    Numbers that are none stay so; it is the monitor that judges them.

    Args:
        interface: What the model gives; it must fit the robot, which `misfits` tells.
        reply: What it gave.
        observation: What it was shown.
        spec: The action space of the robot.

    Raises:
        PolicyInvalid: The reply has too few rows or numbers.
    """
    given, every = interface.actions, stride(interface, spec)
    rows = np.asarray(reply.actions, np.float64)
    if rows.ndim != 2 or rows.shape[0] < given.horizon or rows.shape[1] < given.dim:
        raise PolicyInvalid(
            f"{interface.name} answers actions of shape {tuple(rows.shape)}, but its interface "
            f"says ({given.horizon}, {given.dim})."
        )
    horizon = given.horizon // every * every
    rows = rows[:horizon, : given.dim]
    if interface.action_statistics is not None:
        rows = restored(interface.action_statistics, rows)
    motion = _motion(given, rows[:, :-1] * np.array(given.scale))
    motion = _converted(_gathered(motion, given.space, every), given.space, spec.space, observation)
    opening = _opening(given, rows[every - 1 :: every, -1])
    spread = None if reply.spread is None else reply.spread[:horizon][every - 1 :: every]
    return ActionChunk(
        actions=np.column_stack([motion, opening]).astype(np.float32),
        dt_s=1.0 / spec.rate_hz,
        spread=spread,
        progress=reply.progress,
        success=reply.success,
    )


def stride(interface: Interface, spec: ActionSpec) -> int:
    """Return how many rows of the model make one action of the robot."""
    return max(1, round(interface.actions.rate_hz / spec.rate_hz))


def _motion(given: ActionOutput, motion: Vector) -> Vector:
    """Return (horizon, dim - 1) motion with turns as rotation vectors."""
    if given.space is not ActionSpace.DELTA_EE or given.rotation == "vector":
        return motion
    turns = motion[:, 3:]
    if np.isfinite(turns).all():
        turns = Rotation.from_euler("xyz", turns).as_rotvec()
    return np.column_stack([motion[:, :3], turns])


def _gathered(motion: Vector, space: ActionSpace, every: int) -> Vector:
    """Return the motion with `every` rows made into one: deltas add up, positions are the last."""
    if every == 1:
        return motion
    if space is ActionSpace.JOINT_POSITION:
        return motion[every - 1 :: every]
    groups = motion.reshape(-1, every, motion.shape[-1])
    summed: Vector = groups.sum(axis=1)
    if space is ActionSpace.DELTA_EE and np.isfinite(motion).all():
        turned = Rotation.from_rotvec(groups[:, 0, 3:])
        for row in range(1, every):
            # In the base frame, so the later turn comes from the left.
            turned = Rotation.from_rotvec(groups[:, row, 3:]) * turned
        summed[:, 3:] = turned.as_rotvec()
    return summed


def _converted(
    motion: Vector, given: ActionSpace, wanted: ActionSpace, observation: Observation
) -> Vector:
    """Return the same motion in the robot's space."""
    if given is wanted:
        return motion
    if wanted is ActionSpace.JOINT_POSITION:
        return observation.joint_pos + np.cumsum(motion, axis=0)
    if wanted is ActionSpace.DELTA_JOINT:
        return np.diff(motion, axis=0, prepend=observation.joint_pos[None])
    return np.column_stack([motion, np.zeros_like(motion)])


def _opening(given: ActionOutput, gripper: Vector) -> Vector:
    """Return the gripper's opening, 0 closed to 1 open."""
    closed, opened = given.gripper.closed, given.gripper.open
    opening = np.clip((gripper - closed) / (opened - closed), 0.0, 1.0)
    if not given.binary:
        return opening
    # What is no number is neither open nor closed.
    return np.where(np.isnan(opening), opening, np.round(opening))
