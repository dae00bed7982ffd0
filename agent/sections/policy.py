"""What carries out learned skills."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from agent.chunks.schedule import Merge
from agent.faults import Fault
from agent.sections.section import Section


class RealtimeConfig(Section):
    """How chunks are inferred while the arm moves."""

    latency_s: float = Field(default=0.1, gt=0)
    """How long an inference is declared to take, s; whether the actions last until the next chunk
    is there is computed from it before anything moves."""
    every: int | None = Field(default=None, ge=1)
    """Ticks between two inferences; none begins the next where the last has ended."""
    merge: Merge = Merge.ENSEMBLE
    """How chunks that overlap become one action: `ensemble` averages them, `replace` takes the
    newest, `rtc` has the policy continue the last one, where it can."""
    decay: float = Field(default=0.6, gt=0, le=1)
    """What a chunk weighs in an ensemble that began a tick earlier, as a share, 0..1."""
    limit_s: float = Field(default=10.0, gt=0)
    """How long the arm may stand and wait for an answer where nothing is planned, s."""


class PolicyConfig(Section):
    """The network that carries out learned skills."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""
    limit_s: float | None = Field(default=None, gt=0)
    """How long an answer may take, s; the network then runs in a process of its own, which may die
    or hang. None runs it in this one."""
    realtime: RealtimeConfig | None = None
    """How it is asked for the next chunk while the arm carries out the last one. None asks at every
    tick and waits for the answer."""
    added_latency_s: float = Field(default=0.0, ge=0)
    """How much later than it could it answers on purpose, s."""
    fault: Fault | None = None
    """How it fails on purpose; `slow` and `dead` need a process of its own."""
    fault_s: float = Field(default=2.0, ge=0)
    """Second of the mission from which it does."""

    @model_validator(mode="after")
    def _has_its_own_process(self) -> Self:
        if self.fault in (Fault.SLOW, Fault.DEAD) and self.limit_s is None:
            raise ValueError(f"fault {self.fault} needs policy.limit_s to be set, say to 2")
        return self
