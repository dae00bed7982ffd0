"""What a model's server is sent on a new plan, read where it arrives: in the server's process."""

from __future__ import annotations

import json
import re
from typing import Any

from agent.planner.consultant import Allowance
from agent.planner.llm import LLMPlanner
from agent.planner.prompts import Prompts
from agent.planner.providers import open_chat
from agent.sections import PlannerConfig
from tests.llm.processes import Server
from tests.parts import BEFORE, COMMAND, DONE, DROPPED, LATE, MISSED, PICK, PLACE, Bench
from tests.planner.chats import PICK_RED, RED_IN_BLUE, steps

_TOLD = re.compile(r"^(\d+)\. (.+): (\w+), (\w+) \(", re.MULTILINE)
"""A line of the history: its number, the subgoal, the outcome and the reason code."""


def told(request: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the history in the newest turn of a request that arrived."""
    [system, *_, newest] = request["body"]["messages"]
    assert (system["role"], newest["role"]) == ("system", "user")
    _, _, history = newest["content"].partition("oldest first:")
    return _TOLD.findall(history)


def test_the_whole_history_arrives_in_order_with_reason_codes(server: Server) -> None:
    server.script([json.dumps(steps(PICK_RED, RED_IN_BLUE))] * 3)
    chat = open_chat(PlannerConfig(kind="openai:tiny-llama", base_url=server.base_url))
    bench = Bench(
        planner=LLMPlanner(chat, Prompts(30, 0.5), Allowance(10**6)),
        # The fourth verdict is of the look between the plans.
        verdicts=[MISSED, DONE, DROPPED, DONE, DONE, LATE, DONE],
        # What left the hand is never seen in the bowl, so that placing cannot be tried again.
        scenes=[BEFORE],
    )
    result = bench.runtime.run(COMMAND, 0)
    chat.close()
    first = [
        ("1", PICK.phrase, "failed", "grasp_missed"),
        ("2", PICK.phrase, "success", "done"),
        ("3", PLACE.phrase, "failed", "dropped"),
    ]
    second = [("4", PICK.phrase, "success", "done"), ("5", PLACE.phrase, "timeout", "timeout")]
    assert [told(request) for request in server.requests()] == [[], first, first + second]
    logged = [(each.subgoal.phrase, each.outcome, each.verdict.reason) for each in result.results]
    assert [line[1:] for line in first + second] == logged[:5]
