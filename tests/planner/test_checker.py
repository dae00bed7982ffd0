"""A language model that tells from two pictures whether a subgoal succeeded."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image as PillowImage

from agent.doubles import Recorder
from agent.events import Consulted
from agent.planner.chat import ChatFault, Fault
from agent.planner.checker import PictureChecker
from agent.planner.consultant import Allowance, Consultant
from agent.planner.llm import LLMPlanner
from agent.planner.prompts import Prompts
from agent.protocols import Answer, Checked
from skills.registry import load_contracts
from tests.parts import PLACE
from tests.planner.chats import PICK_RED, Said, ScriptedChat, steps
from tests.scenes import scene

FACTS = ["in(red block, blue bowl)"]
EARLIER = np.full((6, 8, 3), 10, np.uint8)
LATER = np.full((6, 8, 3), 200, np.uint8)
PROMPTS = Prompts(30, 0.5)


def _checker(
    chat: ScriptedChat, calls: int = 12, allowance: Allowance | None = None
) -> tuple[PictureChecker, Recorder]:
    recorder = Recorder()
    consultant = Consultant(chat, allowance or Allowance(100_000), recorder.on_event)
    return PictureChecker(consultant, PROMPTS, calls), recorder


def _check(checker: PictureChecker) -> Checked | None:
    return checker.check(PLACE.phrase, FACTS, EARLIER, LATER, 3.5)


@pytest.mark.parametrize("answer", list(Answer))
def test_each_answer_is_read(answer: Answer) -> None:
    checker, _ = _checker(ScriptedChat({"answer": answer.value}))
    assert _check(checker) == Checked(answer, tokens=200)


@pytest.mark.parametrize(
    "said",
    [
        "It did, I think.",
        '{"answer": "maybe"}',
        '{"answer": "YES"}',
        '{"answer": "yes", "sure": true}',
        '{"answer": ["yes"]}',
        "{}",
        '"yes"',
        '{"answer": "ye',
    ],
)
def test_a_reply_of_another_form_is_no_answer_and_costs_its_tokens(said: str) -> None:
    checker, _ = _checker(ScriptedChat(said))
    assert _check(checker) == Checked(Answer.UNKNOWN, "malformed", 200)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.STOPPED])
def test_a_fault_is_no_answer_and_says_which(fault: Fault) -> None:
    checker, recorder = _checker(ScriptedChat(ChatFault(fault, "It does not work.")))
    assert _check(checker) == Checked(Answer.UNKNOWN, fault.value)
    [noted] = recorder.of(Consulted)
    assert noted.fault == fault.value


def test_a_stop_is_nothing_at_all() -> None:
    checker, _ = _checker(ScriptedChat(ChatFault(Fault.STOPPED, "I was stopped.")))
    assert _check(checker) is None


def test_the_two_pictures_go_in_order_with_the_question() -> None:
    chat = ScriptedChat({"answer": "yes"})
    checker, recorder = _checker(chat)
    _check(checker)
    [request] = chat.requests
    shown = [PillowImage.open(io.BytesIO(data)) for data in request.images.values()]
    assert [np.asarray(picture)[0, 0, 0] for picture in shown] == [10, 200]
    assert list(request.images) == ["before", "after"]
    assert request.schema["properties"]["answer"]["enum"] == ["yes", "no", "unknown"]
    assert request.schema["additionalProperties"] is False
    assert chat.heard_by_model() == PROMPTS.check(PLACE.phrase, FACTS)
    [noted] = recorder.of(Consulted)
    assert (noted.decision, noted.time_s, noted.images) == ("check", 3.5, request.shown)
    assert json.loads(noted.reply) == {"answer": "yes"}


def test_the_budget_of_calls_holds() -> None:
    chat = ScriptedChat(*[{"answer": "yes"}] * 5)
    checker, _ = _checker(chat, calls=2)
    told = [_check(checker) for _ in range(4)]
    spent = Checked(Answer.UNKNOWN, "over_budget")
    assert told == [Checked(Answer.YES, tokens=200)] * 2 + [spent] * 2
    assert len(chat.requests) == 2


def test_a_call_that_fails_counts() -> None:
    said: list[Said] = [ChatFault(Fault.TIMEOUT, "Too late.")] * 3
    chat = ScriptedChat(*said)
    checker, _ = _checker(chat, calls=1)
    assert [_check(checker), _check(checker)] == [
        Checked(Answer.UNKNOWN, "timeout"),
        Checked(Answer.UNKNOWN, "over_budget"),
    ]
    assert len(chat.requests) == 1


def test_planning_and_checking_spend_the_same_tokens() -> None:
    allowance = Allowance(300)
    chat = ScriptedChat({"answer": "yes"}, {"answer": "yes"}, steps(PICK_RED))
    checker, _ = _checker(chat, allowance=allowance)
    _check(checker)
    _check(checker)
    assert _check(checker) == Checked(Answer.UNKNOWN, "over_budget")
    with pytest.raises(ChatFault, match=r"planner\.tokens") as refused:
        LLMPlanner(chat, PROMPTS, allowance).plan("x", scene(), load_contracts(), ())
    assert refused.value.fault is Fault.OVER_BUDGET
    assert len(chat.requests) == 2
