"""The joints of an arm over ROS 2, with the zeros that the policy and the model have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.sections import Ros2Config
from agent.types import Vector


@dataclass(frozen=True, slots=True, eq=False)
class ArmJoints:
    """What is known of the n joints from the configuration.

    Attributes:
        offsets: (n,) rad, what is added to each position that arrives, and taken off what is sent.
        low: (n,) rad, smallest positions, offsets added; so are the next two.
        high: (n,) rad, largest positions.
        home: (n,) rad, where the arm rests.
        turns: (n,) rad, how far each may turn in one period.
    """

    offsets: Vector
    low: Vector
    high: Vector
    home: Vector
    turns: Vector

    @classmethod
    def of(cls, config: Ros2Config) -> ArmJoints:
        """Return the joints of a robot."""
        names = config.joints.names
        limits = [config.limits[name] for name in names]
        offsets: Vector = np.array(config.joints.offsets or [0.0] * len(names))
        return cls(
            offsets=offsets,
            low=np.array([limit.low for limit in limits]) + offsets,
            high=np.array([limit.high for limit in limits]) + offsets,
            home=np.array(config.home) + offsets,
            turns=np.array([limit.velocity for limit in limits]) / config.rate_hz,
        )
