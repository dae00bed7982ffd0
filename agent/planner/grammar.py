"""A planner that needs no key and no network: a grammar for commands about the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from agent.correction import is_corrected
from agent.facts import CERTAIN
from agent.planner.expansion import expand
from agent.planner.goals import Goal
from agent.planner.interpretation import Interpreter
from agent.planner.question import UnclearError
from agent.planner.sentences import parse
from agent.types import Image, Plan, Scene, SkillContract, Subgoal, SubgoalResult

_MAX_SUBGOALS = 30
"""As many as a `Plan` takes."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a command was found to ask for.

    Attributes:
        command: As it was said.
        scene: In which it was said.
        goals: In order.
        forbidden: What must not be handled.
        notes: What was left out, and why.
        given: The goals that held when the mission began.
    """

    command: str
    scene: Scene
    goals: tuple[Goal, ...]
    forbidden: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    given: tuple[Goal, ...] = ()


class GrammarPlanner:
    """Parses a command, finds what its words stand for, and derives the subgoals still needed.

    What it does not understand it asks about; it never carries out a part of a sentence. What the
    words of a mission's first plan stand for is kept for its replans, and for what corrects them:
    "the leftmost block" is the one that was leftmost when it was said, and "if the drawer is open"
    was decided then.
    """

    def __init__(self, min_presence: float = 0.5, certainty: float = CERTAIN) -> None:
        """Make a planner.

        Args:
            min_presence: Probability 0..1 below which an object counts as not seen.
            certainty: Probability 0..1 from which a goal that seems reached needs nothing done.
        """
        self._min_presence = min_presence
        self._certainty = certainty
        self._meaning: _Meaning | None = None

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        """Return the subgoals that are left to do for a command, or a question."""
        if problems:
            # The same command and scene would give the same refused plan again.
            stated = " ".join(problems)
            return _ask(command, f"I cannot carry that out. {stated} What should I do instead?")
        if not history:
            self._meaning = None
        return self._planned(command, scene, contracts, history, keep=not history)

    def read(self, command: str, scene: Scene, contracts: Mapping[str, SkillContract]) -> Plan:
        """Return what a command would come to now, or a question, and keep nothing of it.

        What corrects the command of the mission that is on, or was the last one, is read as that
        mission would.
        """
        return self._planned(command, scene, contracts, (), keep=False)

    def _planned(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        *,
        keep: bool,
    ) -> Plan:
        try:
            meaning = self._understood(command, scene, contracts, history)
            expansion = expand(
                meaning.goals,
                self._seen(scene),
                contracts,
                history,
                self._certainty,
                meaning.forbidden,
                meaning.given,
            )
        except UnclearError as unclear:
            may_look = bool(history) and history[-1].subgoal.skill != "look"
            if not any(contract.learned for contract in contracts.values()):
                return _ask(command, _untaught(contracts))
            if unclear.missing and may_look and "look" in contracts:
                return _look(command, contracts, "I lost sight of something; I will look again.")
            return _ask(command, str(unclear))
        if keep:
            self._meaning = replace(meaning, goals=expansion.course, given=expansion.given)
        subgoals = expansion.subgoals
        if not subgoals:
            said = " ".join(meaning.notes) or "That is already so."
            return _look(command, contracts, f"{said} I will only look again.")
        if len(subgoals) > _MAX_SUBGOALS:
            return _ask(command, f"That takes more than {_MAX_SUBGOALS} steps; what comes first?")
        return Plan(command=command, subgoals=subgoals, reply=_reply(subgoals, meaning))

    def _seen(self, scene: Scene) -> Scene:
        """Return a scene without what is hardly believed in."""
        objects = {n: o for n, o in scene.objects.items() if o.presence >= self._min_presence}
        return Scene(scene.time_s, objects)

    def _understood(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
    ) -> _Meaning:
        """Return what a command asks for: as its mission began, where that is known."""
        known = self._meaning
        if history and known is not None and known.command == command:
            return known
        if known is not None and is_corrected(command, known.command):
            with suppress(UnclearError):
                return self._interpreted(command, known.scene, contracts, history)
        # What a correction is about may have come into sight since.
        return self._interpreted(command, scene, contracts, history)

    def _interpreted(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
    ) -> _Meaning:
        """Return what the words of a command stand for in a scene."""
        touched = dict.fromkeys(r.subgoal.args.get("object", "") for r in history)
        interpreter = Interpreter(
            self._seen(scene), contracts, list(touched), self._min_presence, self._certainty
        )
        interpreter.run(parse(command))
        goals, notes = tuple(interpreter.goals), tuple(interpreter.notes)
        return _Meaning(command, scene, goals, interpreter.forbidden, notes)


def _untaught(contracts: Mapping[str, SkillContract]) -> str:
    """Return what to say of a robot that has learned nothing."""
    known = ", ".join(f"{contract.phrases[0]!r}" for contract in contracts.values())
    return f"This robot has learned no skill as it is set up; all it can be told is: {known}."


def _ask(command: str, question: str) -> Plan:
    return Plan(command=command, question=question)


def _look(command: str, contracts: Mapping[str, SkillContract], reply: str) -> Plan:
    if "look" not in contracts:
        return _ask(command, "There is nothing left to do. What should I do next?")
    subgoal = Subgoal(skill="look", phrase=contracts["look"].phrase({}))
    return Plan(command=command, subgoals=(subgoal,), reply=reply)


def _reply(subgoals: Sequence[Subgoal], meaning: _Meaning) -> str:
    """Return what will be done, in a sentence; a grasp is not worth a word before a placement."""
    following = [*subgoals[1:], None]
    said = [
        subgoal.phrase
        for subgoal, then in zip(subgoals, following, strict=True)
        if not (then and _is_grasp_for(subgoal, then))
    ]
    return " ".join([f"I will {', then '.join(said)}.", *meaning.notes])


def _is_grasp_for(subgoal: Subgoal, then: Subgoal) -> bool:
    return "target" in then.args and subgoal.args == {"object": then.args.get("object")}
