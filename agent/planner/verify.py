"""Checks a plan against contracts and scene by carrying it out in thought."""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import unknown
from agent.facts import after, holds, whereabouts
from agent.planner.placement import leaves_the_table, possible_pushes
from agent.types import Fact, Plan, Scene, SkillContract, Subgoal
from agent.workspace import BLOCK, DIRECTION, DIRECTIONS, ZONE, ZONES, kind_of


class PlanVerifier:
    """Says in words what is wrong with a plan, so that a planner can mend it."""

    def __init__(
        self, max_subgoals: int = 30, min_confidence: float = 0.5, max_seconds: float = 300.0
    ) -> None:
        """Set the limits of a plan.

        Args:
            max_subgoals: Most subgoals.
            min_confidence: Least probability 0..1 that an object named is there.
            max_seconds: Most seconds, summed over the subgoals' time budgets.
        """
        self._max_subgoals = max_subgoals
        self._min_confidence = min_confidence
        self._max_seconds = max_seconds

    def problems(
        self, plan: Plan, scene: Scene, contracts: Mapping[str, SkillContract]
    ) -> list[str]:
        """Return what is wrong with the plan, one sentence each; empty when it may run."""
        if plan.question is not None:
            return ["A plan that asks a question must have no subgoals."] if plan.subgoals else []
        if not plan.subgoals:
            return ["The plan has no subgoals and asks no question."]
        found = self._over_limits(plan, contracts)
        doubted: set[str] = set()
        simulated = scene
        for number, subgoal in enumerate(plan.subgoals, start=1):
            step = f"Step {number} ({subgoal.skill})"
            contract = contracts.get(subgoal.skill)
            if contract is None:
                found.append(f"{step}: {unknown('skill', subgoal.skill, contracts)}")
                continue
            wrong = _wrong_arguments(subgoal, contract, scene)
            if wrong:
                found += [f"{step}: {sentence}" for sentence in wrong]
                continue
            unsure = self._doubts(subgoal, scene, doubted)
            unmet = _unmet(subgoal, contract, simulated)
            found += [f"{step}: {sentence}" for sentence in unsure + unmet]
            for effect in contract.facts("effects", subgoal.args):
                simulated = after(simulated, effect)
        return found

    def _over_limits(self, plan: Plan, contracts: Mapping[str, SkillContract]) -> list[str]:
        """Return what is wrong with the plan's length."""
        found = []
        if len(plan.subgoals) > self._max_subgoals:
            found.append(
                f"The plan has {len(plan.subgoals)} steps, and at most {self._max_subgoals} are "
                "allowed."
            )
        known = [contracts[s.skill] for s in plan.subgoals if s.skill in contracts]
        seconds = sum(contract.time_budget_s for contract in known)
        if seconds > self._max_seconds:
            number = self._step_over_time(plan, contracts)
            found.append(
                f"Step {number} exceeds the time allowed: the plan may take {seconds:g} s, and at "
                f"most {self._max_seconds:g} s are allowed."
            )
        return found

    def _step_over_time(self, plan: Plan, contracts: Mapping[str, SkillContract]) -> int:
        """Return the number of the first step that may end too late."""
        seconds = 0.0
        for number, subgoal in enumerate(plan.subgoals, start=1):
            if subgoal.skill in contracts:
                seconds += contracts[subgoal.skill].time_budget_s
            if seconds > self._max_seconds:
                return number
        return len(plan.subgoals)

    def _doubts(self, subgoal: Subgoal, scene: Scene, doubted: set[str]) -> list[str]:
        """Return the objects that may not be there, each once in a plan."""
        names = {n: scene.objects[n].presence for n in subgoal.args.values() if n in scene.objects}
        unsure = {n: p for n, p in names.items() if p < self._min_confidence and n not in doubted}
        doubted.update(unsure)
        return [
            f"The {name} may not be there (presence {presence:.2f}, and at least "
            f"{self._min_confidence:.2f} is needed)."
            for name, presence in unsure.items()
        ]


def _wrong_arguments(subgoal: Subgoal, contract: SkillContract, scene: Scene) -> list[str]:
    """Return what is wrong with the arguments and the phrase, whatever the state."""
    missing = [name for name in contract.args if name not in subgoal.args]
    extra = [name for name in subgoal.args if name not in contract.args]
    found = [f"The argument {name!r} is missing." for name in missing]
    found += [unknown("argument", name, contract.args) for name in extra]
    for name, spec in contract.args.items():
        if name in subgoal.args:
            found += _wrong_object(name, subgoal.args[name], spec.kinds, scene)
    if not missing and not extra:
        canonical = contract.phrase(subgoal.args)
        if subgoal.phrase != canonical:
            found.append(f"The phrase must be {canonical!r}, not {subgoal.phrase!r}.")
    return found


def _wrong_object(argument: str, value: str, kinds: tuple[str, ...], scene: Scene) -> list[str]:
    """Return why a value cannot stand for an argument that takes these kinds."""
    there = scene.objects.get(value)
    named = {**dict.fromkeys(ZONES, ZONE), **dict.fromkeys(DIRECTIONS, DIRECTION)}
    kind = there.kind if there else named.get(value)
    if kind is None:
        if DIRECTION in kinds:
            return [unknown("direction", value, DIRECTIONS)]
        if kind_of(value) is not None:
            listed = ", ".join(scene.objects) or "nothing"
            return [f"The {value} is not in the scene; what is there: {listed}."]
        return [unknown("object", value, [*scene.objects, *(ZONES if ZONE in kinds else ())])]
    if kind not in kinds:
        return [f"The {argument!r} must be a {' or '.join(kinds)}, but {value!r} is a {kind}."]
    return []


def _unmet(subgoal: Subgoal, contract: SkillContract, scene: Scene) -> list[str]:
    """Return the preconditions that do not hold when the step's turn comes."""
    found = [
        f"It needs {fact}, but {_hindrance(fact, scene)}."
        for fact in contract.facts("preconditions", subgoal.args)
        if not holds(fact, scene)
    ]
    for effect in contract.facts("effects", subgoal.args):
        if effect.predicate != "moved":
            continue
        name, way = effect.args
        if leaves_the_table(name, way, scene):
            ways = " or ".join(possible_pushes(name, scene)) or "nowhere"
            found.append(
                f"Pushing the {name} {way} would take it off the table; it can be pushed {ways}."
            )
    return found


def _hindrance(fact: Fact, scene: Scene) -> str:
    """Return what is in the way of a precondition, in words."""
    held = scene.held
    if not fact.args or fact.predicate == "held":
        return f"then the hand holds the {held.name}" if held else "then the hand is empty"
    name = fact.args[0]
    on_it = [f"the {thing.name}" for thing in scene.contents(name)]
    match fact.predicate:
        case "room" if name in scene.objects and scene.objects[name].kind == BLOCK:
            stacked = held is None or held.kind == BLOCK
            if on_it or not stacked:
                return (
                    f"{on_it[0]} stands on it" if on_it else f"the {held and held.name} is no block"
                )
            return f"the {name} is {whereabouts(name, scene)}, where no more can be stacked"
        case "room":
            return f"the {name} is full"
        case "open":
            return f"the {name} is not open then; open it first"
        case "reachable":
            return f"it lies {whereabouts(name, scene)}, which is not open then"
        case "clear" | "loose" if on_it:
            return f"then {' and '.join(on_it)} stands on it"
        case "loose":
            return f"then it is {whereabouts(name, scene)}"
    return "that is not so then"
