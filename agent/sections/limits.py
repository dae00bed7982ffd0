"""What a mission may do, spend and leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from agent.sections.section import Point, Section


class ShieldConfig(Section):
    """Limits on every action, whoever asks for it."""

    workspace_low: Point | None = None
    """Smallest x, y, z of the tool in m, base frame; none means that of the robot."""
    workspace_high: Point | None = None
    """Largest x, y, z of the tool in m, base frame; none means that of the robot."""
    max_speed_m_s: float = Field(default=0.5, gt=0)
    """Largest speed of the tool in m/s."""
    max_turn_rad_s: float = Field(default=1.5, gt=0)
    """Largest turning rate of the tool in rad/s."""
    max_joint_speed_rad_s: float = Field(default=2.0, gt=0)
    """Largest speed of every joint in rad/s, where actions are about joints."""

    @model_validator(mode="after")
    def _encloses_something(self) -> Self:
        if self.workspace_low is None or self.workspace_high is None:
            return self
        for axis, low, high in zip("xyz", self.workspace_low, self.workspace_high, strict=True):
            if low >= high:
                raise ValueError(f"workspace_low must be below workspace_high, but {axis} is not")
        return self


class BudgetConfig(Section):
    """What a mission may spend before it asks for help."""

    replans: int = Field(default=8, ge=0)
    """Plans after the first one."""
    attempts: int = Field(default=2, ge=1)
    """Tries of the same subgoal in a row."""
    seconds: float = Field(default=240.0, gt=0)
    """Seconds of the robot's clock."""


class MemoryConfig(Section):
    """Which recovery helped after which failure, over missions."""

    file: Path | None = Path("runs/memory.sqlite")
    """Where that is kept, below the working directory; none remembers nothing."""


class EpisodeConfig(Section):
    """Where missions are logged."""

    directory: Path = Path("runs")
    """Folder that gets one folder per mission, below the working directory."""
    limit_gb: float | None = Field(default=20.0, gt=0)
    """How many GB the episodes in it may take; when a mission begins, the oldest give way. None
    keeps all. A minute of the simulated arm takes about 13 MB."""
