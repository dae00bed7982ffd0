"""What monitors are measured against: nobody watches."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.monitor.tempo import judged_s
from agent.types import (
    ActionChunk,
    Observation,
    Reason,
    Scene,
    SkillContract,
    Subgoal,
    Verdict,
    VerdictValue,
)


class OpenLoop:
    """Goes on to the next subgoal when the policy says so or the time is up, whatever it sees.

    No agent is built with it: it takes for done what nobody has looked at. Evaluations put it in
    the place of the monitor, to tell what that is worth.

    Attributes:
        strain: None: nothing is compared with what is usual.
    """

    strain = None

    def __init__(
        self, contracts: Mapping[str, SkillContract], success: float, confirm_ticks: int
    ) -> None:
        """Take the policy at its word.

        Args:
            contracts: Skill name -> contract.
            success: Success head, 0..1, from which the policy says that it is done.
            confirm_ticks: Ticks in a row that it must say so.
        """
        self._contracts, self._success, self._confirm_ticks = contracts, success, confirm_ticks

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        """Begin a subgoal."""
        self._ends_s = scene.time_s + self._contracts[subgoal.skill].time_budget_s
        self._said, self._judged_s = 0, math.nan

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return a verdict when it is time to go on."""
        said_of_s = judged_s(observation, chunk)
        if said_of_s != self._judged_s:
            self._said = self._said + 1 if (chunk.success or 0.0) >= self._success else 0
        self._judged_s = said_of_s
        if self._said >= self._confirm_ticks or observation.time_s >= self._ends_s:
            return Verdict(VerdictValue.CONFIRMED, Reason.DONE, chunk.success or 0.0)
        return None
