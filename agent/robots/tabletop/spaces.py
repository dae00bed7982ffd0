"""The action spaces of the tabletop's Panda, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Body, Joints
from agent.robots.panda import HOME_JOINTS, panda_kinematics
from agent.robots.spaces import arm_spec, tool_spec
from agent.robots.tabletop.world import HOME_POSE, RATE_HZ
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

_MAX_JOINT_STEP_RAD = 0.3
_CLEAR_Z = 0.18

SPEC = tool_spec(ActionSpace.DELTA_EE, RATE_HZ)
"""Seven numbers: translation, rotation vector and gripper opening."""


def tabletop_spec(space: ActionSpace) -> ActionSpec:
    """Return what the arm may be sent in a space."""
    match space:
        case ActionSpace.DELTA_EE:
            return SPEC
        case ActionSpace.DELTA_EE_POSITION:
            return tool_spec(space, RATE_HZ)
        case ActionSpace.JOINT_POSITION:
            names = tuple(f"q{i} [rad]" for i in range(1, 8))
            return arm_spec(space, names, *panda_kinematics().ranges, RATE_HZ)
        case ActionSpace.DELTA_JOINT:
            names = tuple(f"dq{i} [rad]" for i in range(1, 8))
            most = np.full(7, _MAX_JOINT_STEP_RAD)
            return arm_spec(space, names, -most, most, RATE_HZ)


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
