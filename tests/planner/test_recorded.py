"""A model's replies played back: the same to the same questions, and nothing to others."""

from __future__ import annotations

from typing import Any

import pytest

from agent.events import Consulted, Turn
from agent.planner.chat import ChatFault, Fault, Reply, Request
from agent.planner.recorded import RecordedChat

TURNS = (Turn("system", "Plan."), Turn("user", "Put the red block away.\nNow."))
NOTE = Consulted(0.0, "openai:x", "plan", TURNS, reply="{}", tokens_in=7, tokens_out=3, seconds=0.5)


def ask(chat: RecordedChat, *turns: Turn, **request: Any) -> Reply:
    asked = Request("plan", turns or TURNS, {}, **request)
    return chat.ask(asked, lambda: False, lambda sentence: None)


def test_the_same_question_has_the_same_reply() -> None:
    chat = RecordedChat([NOTE])
    assert ask(chat) == Reply("{}", 7, 3, 0.5)
    assert chat.name == "openai:x"


def test_a_fault_is_played_back_too() -> None:
    note = Consulted(0.0, "openai:x", "plan", TURNS, reply="Too late.", fault="timeout")
    with pytest.raises(ChatFault, match="Too late") as failed:
        ask(RecordedChat([note]))
    assert failed.value.fault is Fault.TIMEOUT


@pytest.mark.parametrize(
    ("turns", "request_", "told"),
    [
        ((TURNS[0], Turn("user", "Put the red block away.\nLater.")), {}, "Later"),
        (TURNS, {"images": {"front": b"x"}}, "other pictures"),
    ],
)
def test_another_question_has_none(
    turns: tuple[Turn, ...], request_: dict[str, Any], told: str
) -> None:
    with pytest.raises(ChatFault, match=told) as failed:
        ask(RecordedChat([NOTE]), *turns, **request_)
    assert failed.value.fault is Fault.NOT_RECORDED


def test_one_question_more_than_was_recorded_has_none() -> None:
    chat = RecordedChat([NOTE])
    ask(chat)
    with pytest.raises(ChatFault, match="1 replies"):
        ask(chat)
