"""The action spaces of a robot over ROS 2, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Body, Joints
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.tool import kinematics_of
from agent.robots.spaces import arm_spec, tool_spec
from agent.sections import Ros2Config
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

_NOWHERE = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
"""Home of a tool whose place the joints do not tell; such an arm goes home by its joints."""


def ros2_spec(config: Ros2Config, space: ActionSpace) -> ActionSpec:
    """Return what a robot takes in a space."""
    joints, rate_hz = ArmJoints.of(config), config.rate_hz
    match space:
        case ActionSpace.DELTA_EE | ActionSpace.DELTA_EE_POSITION:
            return tool_spec(space, rate_hz)
        case ActionSpace.JOINT_POSITION:
            names = [f"{name} [rad]" for name in config.joints.names]
            return arm_spec(space, names, joints.low, joints.high, rate_hz)
        case ActionSpace.DELTA_JOINT:
            names = [f"d{name} [rad]" for name in config.joints.names]
            return arm_spec(space, names, -joints.turns, joints.turns, rate_hz)


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
