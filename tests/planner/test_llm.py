"""The planner behind a language model: what it is asked, what is read from it, what it may cost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from agent.events import Consulted, Event
from agent.planner.answer import plan_schema, read_plan
from agent.planner.chat import ChatFault, Fault
from agent.planner.consultant import Allowance
from agent.planner.llm import LLMPlanner
from agent.planner.prompts import Prompts
from agent.planner.verify import PlanVerifier
from agent.types import Reason, SubgoalOutcome, SubgoalResult, Verdict, VerdictValue
from skills.registry import load_contracts
from tests.parts import PICK, PLACE
from tests.planner.chats import PICK_RED, RED_IN_BLUE, Said, ScriptedChat, asks, steps
from tests.scenes import scene

CONTRACTS = load_contracts()
COMMAND = "put the red block in the blue bowl"
SCENE = scene()


def planner(chat: ScriptedChat, **settings: Any) -> LLMPlanner:
    allowance = settings.pop("allowance", Allowance(100_000))
    return LLMPlanner(chat, Prompts(30, 0.5), allowance, **settings)


def test_a_plan_is_stated_in_the_contracts_own_phrases() -> None:
    chat = ScriptedChat(steps(PICK_RED, RED_IN_BLUE))
    plan = planner(chat).plan(COMMAND, SCENE, CONTRACTS, ())
    assert plan.subgoals == (PICK, PLACE)
    assert plan.command == COMMAND
    assert plan.reply == "I will."
    assert PlanVerifier().problems(plan, SCENE, CONTRACTS) == []


def test_the_model_is_told_the_rules_the_scene_and_the_command() -> None:
    chat = ScriptedChat(steps(PICK_RED))
    planner(chat).plan(COMMAND, SCENE, CONTRACTS, ())
    [request] = chat.requests
    rules, asked = (turn.text for turn in request.turns)
    assert all(f"- {name}(" in rules for name in CONTRACTS)
    assert f'<command>"{COMMAND}"</command>' in asked
    assert all(json.dumps(name) in asked for name in SCENE.objects)
    assert request.decision == "plan"


def test_only_what_is_there_can_be_named() -> None:
    schema = plan_schema(scene("red block", "plate"), CONTRACTS)
    calls = {c["properties"]["skill"]["enum"][0]: c for c in _calls(schema)}
    assert "open" not in calls and "place_in" not in calls
    args = calls["place_on"]["properties"]["args"]["properties"]
    assert args["object"]["enum"] == ["red block"]
    assert set(args["target"]["enum"]) >= {"red block", "plate", "left zone"}


def _calls(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema["properties"]["subgoals"]["items"]["anyOf"]
    return found


def test_what_is_wrong_with_a_plan_goes_back_with_the_plan() -> None:
    chat = ScriptedChat(steps(RED_IN_BLUE), steps(PICK_RED, RED_IN_BLUE))
    asked = planner(chat)
    bad = asked.plan(COMMAND, SCENE, CONTRACTS, ())
    problems = PlanVerifier().problems(bad, SCENE, CONTRACTS)
    assert asked.plan(COMMAND, SCENE, CONTRACTS, (), problems).subgoals == (PICK, PLACE)
    roles = [turn.role for turn in chat.requests[1].turns]
    assert roles == ["system", "user", "assistant", "user"]
    assert "place_in" in chat.requests[1].turns[2].text
    assert problems[0] in chat.heard_by_model()


def test_after_two_repairs_it_may_only_ask() -> None:
    chat = ScriptedChat(
        *[steps(RED_IN_BLUE)] * 3, {"question": "Shall I take the red block in hand first?"}
    )
    asked = planner(chat)
    asked.plan(COMMAND, SCENE, CONTRACTS, ())
    for _ in range(2):
        assert asked.plan(COMMAND, SCENE, CONTRACTS, (), ["It is held."]).question is None
    last = asked.plan(COMMAND, SCENE, CONTRACTS, (), ["It is held."])
    assert last.question == "Shall I take the red block in hand first?"
    decisions = [request.decision for request in chat.requests]
    assert decisions == ["plan", "repair", "repair", "question"]
    assert list(chat.requests[-1].schema["properties"]) == ["question"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I would rather not.", "JSON"),
        ('{"reply": "x", "subgoals": "none"}', "subgoals"),
        ('{"reply": "x", "subgoals": [{"skill": "pick", "args": {"object": 3}}]}', "string"),
        ('{"reply": "x", "subgoals": [], "shell": "rm"}', "shell"),
        (json.dumps(steps(*[PICK_RED] * 31)), "30"),
        ('{"reply": "cut off in the mid', "JSON"),
    ],
)
def test_a_reply_of_another_form_is_refused_and_the_model_is_told_why(said: str, told: str) -> None:
    chat = ScriptedChat(said, steps(PICK_RED))
    asked = planner(chat)
    empty = asked.plan(COMMAND, SCENE, CONTRACTS, ())
    problems = PlanVerifier().problems(empty, SCENE, CONTRACTS)
    assert problems and not empty.subgoals
    asked.plan(COMMAND, SCENE, CONTRACTS, (), problems)
    assert told in chat.heard_by_model()


def test_subgoals_beside_a_question_are_left_out() -> None:
    said: Said = {
        **asks("The red block or the green one?"),
        **{"subgoals": steps(PICK_RED)["subgoals"]},
    }
    plan = planner(ScriptedChat(said)).plan(COMMAND, SCENE, CONTRACTS, ())
    assert plan.question == "The red block or the green one?"
    assert plan.subgoals == ()


def test_a_new_plan_is_asked_for_with_the_whole_history_in_order() -> None:
    def failed(subgoal: Any, reason: Reason, attempts: int) -> SubgoalResult:
        verdict = Verdict(VerdictValue.REFUTED, reason, 0.9, {"gripper": 0.0123})
        return SubgoalResult(subgoal, SubgoalOutcome.FAILED, verdict, attempts, 40)

    history = (
        failed(PICK, Reason.GRASP_MISSED, 1),
        failed(PICK, Reason.STUCK, 2),
        failed(PLACE, Reason.DROPPED, 1),
    )
    chat = ScriptedChat(steps(PICK_RED))
    planner(chat).plan(COMMAND, SCENE, CONTRACTS, history)
    asked = chat.heard_by_model()
    places = [asked.index(code) for code in ("grasp_missed", "stuck", "dropped")]
    assert places == sorted(places)
    assert "gripper 0.0123" in asked and "try 2" in asked
    assert chat.requests[0].decision == "replan"


def test_every_question_and_answer_is_told() -> None:
    heard: list[Event] = []
    chat = ScriptedChat(steps(PICK_RED), ChatFault(Fault.TIMEOUT, "Too late."))
    asked = planner(chat, tell=heard.append)
    asked.plan(COMMAND, SCENE, CONTRACTS, ())
    with pytest.raises(ChatFault):
        asked.plan(COMMAND, SCENE, CONTRACTS, ())
    first, second = (event for event in heard if isinstance(event, Consulted))
    assert json.loads(first.reply) == steps(PICK_RED)
    assert (first.tokens_in, first.tokens_out, first.fault) == (100, 100, None)
    assert (second.reply, second.fault) == ("Too late.", "timeout")
    assert first.turns == chat.requests[0].turns


@pytest.mark.parametrize(
    ("allowance", "word"),
    [
        (Allowance(300), "planner.tokens"),
        (Allowance(100_000, cost=0.00015, price_in=1.0), "planner.cost"),
    ],
)
def test_a_mission_spends_no_more_than_it_may(allowance: Allowance, word: str) -> None:
    asked = planner(ScriptedChat(*[steps(PICK_RED)] * 3), allowance=allowance)
    asked.plan(COMMAND, SCENE, CONTRACTS, ())
    asked.plan(COMMAND, SCENE, CONTRACTS, ())
    with pytest.raises(ChatFault, match=word) as refused:
        asked.plan(COMMAND, SCENE, CONTRACTS, ())
    assert refused.value.fault is Fault.OVER_BUDGET


@pytest.mark.parametrize("shows", [True, False])
def test_pictures_are_shown_only_where_the_model_takes_them(shows: bool) -> None:
    chat = ScriptedChat(steps(PICK_RED))
    images = {"front": np.zeros((8, 8, 3), np.uint8)}
    planner(chat, shows=shows).plan(COMMAND, SCENE, CONTRACTS, (), images=images)
    assert list(chat.requests[0].images) == (["front"] if shows else [])


def test_a_skill_that_does_not_exist_comes_through_to_verification() -> None:
    said = json.dumps(steps(("fly", {"object": "red block"})))
    plan = read_plan(said, COMMAND, CONTRACTS)
    assert "no skill 'fly'" in PlanVerifier().problems(plan, SCENE, CONTRACTS)[0]


def test_a_question_of_blanks_asks_nothing() -> None:
    plan = read_plan('{"question": " \\n", "subgoals": []}', COMMAND, CONTRACTS)
    assert plan.question is None
