"""The action spaces of the tabletop's Panda, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Body, Joints
from agent.robots.commanded import MAX_STEP_M, MAX_TURN_RAD
from agent.robots.tabletop.panda import HOME_JOINTS, panda_kinematics
from agent.robots.tabletop.world import HOME_POSE, RATE_HZ
from agent.types import Vector
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

_MAX_JOINT_STEP_RAD = 0.3
_CLEAR_Z = 0.18
_GRIPPER = "gripper [0..1]"
_MOVES, _TURNS = ("dx [m]", "dy [m]", "dz [m]"), ("rx [rad]", "ry [rad]", "rz [rad]")


def _spec(space: ActionSpace, names: tuple[str, ...], low: Vector, high: Vector) -> ActionSpec:
    return ActionSpec(
        space=space,
        names=(*names, _GRIPPER),
        low=np.append(low, 0.0),
        high=np.append(high, 1.0),
        rate_hz=RATE_HZ,
    )


_STEP = np.array([MAX_STEP_M] * 3 + [MAX_TURN_RAD] * 3)
SPEC = _spec(ActionSpace.DELTA_EE, (*_MOVES, *_TURNS), -_STEP, _STEP)
"""Seven numbers: translation, rotation vector and gripper opening."""


def tabletop_spec(space: ActionSpace) -> ActionSpec:
    """Return what the arm may be sent in a space."""
    match space:
        case ActionSpace.DELTA_EE:
            return SPEC
        case ActionSpace.DELTA_EE_POSITION:
            return _spec(space, _MOVES, -_STEP[:3], _STEP[:3])
        case ActionSpace.JOINT_POSITION:
            names = tuple(f"q{i} [rad]" for i in range(1, 8))
            return _spec(space, names, *panda_kinematics().ranges)
        case ActionSpace.DELTA_JOINT:
            most = np.full(7, _MAX_JOINT_STEP_RAD)
            return _spec(space, tuple(f"dq{i} [rad]" for i in range(1, 8)), -most, most)


def tabletop_body(space: ActionSpace) -> Body:
    """Return what is known of the arm, to be sent actions in a space."""
    joints = None
    if space.of_joints:
        kinematics = panda_kinematics()
        home = kinematics.solve(HOME_JOINTS, HOME_POSE)
        joints = Joints(*kinematics.ranges, home, kinematics)
    return Body(
        spec=tabletop_spec(space),
        home=HOME_POSE,
        clear_z=_CLEAR_Z,
        low=WORKSPACE_LOW,
        high=WORKSPACE_HIGH,
        joints=joints,
    )
