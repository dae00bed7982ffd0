"""A planner that asks a language model, and trusts nothing it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from agent.events import Consulted, Event, Replying, Turn
from agent.pictures import png
from agent.planner.answer import (
    MalformedReply,
    plan_schema,
    question_schema,
    read_plan,
    read_question,
)
from agent.planner.chat import Chat, ChatFault, Fault, Reply, Request
from agent.planner.prompts import Prompts
from agent.protocols import REPAIRS
from agent.types import Image, Plan, Scene, SkillContract, SubgoalResult

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a mission may spend on a language model.

    Attributes:
        tokens: Tokens in all, read and written.
        cost: Money in all, in the unit of the prices; None sets no limit.
        price_in: Of a million tokens read.
        price_out: Of a million tokens written.
    """

    tokens: int
    cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def price(self, reply: Reply) -> float:
        """Return what a reply cost."""
        return (reply.tokens_in * self.price_in + reply.tokens_out * self.price_out) / _MILLION


class LLMPlanner:
    """Plans one mission by asking a language model; what it answers is verified by the runtime.

    A plan that was refused goes back to the model with what is wrong, `REPAIRS` times at most; then
    it is told to ask the human. What it says is data: it can name the skills and objects there are,
    and nothing else.
    """

    def __init__(
        self,
        chat: Chat,
        prompts: Prompts,
        allowance: Allowance,
        *,
        shows: bool = False,
        tell: Callable[[Event], None] = lambda event: None,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make a planner for one mission.

        Args:
            chat: The model.
            prompts: How it is asked.
            allowance: What may be spent.
            shows: Whether the model is shown what the cameras see.
            tell: Hears every prompt and reply.
            halted: Whether the robot was stopped, which ends any waiting.
        """
        self._chat, self._prompts, self._allowance = chat, prompts, allowance
        self._shows = shows
        self._tell, self._halted = tell, halted
        self._turns: list[Turn] = []
        self._repairs = 0
        self._malformed: str | None = None
        self._tokens, self._cost = 0, 0.0

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        """Return what the model plans, unchecked, or what it asks.

        Raises:
            ChatFault: The model cannot be asked, or the mission's allowance is spent.
        """
        decision, text = self._next_turn(command, scene, history, problems)
        if not problems:
            self._turns, self._repairs = [Turn("system", self._prompts.rules(contracts))], 0
        asks = decision == "question"
        schema = question_schema() if asks else plan_schema(scene, contracts)
        self._turns.append(Turn("user", text))
        pictures = {name: png(image) for name, image in (images or {}).items() if self._shows}
        reply = self._consult(Request(decision, tuple(self._turns), schema, pictures), scene.time_s)
        self._turns.append(Turn("assistant", reply.text))
        self._malformed = None
        try:
            if asks:
                return Plan(command=command, question=read_question(reply.text))
            return read_plan(reply.text, command, contracts)
        except MalformedReply as malformed:
            # A plan of nothing is refused like any other, and this is then said to be why.
            self._malformed = str(malformed)
            return Plan(command=command)

    def _next_turn(
        self,
        command: str,
        scene: Scene,
        history: Sequence[SubgoalResult],
        problems: Sequence[str],
    ) -> tuple[str, str]:
        """Return what is to be decided now, and the words that ask for it."""
        if not problems:
            return "replan" if history else "plan", self._prompts.plan(command, scene, history)
        stated = [self._malformed] if self._malformed is not None else problems
        if self._repairs == REPAIRS:
            return "question", self._prompts.question(stated)
        self._repairs += 1
        return "repair", self._prompts.repair(stated)

    def _consult(self, request: Request, time_s: float) -> Reply:
        """Ask the model and note what was said."""
        note = partial(
            Consulted,
            time_s,
            self._chat.name,
            request.decision,
            request.turns,
            images=request.shown,
        )
        try:
            self._check_allowance()
            reply = self._chat.ask(
                request, self._halted, lambda said: self._tell(Replying(time_s, said))
            )
        except ChatFault as failed:
            self._tell(note(reply=str(failed), fault=failed.fault.value))
            raise
        self._tokens += reply.tokens_in + reply.tokens_out
        self._cost += self._allowance.price(reply)
        self._tell(
            note(
                reply=reply.text,
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
                seconds=reply.seconds,
            )
        )
        return reply

    def _check_allowance(self) -> None:
        most = self._allowance
        if self._tokens >= most.tokens:
            spent, key = f"{self._tokens} of {most.tokens} tokens", "planner.tokens"
        elif most.cost is not None and self._cost >= most.cost:
            spent, key = f"{self._cost:.4f} of {most.cost:g} in money", "planner.cost"
        else:
            return
        raise ChatFault(
            Fault.OVER_BUDGET,
            f"This mission has spent {spent} on the planner's model; raise {key} to go on.",
        )
