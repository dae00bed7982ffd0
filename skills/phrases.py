"""The sentences skills are called by: canonical for running, many more for training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product

from agent.types import SkillContract
from agent.workspace import DIRECTIONS, OBJECTS, ZONES, kind_of
from skills.registry import load_contracts


@lru_cache(maxsize=1)
def _contracts() -> dict[str, SkillContract]:
    return load_contracts()


def phrase_for(skill: str, args: Mapping[str, str]) -> str:
    """Return the canonical phrase of a skill call."""
    return _contracts()[skill].phrase(args)


def paraphrases(skill: str, args: Mapping[str, str]) -> list[str]:
    """Return every phrase of a skill call that training may use, canonical first."""
    return [template.format(**args) for template in _contracts()[skill].phrases]


def calls() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every call of a learned skill that its contract's kinds allow: skill and arguments."""
    names = (*OBJECTS, *ZONES, *DIRECTIONS)
    for skill, contract in _contracts().items():
        fitting = [[n for n in names if kind_of(n) in a.kinds] for a in contract.args.values()]
        for values in product(*fitting) if contract.learned else ():
            if len(set(values)) == len(values):
                yield skill, dict(zip(contract.args, values, strict=True))
