"""A policy that fails on purpose, for tests and measurements of what happens then."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import numpy as np

from agent.action_space import ActionSpec
from agent.fitting import fit
from agent.protocols import ContinuingPolicy, Policy
from agent.types import ActionChunk, Observation

_FAR = 1e3
_FOREVER_S = 3600.0


class Fault(StrEnum):
    """How a policy fails: DEAD ends its process, so it must have one of its own."""

    NAN = "nan"
    OUT_OF_RANGE = "out_of_range"
    SLOW = "slow"
    DEAD = "dead"


class _WrappedPolicy(ABC):
    """Does what the policy it wraps does, and then what a subclass makes of the answer."""

    def __init__(self, make_policy: Callable[[], Policy]) -> None:
        self._policy = make_policy()

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Let the policy it wraps look whether it fits the robot."""
        fit(self._policy, spec, observation)

    def reset(self, phrase: str) -> None:
        """Begin a subgoal."""
        self._policy.reset(phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions."""
        return self._answered(self._policy.infer(observation), observation)

    @property
    def continues(self) -> bool:
        """Whether the policy it wraps can make a chunk go on from what is left of the last one."""
        return isinstance(self._policy, ContinuingPolicy) and self._policy.continues

    def infer_after(self, observation: Observation, delay: int) -> ActionChunk:
        """Return the next actions in agreement with those under way."""
        if not isinstance(self._policy, ContinuingPolicy):
            return self.infer(observation)
        return self._answered(self._policy.infer_after(observation, delay), observation)

    @abstractmethod
    def _answered(self, chunk: ActionChunk, observation: Observation) -> ActionChunk:
        """Return what becomes of an answer."""


class DelayedPolicy(_WrappedPolicy):
    """Answers like the policy it wraps, but so much later."""

    def __init__(
        self,
        make_policy: Callable[[], Policy],
        delay_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Load the policy; each answer takes so many seconds more."""
        super().__init__(make_policy)
        self._delay_s, self._sleep = delay_s, sleep

    def _answered(self, chunk: ActionChunk, observation: Observation) -> ActionChunk:
        self._sleep(self._delay_s)
        return chunk


class FaultyPolicy(_WrappedPolicy):
    """Behaves like the policy it wraps until a moment of the mission, and then fails."""

    def __init__(self, make_policy: Callable[[], Policy], fault: Fault, from_s: float) -> None:
        """Load the policy; it fails from this second on."""
        super().__init__(make_policy)
        self._fault, self._from_s = fault, from_s

    def _answered(self, chunk: ActionChunk, observation: Observation) -> ActionChunk:
        if observation.time_s < self._from_s:
            return chunk
        match self._fault:
            case Fault.NAN:
                return replace(chunk, actions=np.full_like(chunk.actions, np.nan))
            case Fault.OUT_OF_RANGE:
                return replace(chunk, actions=chunk.actions * np.float32(_FAR))
            case Fault.SLOW:
                time.sleep(_FOREVER_S)
            case Fault.DEAD:
                os._exit(1)
        return chunk
