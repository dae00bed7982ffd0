"""Action spaces as the arms have them: the arm first, the gripper last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.robots.commanded import MAX_STEP_M, MAX_TURN_RAD
from agent.types import Vector

_MOVES, _TURNS = ("dx [m]", "dy [m]", "dz [m]"), ("rx [rad]", "ry [rad]", "rz [rad]")
_STEP = np.array([MAX_STEP_M] * 3 + [MAX_TURN_RAD] * 3)


def arm_spec(
    space: ActionSpace, names: Sequence[str], low: Vector, high: Vector, rate_hz: float
) -> ActionSpec:
    """Return an arm's action space, with the gripper's opening, 0..1, after the (n,) numbers.

    Args:
        space: What the numbers mean.
        names: Their n names, with units.
        low: (n,) smallest values.
        high: (n,) largest values.
        rate_hz: Actions per second.
    """
    return ActionSpec(
        space=space,
        names=(*names, "gripper [0..1]"),
        low=np.append(low, 0.0),
        high=np.append(high, 1.0),
        rate_hz=rate_hz,
    )


def tool_spec(space: ActionSpace, rate_hz: float) -> ActionSpec:
    """Return `DELTA_EE`, or `DELTA_EE_POSITION`, with the largest steps of one period."""
    names = _MOVES if space is ActionSpace.DELTA_EE_POSITION else (*_MOVES, *_TURNS)
    step = _STEP[: len(names)]
    return arm_spec(space, names, -step, step, rate_hz)
