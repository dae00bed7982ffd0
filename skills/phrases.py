"""The sentences skills are called by: canonical for running, many more for training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from agent.types import SkillContract
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
