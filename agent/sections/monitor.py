"""What is believed of the scene, and when a running subgoal is over."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from agent.errors import unknown
from agent.facts import CERTAIN
from agent.sections.language_model import MODELS, names_a_model
from agent.sections.section import Section


class SceneConfig(Section):
    """What tells from images which objects are there."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""


class MonitorConfig(Section):
    """When a running subgoal is called done, failed or doubtful."""

    success_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 from the policy's success head above which a subgoal may be done."""
    presence_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 above which an object is believed to be there."""
    fact_confidence: float = Field(default=CERTAIN, ge=0, le=1)
    """Probability 0..1 that a predicate of the scene must reach to count as evidence."""
    confirm_ticks: int = Field(default=3, ge=1)
    """Inferences of the policy in a row that must agree before success is confirmed; where it is
    not asked in real time there is one a tick."""
    stuck_s: float = Field(default=3.0, gt=0)
    """Seconds without motion after which the arm counts as stuck."""
    stuck_m: float = Field(default=0.005, ge=0)
    """Distance in m below which the tool has not moved."""
    alpha: float | None = Field(default=0.05, gt=0, lt=1)
    """Rate of false alarms per subgoal, 0..1, that the bands of what is usual are made for; none
    watches without them."""
    vlm: str | None = None
    """Language model that sees, as `provider:model`: it is shown the front camera's picture from a
    subgoal's start and the last one before success is confirmed, and may only object. None asks
    nobody. Its time, tries, tokens and money are the planner's settings, as are its server and key
    where the planner is the grammar or of the same provider."""
    vlm_calls: int = Field(default=12, ge=0)
    """How often a mission may ask it; after that it goes on without."""

    @field_validator("vlm")
    @classmethod
    def _is_a_model(cls, vlm: str | None) -> str | None:
        if vlm is not None and not names_a_model(vlm):
            raise ValueError(unknown("model", vlm, MODELS))
        return vlm
