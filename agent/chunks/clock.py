"""The clock of an arm that is told what to do, tick by tick."""

from __future__ import annotations

from dataclasses import replace

from agent.action_space import ActionSpec
from agent.fitting import fit
from agent.protocols import Policy
from agent.types import ActionChunk, Observation

_LATE_TICKS = 0.5
"""From how much more than a tick on the time between two counts as having stood, in ticks."""


class ActedClock:
    """Tells the time without the seconds in which an arm stood and waited for its next action.

    Chunks are planned for an arm that goes on: where it stood, the row that comes next is the one
    after the last that was carried out, however late it is.
    """

    def __init__(self) -> None:
        """Begin before the first tick."""
        self._last_s: float | None = None
        self._stood_s = 0.0

    def at(self, time_s: float, dt_s: float, *, waited: bool = False) -> float:
        """Take in one more tick and return its time, s.

        Args:
            time_s: By the robot's clock, s.
            dt_s: How long an action lasts, s.
            waited: Whether the last action is known to have been waited for; else only what a clock
                that is not exact cannot account for counts as having stood.
        """
        stood_s = 0.0 if self._last_s is None else time_s - self._last_s - dt_s
        if stood_s > (0.0 if waited else _LATE_TICKS * dt_s):
            self._stood_s += stood_s
        self._last_s = time_s
        return time_s - self._stood_s


def on_clock(observation: Observation, time_s: float) -> Observation:
    """Return an observation with another time, s; the same one where it is no other."""
    same = observation.time_s == time_s
    return observation if same else replace(observation, time_s=time_s)


class ActedPolicy:
    """A policy that is asked at every tick, and told the time by the clock of its acts.

    Where the robot's clock goes on while it infers, one row was carried out since it was asked
    last, whatever the time.

    Attributes:
        policy: The one that is asked.
    """

    def __init__(self, policy: Policy) -> None:
        """Wrap a policy; `reset` must be called before `infer`."""
        self.policy = policy

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Let the policy it wraps look whether it fits the robot."""
        fit(self.policy, spec, observation)

    def reset(self, phrase: str) -> None:
        """Begin a subgoal."""
        self.policy.reset(phrase)
        self._acted, self._dt_s = ActedClock(), 0.0

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions."""
        time_s = self._acted.at(observation.time_s, self._dt_s)
        chunk = self.policy.infer(on_clock(observation, time_s))
        self._dt_s = chunk.dt_s
        return chunk
