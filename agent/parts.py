"""What a mission is made of, by protocol, and what it may spend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.facts import CERTAIN
from agent.memory import FailureMemory
from agent.protocols import (
    Monitor,
    Planner,
    Policy,
    Robot,
    SafetyShield,
    SceneEstimator,
    Subscriber,
    Verifier,
)
from agent.types import SkillContract


@dataclass(frozen=True, slots=True)
class Budget:
    """What a mission may spend before it asks for help.

    Attributes:
        replans: New plans after the first.
        attempts: Tries of one subgoal in a row.
        seconds: Robot time in all.
    """

    replans: int
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mission is made of; everything by protocol.

    `certainty` is the least confidence, 0..1, of each goal in the last look of a mission, `memory`
    what helped after which failure. Where the planner does not work or finds nothing that may be
    run, the `fallbacks` are asked in its place, one after another.
    """

    robot: Robot
    planner: Planner
    verifier: Verifier
    policies: Mapping[str, Policy]
    contracts: Mapping[str, SkillContract]
    estimator: SceneEstimator
    monitor: Monitor
    shield: SafetyShield
    budget: Budget
    fallbacks: Sequence[Planner] = ()
    certainty: float = CERTAIN
    memory: FailureMemory = field(default_factory=FailureMemory)
    subscribers: Sequence[Subscriber] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
