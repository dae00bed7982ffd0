"""When what a policy says was inferred, where that is not as it is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """When a chunk was inferred, where that is done while the last one is carried out.

    Attributes:
        seen_s: Time of the observation that its heads judge, s of the mission.
        latency_s: How long the inference took, s of wall time.
        starved: Whether no action was left at this tick, so that the arm stood until it came.
    """

    seen_s: float
    latency_s: float
    starved: bool = False
