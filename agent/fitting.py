"""Whether a policy fits the robot, asked of those that can tell."""

from __future__ import annotations

from agent.action_space import ActionSpec
from agent.protocols import Fitting, Policy
from agent.types import Observation


def fit(policy: Policy, spec: ActionSpec, observation: Observation) -> None:
    """Let a policy look whether it fits a robot; one that cannot tell is taken as it is.

    Raises:
        ConfigError: It does not; its sentence names every mismatch.
    """
    if isinstance(policy, Fitting):
        policy.fit(spec, observation)
