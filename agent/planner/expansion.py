"""From the steps asked for to the subgoals still needed, simulated over the scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from agent.errors import unknown
from agent.facts import CERTAIN, after, seen_to_hold
from agent.planner.question import UnclearError
from agent.planner.steps import Step
from agent.types import Scene, SkillContract, Subgoal, SubgoalOutcome, SubgoalResult

_FAILURES_TO_DEFER = 3


def expand(
    steps: Sequence[Step],
    scene: Scene,
    contracts: Mapping[str, SkillContract],
    history: Sequence[SubgoalResult],
    certainty: float = CERTAIN,
) -> list[Subgoal]:
    """Return the subgoals that bring about the steps from this scene.

    Steps that surely hold or are known to be done are skipped; what is held is put down before
    something else is picked up; a goal that keeps failing comes after its neighbours.
    """
    expansion = _Expansion(_deferred(steps, history), scene, contracts, history, certainty)
    return expansion.run()


def _deferred(steps: Sequence[Step], history: Sequence[SubgoalResult]) -> list[Step]:
    """Move placements of objects that keep failing to the end of their run of placements."""
    failed = [r.subgoal.args for r in history if r.outcome is not SubgoalOutcome.SUCCESS]

    def hopeless(step: Step) -> bool:
        tries = [a for a in failed if a.get("object") == step.object]
        return sum(a.get("target", step.target) == step.target for a in tries) >= _FAILURES_TO_DEFER

    ordered: list[Step] = []
    for placing, run in groupby(steps, key=lambda step: step.target is not None):
        together = list(run)
        if placing:
            late = {step.object for step in together if hopeless(step)}
            together.sort(key=lambda step: step.object in late)
        ordered += together
    return ordered


class _Expansion:
    """Carries the steps out in thought, one after the other."""

    def __init__(
        self,
        steps: list[Step],
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        certainty: float,
    ) -> None:
        self._certainty = certainty
        self._pending = steps
        self._scene = scene
        self._contracts = contracts
        self._replanning = bool(history)
        succeeded = [r.subgoal for r in history if r.outcome is SubgoalOutcome.SUCCESS]
        self._achieved = [(s.skill, s.args) for s in succeeded]
        self._performed = Counter(s.skill for s in succeeded)
        self._subgoals: list[Subgoal] = []

    def run(self) -> list[Subgoal]:
        """Return the subgoals."""
        while self._pending:
            step = self._pending.pop(0)
            if step.object is None:
                self._perform(step)
            elif step.skill == "release":
                self._let_go(step)
            elif not self._is_done(step):
                self._achieve(step)
        return self._subgoals

    def _perform(self, step: Step) -> None:
        """Do something that leaves no trace in the scene, unless the history says it is done."""
        if self._performed[step.skill]:
            self._performed[step.skill] -= 1
        else:
            self._add(step)

    def _let_go(self, step: Step) -> None:
        held = self._scene.held
        if held is not None and held.name == step.object:
            self._add(Step("release"))
        elif not self._replanning:
            raise UnclearError(f"I am not holding the {step.object}. Where should I put it?")

    def _is_done(self, step: Step) -> bool:
        """Return whether a goal holds, or was reached and then left for a later step."""
        if self._holds(step):
            return True
        later = [s for s in self._pending if s.object == step.object and s.target]
        if not self._replanning or not (later or (step.target is None and self._hand_needed())):
            return False
        contract = self._contract(step.skill)
        reached = (step.skill, step.args(contract)) in self._achieved
        return reached or (bool(later) and self._holds(later[-1]))

    def _hand_needed(self) -> bool:
        return any(step.object or step.skill == "release" for step in self._pending)

    def _holds(self, step: Step) -> bool:
        contract = self._contract(step.skill)
        effects = contract.facts("effects", step.args(contract))
        return all(seen_to_hold(effect, self._scene, self._certainty) for effect in effects)

    def _achieve(self, step: Step) -> None:
        """Empty the hand, pick up the object, and put it where it belongs."""
        held = self._scene.held
        if held is not None and held.name != step.object:
            self._add(self._own_goal(held.name) or Step("release"))
            held = None
        if held is None:
            self._add(Step("pick", step.object))
        if step.target is not None:
            self._add(step)

    def _own_goal(self, name: str) -> Step | None:
        """Take the next placement of an object that is still to be reached out of what pends."""
        for step in [s for s in self._pending if s.object == name and s.target]:
            self._pending.remove(step)
            if not self._is_done(step):
                return step
        return None

    def _add(self, step: Step) -> None:
        """Append a subgoal and let its effects come about in the simulated scene."""
        contract = self._contract(step.skill)
        args = step.args(contract)
        subgoal = Subgoal(skill=step.skill, args=args, phrase=contract.phrase(args))
        self._subgoals.append(subgoal)
        for effect in contract.facts("effects", args):
            self._scene = after(self._scene, effect)

    def _contract(self, skill: str) -> SkillContract:
        if skill not in self._contracts:
            raise UnclearError(unknown("skill", skill, self._contracts), offer=True)
        return self._contracts[skill]
