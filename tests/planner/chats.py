"""A language model that says what a test wants it to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agent.planner.chat import ChatFault, Reply, Request

Said = str | ChatFault | dict[str, Any]


class ScriptedChat:
    """Answers with texts, objects or faults in turn; it keeps the `requests` it was given."""

    name = "test:scripted"

    def __init__(self, *said: Said, tokens: int = 100) -> None:
        self._said = list(said)
        self._tokens = tokens
        self.requests: list[Request] = []

    def ask(
        self, request: Request, halted: Callable[[], bool], heard: Callable[[str], None]
    ) -> Reply:
        self.requests.append(request)
        said = self._said.pop(0)
        if isinstance(said, ChatFault):
            raise said
        text = said if isinstance(said, str) else json.dumps(said)
        return Reply(text, self._tokens, self._tokens)

    def heard_by_model(self, index: int = -1) -> str:
        """Return the last turn of one request."""
        return self.requests[index].turns[-1].text


def steps(*calls: tuple[str, dict[str, str]], reply: str = "I will.") -> dict[str, Any]:
    """Return a plan as a model states it."""
    subgoals = [{"skill": skill, "args": args} for skill, args in calls]
    return {"reply": reply, "question": None, "subgoals": subgoals}


def asks(question: str) -> dict[str, Any]:
    """Return a question as a model states it in place of a plan."""
    return {"reply": "", "question": question, "subgoals": []}


PICK_RED = ("pick", {"object": "red block"})
RED_IN_BLUE = ("place_in", {"object": "red block", "target": "blue bowl"})
