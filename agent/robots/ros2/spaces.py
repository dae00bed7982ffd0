"""The action spaces of a robot over ROS 2, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Body, Joints
from agent.robots.commanded import MAX_STEP_M, MAX_TURN_RAD
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.tool import kinematics_of
from agent.sections import Ros2Config
from agent.types import Vector
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

_GRIPPER = "gripper [0..1]"
_MOVES, _TURNS = ("dx [m]", "dy [m]", "dz [m]"), ("rx [rad]", "ry [rad]", "rz [rad]")
_NOWHERE = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
"""Home of a tool whose place the joints do not tell; such an arm goes home by its joints."""


def ros2_spec(config: Ros2Config, space: ActionSpace) -> ActionSpec:
    """Return what a robot takes in a space."""
    joints, step = ArmJoints.of(config), np.array([MAX_STEP_M] * 3 + [MAX_TURN_RAD] * 3)
    names: tuple[str, ...]
    low: Vector
    match space:
        case ActionSpace.DELTA_EE:
            names, low, high = (*_MOVES, *_TURNS), -step, step
        case ActionSpace.DELTA_EE_POSITION:
            names, low, high = _MOVES, -step[:3], step[:3]
        case ActionSpace.JOINT_POSITION:
            names = tuple(f"{name} [rad]" for name in config.joints.names)
            low, high = joints.low, joints.high
        case ActionSpace.DELTA_JOINT:
            names = tuple(f"d{name} [rad]" for name in config.joints.names)
            low, high = -joints.turns, joints.turns
    return ActionSpec(
        space=space,
        names=(*names, _GRIPPER),
        low=np.append(low, 0.0),
        high=np.append(high, 1.0),
        rate_hz=config.rate_hz,
    )


def ros2_body(config: Ros2Config, space: ActionSpace) -> Body:
    """Return what is known of a robot, to be sent actions in a space.

    Raises:
        ConfigError: The model of its arm cannot be read, or is of another one.
    """
    arm, kinematics = ArmJoints.of(config), kinematics_of(config)
    return Body(
        spec=ros2_spec(config, space),
        home=_NOWHERE if kinematics is None else kinematics.pose(arm.home),
        clear_z=config.clear_z,
        low=WORKSPACE_LOW,
        high=WORKSPACE_HIGH,
        joints=Joints(arm.low, arm.high, arm.home, kinematics) if space.of_joints else None,
    )
