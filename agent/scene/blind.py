"""A scene estimator for a robot that has none."""

from __future__ import annotations

from agent.types import Observation, Scene


class BlindEstimator:
    """Believes in nothing, so that no plan needs a thing and nothing is confirmed of one."""

    def reset(self) -> None:
        """Nothing is kept."""

    def estimate(self, observation: Observation) -> Scene:
        """Return an empty scene."""
        return Scene(observation.time_s)
