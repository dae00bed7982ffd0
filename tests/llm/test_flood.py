"""A flood of random plans that keep to the schema: nothing unverified ever moves."""

from __future__ import annotations

import numpy as np
import pytest

from agent.doubles import StillRobot
from agent.events import Planned, SubgoalStarted
from agent.planner.verify import PlanVerifier
from agent.types import Subgoal
from tests.llm.executor import Impossible, World
from tests.llm.flood import flood, unverified
from tests.llm.processes import Server
from tests.parts import PLAN
from tests.scenes import scene

PLANS = 120


def test_every_random_plan_is_refused_with_reasons_or_can_be_carried_out(server: Server) -> None:
    tally = flood(server, PLANS, scenes=20)
    assert tally.plans == tally.accepted + tally.rejected >= PLANS
    assert tally.asked == tally.plans + tally.questions + tally.nothing
    assert tally.impossible == []
    assert tally.unverified == []
    assert tally.unreasoned == []
    assert tally.accepted and tally.rejected and sum(tally.reasons.values()) >= tally.rejected
    assert sum(tally.first_reasons.values()) == tally.rejected


def test_the_flood_tells_when_plans_are_not_verified(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlanVerifier, "problems", lambda *asked: [])
    tally = flood(server, 40, scenes=4)
    assert tally.accepted == tally.plans
    assert tally.impossible


def test_the_flood_tells_what_runs_without_a_plan() -> None:
    def planned(*problems: str) -> Planned:
        return Planned(0.0, PLAN, problems, 0)

    started = [SubgoalStarted(0.0, subgoal, 1) for subgoal in PLAN.subgoals]
    robot = StillRobot()
    assert unverified([planned(), *started], robot) == []
    assert unverified([planned("No."), *started], robot) == [s.phrase for s in PLAN.subgoals]
    assert unverified([planned(), *reversed(started)], robot)
    assert unverified([planned(), *started, started[0]], robot) == [PLAN.subgoals[0].phrase]
    robot.act(np.zeros(7))
    assert unverified([planned("No.")], robot) == ["1 motions without an accepted plan"]


def step(skill: str, **args: str) -> Subgoal:
    return Subgoal(skill=skill, args=args, phrase="")


@pytest.mark.parametrize(
    "impossible",
    [
        [step("place_in", object="red block", target="blue bowl")],
        [step("pick", object="red block"), step("pick", object="green block")],
        [step("pick", object="plate")],
        [step("pick", object="red block"), step("press", object="button")],
        [step("open", object="blue bowl")],
        [step("push", object="red block", direction="up")],
        [step("fly")],
        [step("pick", object="red block"), step("place_in", object="red block", target="drawer")],
    ],
)
def test_the_executor_refuses_what_cannot_be_done(impossible: list[Subgoal]) -> None:
    world = World(scene("red block", "green block", "blue bowl", "plate", "button", "drawer"))
    with pytest.raises(Impossible):
        for taken in impossible:
            world.take(taken)


def test_the_executor_follows_what_is_done() -> None:
    world = World(scene("red block", "green block", "drawer"))
    for taken in (
        step("open", object="drawer"),
        step("pick", object="red block"),
        step("place_in", object="red block", target="drawer"),
        step("close", object="drawer"),
    ):
        world.take(taken)
    with pytest.raises(Impossible, match="shut"):
        world.take(step("pick", object="red block"))
