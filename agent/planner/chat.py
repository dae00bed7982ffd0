"""What a planner asks a language model, what it hears, and what may go wrong in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from agent.errors import PlannerError
from agent.events import Turn


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a language model.

    Attributes:
        decision: What is to be decided: plan, replan, repair, question or check.
        turns: The conversation so far, the rules first.
        schema: JSON schema of the answer.
        images: What it is shown: name -> PNG.
    """

    decision: str
    turns: tuple[Turn, ...]
    schema: Mapping[str, Any]
    images: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, str]:
        """Name -> hash of the picture."""
        return {name: sha256(data).hexdigest()[:16] for name, data in self.images.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a language model answered.

    Attributes:
        text: JSON, if it obeyed; whoever reads it must check.
        tokens_in: Tokens it read.
        tokens_out: Tokens it wrote.
        seconds: How long that took, s.
    """

    text: str
    tokens_in: int
    tokens_out: int
    seconds: float = 0.0


class Fault(StrEnum):
    """Why there is no reply; a closed list."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    BROKE_OFF = "broke_off"
    UNAUTHORIZED = "unauthorized"
    REJECTED = "rejected"
    MALFORMED = "malformed"
    IGNORES_SCHEMA = "ignores_schema"
    TOO_LONG = "too_long"
    OVER_BUDGET = "over_budget"
    STOPPED = "stopped"
    NOT_RECORDED = "not_recorded"


class ChatFault(PlannerError):
    """A language model gave no reply that can be used.

    Attributes:
        fault: Why.
    """

    def __init__(self, fault: Fault, sentence: str) -> None:
        """Take the code, and a sentence with the mend."""
        super().__init__(sentence)
        self.fault = fault


class Chat(Protocol):
    """A language model that answers in JSON."""

    @property
    def name(self) -> str:
        """Which model, as `provider:model`."""
        ...

    def ask(
        self, request: Request, halted: Callable[[], bool], heard: Callable[[str], None]
    ) -> Reply:
        """Return the reply.

        Args:
            request: What to ask.
            halted: Whether to give up; asked all the time.
            heard: Is told the sentence to the human, as far as it has come in.

        Raises:
            ChatFault: There is none.
        """
        ...
