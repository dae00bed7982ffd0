"""A language model asked within what a mission may spend, every question and answer told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from agent.events import Consulted, Event, Replying
from agent.planner.chat import Chat, ChatFault, Fault, Reply, Request

_MILLION = 1_000_000


@dataclass(slots=True)
class Allowance:
    """What a mission may spend on language models, whoever asks them, and what it has spent.

    Attributes:
        tokens: Tokens in all, read and written.
        cost: Money in all, in the unit of the prices; None sets no limit.
        price_in: Of a million tokens read.
        price_out: Of a million tokens written.
        spent_tokens: Tokens spent so far.
        spent: Money spent so far.
    """

    tokens: int
    cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    spent_tokens: int = 0
    spent: float = 0.0

    def take(self, reply: Reply) -> None:
        """Take note of what a reply cost."""
        self.spent_tokens += reply.tokens_in + reply.tokens_out
        price = reply.tokens_in * self.price_in + reply.tokens_out * self.price_out
        self.spent += price / _MILLION

    def check(self) -> None:
        """Return where something is left.

        Raises:
            ChatFault: It is spent.
        """
        if self.spent_tokens >= self.tokens:
            spent, key = f"{self.spent_tokens} of {self.tokens} tokens", "planner.tokens"
        elif self.cost is not None and self.spent >= self.cost:
            spent, key = f"{self.spent:.4f} of {self.cost:g} in money", "planner.cost"
        else:
            return
        raise ChatFault(
            Fault.OVER_BUDGET,
            f"This mission has spent {spent} on language models; raise {key} to go on.",
        )


@dataclass(frozen=True, slots=True)
class Consultant:
    """Asks one language model during one mission.

    Attributes:
        chat: The model.
        allowance: What may be spent; planning and checking share one.
        tell: Hears every prompt and reply.
        halted: Whether the robot was stopped, which ends any waiting.
    """

    chat: Chat
    allowance: Allowance
    tell: Callable[[Event], None] = lambda event: None
    halted: Callable[[], bool] = lambda: False

    def ask(self, request: Request, time_s: float) -> Reply:
        """Return the reply to a question.

        Args:
            request: What to ask.
            time_s: Time of the mission at which it is asked, s.

        Raises:
            ChatFault: The model cannot be asked, or the mission's allowance is spent.
        """
        note = partial(
            Consulted,
            time_s,
            self.chat.name,
            request.decision,
            request.turns,
            images=request.shown,
        )
        try:
            self.allowance.check()
            reply = self.chat.ask(
                request, self.halted, lambda said: self.tell(Replying(time_s, said))
            )
        except ChatFault as failed:
            self.tell(note(reply=str(failed), fault=failed.fault.value))
            raise
        self.allowance.take(reply)
        self.tell(
            note(
                reply=reply.text,
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
                seconds=reply.seconds,
            )
        )
        return reply
