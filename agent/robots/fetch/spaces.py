"""What a Fetch may be sent, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Body
from agent.robots.fetch.model import TABLE_Z
from agent.robots.fetch.world import HOME_POSE, RATE_HZ

MAX_STEP_M = 0.05

SPEC = ActionSpec(
    space=ActionSpace.DELTA_EE_POSITION,
    names=("dx [m]", "dy [m]", "dz [m]", "gripper [0..1]"),
    low=np.array([-MAX_STEP_M] * 3 + [0.0]),
    high=np.array([MAX_STEP_M] * 3 + [1.0]),
    rate_hz=RATE_HZ,
)
"""Four numbers: translation and gripper opening; the fingers always point down."""

FETCH_BODY = Body(
    spec=SPEC,
    home=HOME_POSE,
    clear_z=TABLE_Z + 0.08,
    low=np.array([0.42, -0.30, TABLE_Z + 0.02]),
    high=np.array([0.82, 0.30, 0.85]),
)
