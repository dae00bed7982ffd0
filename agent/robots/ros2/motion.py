"""From an action, in whichever space, to where the joints shall be."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.robots.commanded import MAX_STEP_M, MAX_TURN_RAD, CommandedPose
from agent.robots.kinematics import ArmKinematics
from agent.sections import Ros2Config
from agent.types import Vector

_GRIPPER = "gripper [0..1]"
_MOVES, _TURNS = ("dx [m]", "dy [m]", "dz [m]"), ("rx [rad]", "ry [rad]", "rz [rad]")


def spec_of(config: Ros2Config, low: Vector, high: Vector) -> ActionSpec:
    """Return what a robot takes.

    Args:
        config: The robot.
        low: (n,) rad, how far its joints may turn one way, zeros as the policy has them.
        high: (n,) rad, and the other way.
    """
    step = np.array([MAX_STEP_M] * 3 + [MAX_TURN_RAD] * 3)
    names: tuple[str, ...]
    match config.action:
        case ActionSpace.DELTA_EE:
            names, least, most = (*_MOVES, *_TURNS), -step, step
        case ActionSpace.DELTA_EE_POSITION:
            names, least, most = _MOVES, -step[:3], step[:3]
        case ActionSpace.JOINT_POSITION:
            names, least, most = tuple(f"{n} [rad]" for n in config.joints.names), low, high
        case ActionSpace.DELTA_JOINT:
            turn = max_turns(config)
            names, least, most = tuple(f"d{n} [rad]" for n in config.joints.names), -turn, turn
    return ActionSpec(
        space=config.action,
        names=(*names, _GRIPPER),
        low=np.append(least, 0.0),
        high=np.append(most, 1.0),
        rate_hz=config.rate_hz,
    )


def max_turns(config: Ros2Config) -> Vector:
    """Return (n,) rad: how far each joint may turn in one period."""
    speeds = [config.limits[name].velocity for name in config.joints.names]
    return np.array(speeds) / config.rate_hz


class Motion:
    """Leads the joints' targets from action to action, never faster than they may turn."""

    def __init__(self, config: Ros2Config, kinematics: ArmKinematics | None) -> None:
        """Keep how the arm bends, which deltas of the tool need."""
        self._space, self._kinematics = config.action, kinematics
        self._most = max_turns(config)
        self._targets: Vector = np.zeros(len(self._most))
        self._commanded = CommandedPose(np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]))

    def begin(self, joints: Vector, pose: Vector) -> None:
        """Begin from where the arm is: (n,) rad and the (7,) tool pose, m and wxyz."""
        self._targets = joints
        self._commanded.begin(pose)

    def next(self, motion: Vector, joints: Vector, pose: Vector) -> Vector:
        """Return (n,) rad: where the joints shall be one period after a moment.

        Args:
            motion: (dim - 1,) the action without the gripper.
            joints: (n,) rad, measured at that moment.
            pose: (7,) tool pose measured at that moment, m and wxyz, base frame.
        """
        goal = self._goal(motion, joints, pose)
        self._targets = self._targets + np.clip(goal - self._targets, -self._most, self._most)
        return self._targets

    def _goal(self, motion: Vector, joints: Vector, pose: Vector) -> Vector:
        match self._space:
            case ActionSpace.JOINT_POSITION:
                return motion
            case ActionSpace.DELTA_JOINT:
                return joints + motion
            case ActionSpace.DELTA_EE | ActionSpace.DELTA_EE_POSITION:
                assert self._kinematics is not None
                delta = np.zeros(6)
                delta[: motion.size] = motion
                commanded = self._commanded.move(delta, pose)
                return self._kinematics.solve(self._targets, commanded)
