"""What a Fetch may be sent, and what is known of it before it is opened."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace
from agent.body import Body
from agent.robots.fetch.model import TABLE_Z
from agent.robots.fetch.world import HOME_POSE, RATE_HZ
from agent.robots.spaces import tool_spec

SPEC = tool_spec(ActionSpace.DELTA_EE_POSITION, RATE_HZ)
"""Four numbers: translation and gripper opening; the fingers always point down."""

FETCH_BODY = Body(
    spec=SPEC,
    home=HOME_POSE,
    clear_z=TABLE_Z + 0.08,
    low=np.array([0.42, -0.30, TABLE_Z + 0.02]),
    high=np.array([0.82, 0.30, 0.85]),
)
