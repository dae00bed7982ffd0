"""A planner that asks a language model, and trusts nothing it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.events import Event, Turn
from agent.pictures import png
from agent.planner.answer import (
    MalformedReply,
    plan_schema,
    question_schema,
    read_plan,
    read_question,
)
from agent.planner.chat import Chat, Request
from agent.planner.consultant import Allowance, Consultant
from agent.planner.prompts import Prompts
from agent.protocols import REPAIRS
from agent.types import Image, Plan, Scene, SkillContract, SubgoalResult


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
        self._consultant = Consultant(chat, allowance, tell, halted)
        self._prompts, self._shows = prompts, shows
        self._turns: list[Turn] = []
        self._repairs = 0
        self._malformed: str | None = None

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
        request = Request(decision, tuple(self._turns), schema, pictures)
        reply = self._consultant.ask(request, scene.time_s)
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
