"""How the runtime deals with planners: repairs, fallbacks, and what a human must allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agent.doubles import Recorder, StillRobot
from agent.events import Consulted, Planned
from agent.planner.chat import ChatFault, Fault
from agent.planner.consultant import Allowance
from agent.planner.grammar import GrammarPlanner
from agent.planner.llm import LLMPlanner
from agent.planner.prompts import Prompts
from agent.protocols import Planner
from agent.types import MissionOutcome, MissionResult, Observation, Plan
from tests.parts import (
    BEFORE,
    COMMAND,
    DONE,
    DROPPED,
    PICK,
    PLACE,
    Bench,
)
from tests.planner.chats import PICK_RED, RED_IN_BLUE, Said, ScriptedChat, steps
from tests.test_runtime import WELL

DOWN = ChatFault(Fault.UNREACHABLE, "The model cannot be reached.")
GOOD = steps(PICK_RED, RED_IN_BLUE)
GREEN_IN_BLUE = [
    ("pick", {"object": "green block"}),
    ("place_in", {"object": "green block", "target": "blue bowl"}),
]


class Mission:
    """A mission of doubles whose planner asks a model that says these things."""

    def __init__(self, *said: Said, fallbacks: Sequence[Planner] = (), **parts: Any) -> None:
        self.robot, self.recorder = StillRobot(), Recorder()
        self.chat = ScriptedChat(*said)
        planner = LLMPlanner(
            self.chat,
            Prompts(30, 0.5),
            Allowance(100_000),
            tell=self.recorder.on_event,
            halted=lambda: self.robot.stopped,
        )
        made = {"scenes": WELL, **parts}
        self.runtime = Bench(
            robot=self.robot,
            planner=planner,
            fallbacks=fallbacks,
            subscribers=[self.recorder],
            **made,
        ).runtime


def test_a_plan_of_a_model_is_carried_out() -> None:
    mission = Mission(GOOD)
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS
    assert result.plan.subgoals == (PICK, PLACE)
    kinds = [type(e) for e in mission.recorder.events if isinstance(e, Consulted | Planned)]
    assert kinds == [Consulted, Planned]


def test_three_refused_plans_end_in_the_models_own_question() -> None:
    bad = steps(RED_IN_BLUE)
    mission = Mission(bad, bad, bad, {"question": "Shall I pick it up first?"})
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question == "Shall I pick it up first?"
    assert mission.robot.sent == []


def test_a_model_that_neither_mends_nor_asks_ends_in_a_question() -> None:
    mission = Mission(*[steps(RED_IN_BLUE)] * 3, steps(PICK_RED))
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question is not None and "held(red block)" in result.question
    assert mission.robot.sent == []


def test_a_model_that_cannot_be_asked_ends_in_a_question_that_says_so() -> None:
    mission = Mission(DOWN)
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question == str(DOWN)
    assert mission.robot.sent == []


@pytest.mark.parametrize("said", [[DOWN], [*[steps(RED_IN_BLUE)] * 3, "what?"]])
def test_the_grammar_plans_where_the_model_does_not(said: list[Said]) -> None:
    mission = Mission(*said, fallbacks=[GrammarPlanner()])
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS
    assert result.plan.subgoals == (PICK, PLACE)


def test_a_model_that_is_lost_on_the_way_ends_in_a_question_about_that() -> None:
    mission = Mission(GOOD, DOWN, verdicts=[DONE, DROPPED], scenes=[BEFORE])
    result = mission.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question == str(DOWN)


def test_a_stop_while_the_model_thinks_ends_the_mission_without_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mission = Mission(ChatFault(Fault.STOPPED, "I was stopped."), fallbacks=[GrammarPlanner()])
    asked: list[str] = []
    mission.robot.reset(0)
    reset = mission.robot.reset

    def reset_and_stop(seed: int) -> Observation:
        observation = reset(seed)
        mission.robot.stop()
        return observation

    monkeypatch.setattr(mission.robot, "reset", reset_and_stop)

    def answer(question: str) -> str:
        asked.append(question)
        return "yes"

    result = mission.runtime.run(COMMAND, 0, answer=answer)
    assert result.outcome is MissionOutcome.STOPPED
    assert asked == []
    assert mission.robot.sent == []


def replanned(
    *calls: tuple[str, dict[str, str]], allow: Callable[[int], bool]
) -> tuple[MissionResult, list[Plan]]:
    """Run a mission that drops the block and is planned anew, and return what was asked for."""
    mission = Mission(GOOD, steps(*calls), DOWN, verdicts=[DONE, DROPPED, DONE], scenes=[BEFORE])
    shown: list[Plan] = []

    def approve(plan: Plan) -> bool:
        shown.append(plan)
        return allow(len(shown))

    return mission.runtime.run(COMMAND, 0, approve=approve), shown


def test_the_same_things_again_need_no_second_yes() -> None:
    _, shown = replanned(PICK_RED, RED_IN_BLUE, allow=lambda number: True)
    assert len(shown) == 1


def test_a_new_plan_with_other_things_needs_a_second_yes() -> None:
    result, shown = replanned(*GREEN_IN_BLUE, allow=lambda number: number == 1)
    assert [plan.subgoals[0].args["object"] for plan in shown] == ["red block", "green block"]
    assert result.outcome is MissionOutcome.STOPPED
    handled = [r.subgoal.args.get("object") for r in result.results]
    assert "green block" not in handled
