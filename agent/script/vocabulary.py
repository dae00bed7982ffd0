"""The words a mission file may use for things, facts and skill calls.

Whatever reads one raises `ValueError` with one sentence, which pydantic puts beside its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from agent.errors import unknown
from agent.types import Fact, Subgoal
from agent.workspace import (
    BLOCK,
    BOWL,
    BUTTON,
    DIRECTION,
    DIRECTIONS,
    DRAWER,
    MOVABLE,
    OBJECTS,
    PLATE,
    ZONE,
    ZONES,
    kind_of,
)
from skills.registry import load_contracts

_Kinds = tuple[str, ...]
_ANY: _Kinds = (*MOVABLE, BOWL, PLATE, DRAWER, BUTTON)
_PREDICATES: dict[str, tuple[_Kinds, ...]] = {
    "held": (MOVABLE,),
    "hand_empty": (),
    "in": (MOVABLE, (BOWL, DRAWER)),
    "on": (MOVABLE, (PLATE, ZONE, BLOCK)),
    "room": ((BOWL, PLATE, DRAWER, ZONE, BLOCK),),
    "clear": (_ANY,),
    "reachable": (_ANY,),
    "loose": (MOVABLE,),
    "open": ((DRAWER,),),
    "closed": ((DRAWER,),),
    "lit": ((BUTTON,),),
    "unlit": ((BUTTON,),),
    "moved": (MOVABLE, (DIRECTION,)),
    "toggled": ((BUTTON,),),
}
"""Predicate -> what may stand for each argument; any other fact could never hold."""
_NOT = "not "
_ANYTHING = "*"

contracts = lru_cache(maxsize=1)(load_contracts)


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact, or that it does not hold."""

    fact: Fact
    holds: bool

    def __str__(self) -> str:
        """Return it as it is written in a mission file."""
        return f"{'' if self.holds else _NOT}{self.fact}"


@dataclass(frozen=True, slots=True)
class Call:
    """A pattern of skill calls: a skill, and its arguments; None stands for any."""

    skill: str
    args: tuple[str | None, ...] | None

    def fits(self, skill: str, args: Mapping[str, str]) -> bool:
        """Return whether a skill with arguments, by their names, is such a call."""
        if skill != self.skill:
            return False
        values = [args.get(name) for name in contracts()[self.skill].args]
        return self.args is None or all(
            want is None or want == value for want, value in zip(self.args, values, strict=True)
        )

    def __str__(self) -> str:
        """Return it as it is written in a mission file."""
        return self.skill if self.args is None else _call(self.skill, self.args)


def spelled(subgoal: Subgoal) -> str:
    """Return a subgoal as a mission file writes it, for example `place_in(red block, drawer)`."""
    names = contracts()[subgoal.skill].args
    return _call(subgoal.skill, [subgoal.args.get(name) for name in names])


def parse_claim(text: str) -> Claim:
    """Read `predicate(a, b)` or `not predicate(a, b)`."""
    positive = text.removeprefix(_NOT)
    name, args = _split(positive)
    if name not in _PREDICATES:
        raise ValueError(unknown("predicate", name, _PREDICATES))
    wanted = _PREDICATES[name]
    args = args or ()
    _check_number(name, args, [" or ".join(kinds) for kinds in wanted])
    for value, kinds in zip(args, wanted, strict=True):
        _check_thing(value, kinds)
    return Claim(Fact.model_validate({"predicate": name, "args": args}), positive == text)


def parse_call(text: str) -> Call:
    """Read `skill`, or `skill(a, b)` where `*` stands for any argument."""
    name, args = _split(text)
    skills = contracts()
    if name not in skills:
        raise ValueError(unknown("skill", name, skills))
    if args is None:
        return Call(name, None)
    wanted = skills[name].args
    _check_number(name, args, list(wanted))
    for value, spec in zip(args, wanted.values(), strict=True):
        if value != _ANYTHING:
            _check_thing(value, spec.kinds)
    return Call(name, tuple(None if value == _ANYTHING else value for value in args))


def parse_need(text: str) -> Claim | Call | str:
    """Read what a scene must have.

    That is a fact, such as `closed(drawer)`; a call of a learned skill for which there is room at
    the start, such as `push(red block, left)`; or the name of a thing, which may follow `not`.
    """
    if "(" in text:
        name = _split(text)[0]
        is_call = name in contracts() and name not in _PREDICATES
        return parse_call(text) if is_call else parse_claim(text)
    name = text.removeprefix(_NOT)
    if name not in OBJECTS:
        raise ValueError(unknown("thing", name, OBJECTS))
    return text


def split_need(text: str) -> tuple[str, bool]:
    """Return the name of a thing and whether it must be there."""
    return text.removeprefix(_NOT), not text.startswith(_NOT)


def _split(text: str) -> tuple[str, tuple[str, ...] | None]:
    """Return a name and what stands in the brackets behind it, None where there are none."""
    head, bracket, tail = text.partition("(")
    if not bracket:
        return head.strip(), None
    if not tail.endswith(")") or "(" in tail or ")" in tail[:-1]:
        # YAML takes the comma in [in(a, b)] for the end of an item.
        raise ValueError(
            f"{text!r} is not written as name(argument, argument); between [ and ] put it in quotes"
        )
    inside = tail[:-1].strip()
    return head.strip(), tuple(part.strip() for part in inside.split(",")) if inside else ()


def _call(name: str, args: Iterable[str | None]) -> str:
    return f"{name}({', '.join(_ANYTHING if arg is None else arg for arg in args)})"


def _check_number(name: str, args: tuple[str, ...], wanted: list[str]) -> None:
    if len(args) != len(wanted):
        takes = f"({', '.join(wanted)})"
        raise ValueError(f"{name!r} takes {len(wanted)} arguments, {takes}, not {len(args)}.")


def _check_thing(name: str, kinds: _Kinds) -> None:
    """Refuse a name that is not known, and one that can never stand there."""
    if kind_of(name) in kinds:
        return
    known = [n for n in (*OBJECTS, *ZONES, *DIRECTIONS) if kind_of(n) in kinds]
    raise ValueError(unknown(f"{' or '.join(kinds)}", name, known))
