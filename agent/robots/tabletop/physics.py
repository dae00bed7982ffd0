"""The state of the physics as text, exact to the bit."""

from __future__ import annotations

import base64

import mujoco
import numpy as np

from agent.errors import RobotError

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""What MuJoCo needs to go on as if nothing had been."""


def recorded(model: mujoco.MjModel, data: mujoco.MjData) -> str:
    """Return the state, base64 of float64."""
    state = np.empty(mujoco.mj_stateSize(model, _STATE))
    mujoco.mj_getState(model, data, state, _STATE)
    return base64.b64encode(state.tobytes()).decode("ascii")


def restore(model: mujoco.MjModel, data: mujoco.MjData, text: str) -> None:
    """Take up a recorded state.

    Raises:
        RobotError: It is that of another model.
    """
    state = np.frombuffer(base64.b64decode(text))
    if len(state) != mujoco.mj_stateSize(model, _STATE):
        raise RobotError(
            "The world's state was recorded with another table; use the version of Bosun that "
            "recorded it."
        )
    mujoco.mj_setState(model, data, state, _STATE)
    mujoco.mj_forward(model, data)
    # The solver begins where it left off, and `mj_forward` has moved that.
    mujoco.mj_setState(model, data, state, _STATE)
