"""Chooses what to do about a failure, and learns from what came of it."""

from __future__ import annotations

from agent.memory import Case, FailureMemory
from agent.recovery import Recovery, usual
from agent.types import SubgoalOutcome, SubgoalResult


class Recoverer:
    """Of what can be done takes what is likeliest to help."""

    def __init__(self, memory: FailureMemory) -> None:
        """Order recoveries by what a memory holds."""
        self._memory = memory
        self._tried: tuple[Case, Recovery] | None = None

    def reset(self) -> None:
        """Begin a mission."""
        self._tried = None

    def choose(self, failed: SubgoalResult, *, may_retry: bool, may_replan: bool) -> Recovery:
        """Return what to do about a subgoal that failed.

        Args:
            failed: What came of it.
            may_retry: Whether it can be begun again.
            may_replan: Whether the budget allows a new plan.
        """
        possible = set()
        if may_retry:
            possible |= {Recovery.AGAIN, Recovery.FROM_HOME}
        if may_replan:
            possible.add(Recovery.REPLAN)
        usable = [way for way in usual(failed.verdict.reason) if way in possible]
        if not usable:
            return Recovery.ASK
        case = Case.of(failed)
        chosen = self._memory.ordered(case, usable)[0]
        self._tried = case, chosen
        return chosen

    def learn(self, result: SubgoalResult) -> None:
        """Remember whether the last recovery led to a success."""
        if self._tried is None:
            return
        case, recovery = self._tried
        self._memory.note(case, recovery, worked=result.outcome is SubgoalOutcome.SUCCESS)
        self._tried = None
