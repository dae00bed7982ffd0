"""A flood of random plans that keep to the schema: nothing unverified ever moves."""

from __future__ import annotations

import pytest

from agent.planner.providers import open_chat
from agent.sections import PlannerConfig
from agent.types import Subgoal
from tests.llm.executor import Impossible, World
from tests.llm.flood import flood
from tests.llm.processes import Server
from tests.scenes import scene

PLANS = 120


def test_every_random_plan_is_refused_with_reasons_or_can_be_carried_out(server: Server) -> None:
    chat = open_chat(PlannerConfig(kind="openai:tiny-llama", base_url=server.base_url))
    tally = flood(chat, PLANS, scenes=20)
    chat.close()
    assert tally.plans == tally.accepted + tally.rejected + tally.asked >= PLANS
    assert tally.impossible == []
    assert tally.unverified == []
    assert tally.accepted and tally.rejected and sum(tally.reasons.values()) >= tally.rejected


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
