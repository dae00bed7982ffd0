"""What carries out learned skills."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from agent.chunks.schedule import Merge
from agent.faults import Fault
from agent.sections.local_model import LocalModelConfig
from agent.sections.section import Section
from agent.sections.source import BOSUN, Source


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
    """The model that carries out learned skills; written as one word, it is the source."""

    source: str = BOSUN
    """Where the model runs: `bosun` is our own network; `openpi://HOST:PORT`,
    `openvla://HOST:PORT`, `openvla-oft://HOST:PORT` and `gr00t://HOST:PORT` are servers;
    `openvla:FOLDER` and `pi0:FOLDER` load weights; `lerobot:FOLDER` has LeRobot do so in a process
    of its own, which begins and ends with Bosun."""
    interface: str | None = None
    """What a model of somebody else's expects and gives: one of `configs/policies` by its name, or
    a YAML file of that form; none where a server says so itself."""
    timeout_s: float = Field(default=15.0, gt=0)
    """How long a server may take over an answer, s, tries and waits included."""
    tries: int = Field(default=3, ge=1, le=10)
    """How often a server is asked where it is not there, busy or breaks off."""
    key_env: str | None = None
    """Environment variable that holds the key to a server; none sends no key."""
    encoded: bool = False
    """Whether arrays travel to `openvla` and `openvla-oft` as a text within the JSON, for servers
    that do not know json-numpy."""
    local: LocalModelConfig = LocalModelConfig()
    """How what is in a folder runs."""
    python: Path | None = None
    """The Python of an environment that has LeRobot, for `lerobot:FOLDER`."""
    checkpoint: Path | None = None
    """Folder of our own weights, below the working directory; none means those shipped with
    Bosun."""
    limit_s: float | None = Field(default=None, gt=0)
    """How long an answer of our own network may take, s; it then runs in a process of its own,
    which may die or hang. None runs it in this one."""
    realtime: RealtimeConfig | None = None
    """How it is asked for the next chunk while the arm carries out the last one. None asks at every
    tick and waits for the answer."""
    added_latency_s: float = Field(default=0.0, ge=0)
    """How much later than it could it answers on purpose, s."""
    fault: Fault | None = None
    """How it fails on purpose; `slow` and `dead` need a process of its own."""
    fault_s: float = Field(default=2.0, ge=0)
    """Second of the mission from which it does."""

    @model_validator(mode="before")
    @classmethod
    def _may_be_one_word(cls, data: Any) -> Any:
        return {"source": data} if isinstance(data, str) else data

    @field_validator("source")
    @classmethod
    def _is_a_source(cls, source: str) -> str:
        Source.parse(source)
        return source

    @model_validator(mode="after")
    def _has_its_own_process(self) -> Self:
        if self.limit_s is not None and self.source != BOSUN:
            raise ValueError(
                f"limit_s is for our own network; for {self.source} set policy.timeout_s"
            )
        if self.fault in (Fault.SLOW, Fault.DEAD) and self.limit_s is None:
            raise ValueError(f"fault {self.fault} needs policy.limit_s to be set, say to 2")
        return self
