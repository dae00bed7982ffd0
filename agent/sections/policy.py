"""What carries out learned skills."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from agent.faults import Fault
from agent.sections.section import Section


class PolicyConfig(Section):
    """The network that carries out learned skills."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""
    limit_s: float | None = Field(default=None, gt=0)
    """How long an answer may take, s; the network then runs in a process of its own, which may die
    or hang. None runs it in this one."""
    fault: Fault | None = None
    """How it fails on purpose; `slow` and `dead` need a process of its own."""
    fault_s: float = Field(default=2.0, ge=0)
    """Second of the mission from which it does."""

    @model_validator(mode="after")
    def _has_its_own_process(self) -> Self:
        if self.fault in (Fault.SLOW, Fault.DEAD) and self.limit_s is None:
            raise ValueError(f"fault {self.fault} needs policy.limit_s to be set, say to 2")
        return self
