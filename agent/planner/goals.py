"""What a command asks for, one goal per skill, before it is known what that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import unknown
from agent.planner.question import UnclearError, listed
from agent.planner.states import state_fact
from agent.types import Fact, SkillContract
from agent.workspace import ZONE

PLACING = ("place_in", "place_on")


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing asked for: a skill, what it is done with, and the state that would be enough.

    Attributes:
        skill: The skill that brings it about.
        object: What it is done with.
        target: Where that is put.
        direction: Which way that is pushed.
        state: `lit` or `unlit` where a press is only needed to bring that about.
    """

    skill: str
    object: str | None = None
    target: str | None = None
    direction: str | None = None
    state: str = ""

    def args(self, contract: SkillContract) -> dict[str, str]:
        """Return the arguments the contract takes."""
        named = {"object": self.object, "target": self.target, "direction": self.direction}
        return {key: value for key in contract.args if (value := named.get(key))}

    def facts(self, contract: SkillContract) -> tuple[Fact, ...]:
        """Return what is true of the scene once the goal is reached; nothing for an event."""
        if self.state and self.object:
            fact = state_fact(self.object, self.state)
            return () if fact is None else (fact,)
        if self.is_event:
            return ()
        return contract.facts("effects", self.args(contract))

    @property
    def is_event(self) -> bool:
        """Whether it must happen however the scene is, as a press or a push."""
        return (self.skill in ("press", "push") and not self.state) or self.object is None


def contract_of(skill: str, contracts: Mapping[str, SkillContract]) -> SkillContract:
    """Return a contract.

    Raises:
        UnclearError: There is no such skill.
    """
    if skill not in contracts:
        raise UnclearError(f"{unknown('skill', skill, contracts)} What should I do instead?")
    return contracts[skill]


def takes(contracts: Mapping[str, SkillContract], skill: str, argument: str) -> frozenset[str]:
    """Return the kinds a skill takes for an argument; none where there is no such skill."""
    contract = contracts.get(skill)
    return frozenset(contract.args[argument].kinds) if contract else frozenset()


def targets(contracts: Mapping[str, SkillContract], preposition: str = "") -> frozenset[str]:
    """Return the kinds something can be put in or on.

    Args:
        contracts: The skills there are.
        preposition: One of the vocabulary where only what goes with it counts; zones go with all.
    """
    skills = {"in": PLACING[:1], "into": PLACING[:1], "on": PLACING[1:], "onto": PLACING[1:]}
    every = frozenset(k for skill in PLACING for k in takes(contracts, skill, "target"))
    chosen = skills.get(preposition, PLACING)
    kinds = frozenset(k for skill in chosen for k in takes(contracts, skill, "target"))
    return kinds | (every & {ZONE})


def placement(name: str, target: str, kind: str, contracts: Mapping[str, SkillContract]) -> Goal:
    """Return the goal of putting a thing in or on a target of some kind.

    Raises:
        UnclearError: No skill does that.
    """
    for skill in PLACING:
        if kind in takes(contracts, skill, "target"):
            return Goal(skill, name, target)
    known = listed(sorted(targets(contracts)), "or")
    raise UnclearError(
        f"I cannot put anything in or on the {target}; I can use a {known}. Where should it go?"
    )
