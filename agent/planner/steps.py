"""What a command asks for, one step per skill goal, before it is known what that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.planner import lexicon as lex
from agent.planner.clauses import Clause
from agent.planner.noun_phrase import IT, THEM, NounPhrase
from agent.planner.question import UnclearError, listed
from agent.planner.reference import Resolver
from agent.types import SkillContract
from agent.workspace import kind_of

_SKILLS = {lex.HOME: "home", lex.LOOK: "look", lex.WAIT: "wait"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked for: a skill, and what it is to be done with."""

    skill: str
    object: str | None = None
    target: str | None = None

    def args(self, contract: SkillContract) -> dict[str, str]:
        """Return the arguments the contract takes."""
        named = {"object": self.object, "target": self.target}
        return {key: value for key in contract.args if (value := named.get(key))}


def placing_skill(
    target: str, contracts: Mapping[str, SkillContract], kind: str | None = None
) -> str:
    """Return the skill that puts something in or on a target.

    Args:
        target: The name of a bowl, a plate or a zone.
        contracts: The skills there are.
        kind: The target's kind in the scene, if it differs from the workspace's.
    """
    kind = kind or kind_of(target)
    for name, contract in contracts.items():
        if "target" in contract.args and kind in contract.args["target"].kinds:
            return name
    raise UnclearError(f"I have no skill to put something in or on the {target}.", offer=True)


def steps_of(
    clauses: Sequence[Clause],
    resolver: Resolver,
    contracts: Mapping[str, SkillContract],
    kinds: Mapping[str, str],
) -> list[Step]:
    """Return the steps of a command, in the order said.

    Args:
        clauses: The parsed command.
        resolver: Knows what the words stand for.
        contracts: The skills there are.
        kinds: Object name -> kind, of the scene.
    """
    groups = [_steps(clause, resolver, contracts, kinds) for clause in clauses]
    return [
        step
        for group, following in zip(groups, [*groups[1:], []], strict=True)
        for step in _without_grasps_implied(group, following)
    ]


def _steps(
    clause: Clause,
    resolver: Resolver,
    contracts: Mapping[str, SkillContract],
    kinds: Mapping[str, str],
) -> list[Step]:
    """Return the steps of one clause."""
    if clause.verb in _SKILLS:
        return [Step(_SKILLS[clause.verb])]
    if clause.correction is not None:
        clause = _corrected(clause, clause.correction, resolver)
    phrases = clause.objects
    if not phrases:
        if clause.verb == lex.PICK:
            raise UnclearError("What should I pick up?")
        if clause.down and clause.target is None and clause.source is None:
            return [Step("release")]
        if clause.target is None:
            raise UnclearError("What should I put, and where?")
        phrases = (THEM if len(resolver.last) > 1 else IT,)
    objects = resolver.objects(phrases, clause.source)
    if clause.verb == lex.PICK:
        return [Step("pick", name) for name in objects]
    if clause.target is not None:
        target = resolver.target(clause.target)
        skill = placing_skill(target, contracts, kinds.get(target))
        return [Step(skill, name, target) for name in objects]
    if clause.down and len(objects) == 1:
        return [Step("release", objects[0])]
    raise UnclearError(f"Where should I put {listed(f'the {name}' for name in objects)}?")


def _corrected(clause: Clause, phrase: NounPhrase, resolver: Resolver) -> Clause:
    """Return a clause with its last object or its target replaced, whichever the phrase can be."""
    as_target, as_object = resolver.fits(phrase)
    if clause.target is not None and as_target:
        if as_object and clause.objects:
            raise UnclearError(f"Is the {phrase.text} what I should move, or where to?")
        return replace(clause, target=phrase)
    return replace(clause, objects=(*clause.objects[:-1], phrase))


def _without_grasps_implied(group: list[Step], following: list[Step]) -> list[Step]:
    """Leave out grasps that the next clause needs anyway, as in "pick it up and put it there"."""
    if not group or group[0].skill != "pick":
        return group
    placed = {step.object for step in following if step.target}
    if all(step.object in placed for step in group):
        return []
    if len(group) > 1:
        names = listed(f"the {step.object}" for step in group)
        raise UnclearError(f"I can hold only one block at a time. Where should I put {names}?")
    return group
