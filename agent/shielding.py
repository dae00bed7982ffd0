"""From a configuration to the shield; this module names the concrete ones."""

from __future__ import annotations

from agent.body import Body
from agent.joint_shield import JointShield, ToolLimits
from agent.protocols import SafetyShield
from agent.sections import ShieldConfig
from agent.shield import Shield


def shield(body: Body, limits: ShieldConfig) -> SafetyShield:
    """Return what limits every action, by what the robot's actions mean."""
    speeds = limits.max_speed_m_s, limits.max_turn_rad_s
    if body.joints is None:
        return Shield(body.spec, body.low, body.high, *speeds)
    known = body.joints.kinematics
    tool = None if known is None else ToolLimits(known, body.low, body.high, *speeds)
    return JointShield(body.spec, body.joints, limits.max_joint_speed_rad_s, tool)
