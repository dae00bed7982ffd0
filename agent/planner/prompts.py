"""The prompts: small Jinja templates, one per decision, and their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.facts import whereabouts
from agent.planner.states import is_in_state
from agent.resources import resource
from agent.types import Scene, SceneObject, SkillContract, SubgoalResult
from agent.workspace import DIRECTIONS, DRAWER, ZONES

_LONGEST_EVIDENCE = 200
"""Characters of a verdict's evidence that a prompt repeats."""


class Prompts:
    """Renders what a language model is asked.

    Attributes:
        digest: Hash of all templates, for the episode.
    """

    def __init__(self, max_subgoals: int, min_presence: float, folder: Path | None = None) -> None:
        """Read the templates.

        Args:
            max_subgoals: Most steps of a plan.
            min_presence: Probability 0..1 below which an object is not spoken of.
            folder: Where those lie that take the place of the shipped ones of the same name; None
                means that all are as shipped.
        """
        folders = [path for path in (folder, resource("prompts")) if path is not None]
        self.digest = _digest(folders)
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # The text goes to a model, not to a browser.
            autoescape=False,
        )
        self._environment.filters.update(tojson=_quoted, evidence=_evidence)
        self._environment.globals.update(
            whereabouts=whereabouts,
            state=_state,
            zones=list(ZONES),
            directions=list(DIRECTIONS),
            max_subgoals=max_subgoals,
            min_presence=min_presence,
        )

    def rules(self, contracts: Mapping[str, SkillContract]) -> str:
        """Return what holds for every plan."""
        return self._render("rules", contracts=list(contracts.values()))

    def plan(self, command: str, scene: Scene, history: Sequence[SubgoalResult]) -> str:
        """Return the request for a plan, or for another one where something was done already."""
        name = "replan" if history else "plan"
        return self._render(name, command=command, scene=scene, history=history)

    def repair(self, problems: Sequence[str]) -> str:
        """Return the request to mend a plan that was refused."""
        return self._render("repair", problems=problems)

    def question(self, problems: Sequence[str]) -> str:
        """Return the request to ask the human instead."""
        return self._render("question", problems=problems)

    def check(self, phrase: str, facts: Sequence[str]) -> str:
        """Return the request to tell from two pictures whether a subgoal succeeded."""
        return self._render("check", phrase=phrase, facts=facts)

    def _render(self, name: str, **values: Any) -> str:
        return self._environment.get_template(f"{name}.j2").render(**values).strip()


def _digest(folders: Sequence[Path]) -> str:
    found = {path.name: path for folder in reversed(folders) for path in folder.glob("*.j2")}
    text = "\0".join(name + found[name].read_text() for name in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _quoted(text: str) -> str:
    """Return a text from outside as one JSON string that cannot close the tag around it."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")


def _evidence(evidence: Mapping[str, Any]) -> str:
    told = ", ".join(f"{key} {_short(value)}" for key, value in evidence.items())
    return told if len(told) <= _LONGEST_EVIDENCE else told[:_LONGEST_EVIDENCE] + "…"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _state(thing: SceneObject, scene: Scene) -> str:
    """Return how far a drawer is out, or whether a lamp is lit, in words."""
    if thing.kind != DRAWER:
        return "lit" if is_in_state(thing.name, "lit", scene) else "unlit"
    for state, word in (("open", "open"), ("closed", "shut")):
        if is_in_state(thing.name, state, scene):
            return word
    return f"{(thing.articulation or 0.0) * 100:.0f} cm out, neither open nor shut"
