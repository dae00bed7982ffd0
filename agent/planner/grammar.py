"""A planner that needs no key and no network: a grammar for commands about the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.facts import CERTAIN
from agent.planner.clauses import parse
from agent.planner.expansion import expand
from agent.planner.question import UnclearError
from agent.planner.reference import Resolver
from agent.planner.steps import steps_of
from agent.types import Plan, Scene, SkillContract, Subgoal, SubgoalResult

_MAX_SUBGOALS = 30
"""As many as a `Plan` takes."""


class GrammarPlanner:
    """Parses a command, finds what its words stand for, and derives the subgoals still needed.

    What it does not understand it asks about; it never carries out a part of a sentence.
    """

    def __init__(self, min_presence: float = 0.5, certainty: float = CERTAIN) -> None:
        """Make a planner.

        Args:
            min_presence: Probability 0..1 below which an object counts as not seen.
            certainty: Probability 0..1 from which a goal that seems reached needs nothing done.
        """
        self._min_presence = min_presence
        self._certainty = certainty

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
    ) -> Plan:
        """Return the subgoals that are left to do for a command, or a question."""
        if problems:
            # The same command and scene would give the same refused plan again.
            stated = " ".join(problems)
            return _ask(command, f"I cannot carry that out. {stated} What should I do instead?")
        resolver = Resolver(scene, contracts, history, self._min_presence)
        kinds = {name: thing.kind for name, thing in scene.objects.items()}
        try:
            steps = steps_of(parse(command), resolver, contracts, kinds)
            subgoals = expand(steps, scene, contracts, history, self._certainty)
        except UnclearError as unclear:
            may_look = bool(history) and history[-1].subgoal.skill != "look"
            if unclear.missing and may_look and "look" in contracts:
                return _look(command, contracts, "I lost sight of something; I will look again.")
            offer = f" I can: {_abilities(contracts)}." if unclear.offer else ""
            return _ask(command, f"{unclear}{offer}")
        if not subgoals:
            return _look(command, contracts, "That is already so; I will only look again.")
        if len(subgoals) > _MAX_SUBGOALS:
            return _ask(command, f"That takes more than {_MAX_SUBGOALS} steps; what comes first?")
        return Plan(command=command, subgoals=tuple(subgoals), reply=_reply(subgoals))


def _ask(command: str, question: str) -> Plan:
    return Plan(command=command, question=question)


def _look(command: str, contracts: Mapping[str, SkillContract], reply: str) -> Plan:
    if "look" not in contracts:
        return _ask(command, "There is nothing left to do. What should I do next?")
    subgoal = Subgoal(skill="look", phrase=contracts["look"].phrase({}))
    return Plan(command=command, subgoals=(subgoal,), reply=reply)


def _abilities(contracts: Mapping[str, SkillContract]) -> str:
    """Return what the skills do, for example "put the block in the bowl"."""
    return ", ".join(
        contract.phrase({name: " or ".join(spec.kinds) for name, spec in contract.args.items()})
        for contract in contracts.values()
    )


def _reply(subgoals: Sequence[Subgoal]) -> str:
    """Return what will be done, in a sentence; a grasp is not worth a word before a placement."""
    following = [*subgoals[1:], None]
    said = [
        subgoal.phrase
        for subgoal, then in zip(subgoals, following, strict=True)
        if not (then and _is_grasp_for(subgoal, then))
    ]
    return f"I will {', then '.join(said)}."


def _is_grasp_for(subgoal: Subgoal, then: Subgoal) -> bool:
    return "target" in then.args and subgoal.args == {"object": then.args.get("object")}
