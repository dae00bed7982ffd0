"""What a history of results says about goals: which were reached, and which keep failing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from agent.planner.goals import PLACING, Goal, contract_of
from agent.types import SkillContract, SubgoalOutcome, SubgoalResult
from agent.workspace import BLOCK, kind_of

_FAILURES_TO_DEFER = 3


class Progress:
    """Counts what was done, and says of each goal in its turn whether that was it."""

    def __init__(
        self,
        history: Sequence[SubgoalResult],
        contracts: Mapping[str, SkillContract],
        given: Sequence[Goal],
    ) -> None:
        """Read the history of a mission, oldest first.

        Args:
            history: What was done.
            contracts: The skills there are.
            given: Goals that held without doing when the mission began.
        """
        self.replanning = bool(history)
        done = [r.subgoal for r in history if r.outcome is SubgoalOutcome.SUCCESS]
        self._done = Counter((s.skill, tuple(sorted(s.args.items()))) for s in done)
        self._contracts = contracts
        self._given = Counter(given)

    def was_done(self, goal: Goal) -> bool:
        """Return whether a goal's skill was carried out and not yet counted for another goal."""
        key = self._key(goal)
        if not self._done[key]:
            return False
        self._done[key] -= 1
        return True

    def was_left_behind(
        self, goal: Goal, later: Sequence[Goal], is_so: Callable[[Goal], bool]
    ) -> bool:
        """Return whether a goal was reached, and then left for a later one of the same object.

        Args:
            goal: One that does not hold now.
            later: The goals that follow it.
            is_so: Whether a goal holds now.
        """
        follows = [g for g in later if _undoes(g, goal)]
        if not self.replanning or not follows:
            return False
        if self._given[goal]:
            self._given[goal] -= 1
            return True
        own = (g for g in follows if g.object == goal.object and g.skill in PLACING)
        return self.was_done(goal) or (goal.skill == "pick" and any(is_so(g) for g in own))

    def _key(self, goal: Goal) -> tuple[str, tuple[tuple[str, str], ...]]:
        args = goal.args(contract_of(goal.skill, self._contracts))
        return goal.skill, tuple(sorted(args.items()))


def _undoes(later: Goal, goal: Goal) -> bool:
    """Return whether reaching a later goal may end what an earlier one brought about."""
    if goal.skill == "pick":
        # The hand is needed for whatever comes next.
        return later.object is not None or later.skill == "release"
    return later.object == goal.object


def deferred(goals: Sequence[Goal], history: Sequence[SubgoalResult]) -> list[Goal]:
    """Move placements of objects that keep failing to the end of their run of placements."""
    failed = [r.subgoal.args for r in history if r.outcome is not SubgoalOutcome.SUCCESS]

    def hopeless(goal: Goal) -> bool:
        tries = [a for a in failed if a.get("object") == goal.object]
        return sum(a.get("target", goal.target) == goal.target for a in tries) >= _FAILURES_TO_DEFER

    ordered: list[Goal] = []
    for placing, run in groupby(goals, key=lambda goal: goal.skill in PLACING):
        together = list(run)
        # A tower is built from below, and a swap frees each place in its turn.
        free = len({g.object for g in together}) == len(together)
        if placing and free and not any(kind_of(g.target or "") == BLOCK for g in together):
            late = {goal.object for goal in together if hopeless(goal)}
            together.sort(key=lambda goal: goal.object in late)
        ordered += together
    return ordered
