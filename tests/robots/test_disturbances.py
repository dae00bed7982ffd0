"""Disturbances: absent unless asked for, and no larger than asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.facts import holds
from agent.robots.tabletop.disturbances import Disturbances, DisturbanceSpec
from agent.robots.tabletop.robot import TabletopRobot
from agent.types import Fact, Vector
from agent.workspace import BLOCK, MOVABLE
from skills.experts import Expert, PickExpert, PlaceExpert

SEED = 500_000
TINY = 1e-12


def on_robot(spec: DisturbanceSpec | None, run: Callable[[TabletopRobot], Vector]) -> Vector:
    """Return what a run on a new robot with these disturbances returns."""
    robot = TabletopRobot(spec)
    try:
        robot.reset(SEED)
        return run(robot)
    finally:
        robot.close()


def block_of(robot: TabletopRobot) -> str:
    """Return the first block of the scene that stands by itself."""
    scene = robot.world.truth()
    return next(
        name
        for name, thing in scene.objects.items()
        if thing.kind == BLOCK and holds(Fact(predicate="loose", args=(name,)), scene)
    )


def carry_out(robot: TabletopRobot, expert: Expert, ticks: int = 90) -> bool:
    """Let a teacher act; return whether it was done in time."""
    expert.reset(robot.world)
    for _ in range(ticks):
        robot.act(expert.act(robot.world))
        if expert.done(robot.world):
            return True
    return False


def pick_and_place(robot: TabletopRobot) -> Vector:
    """Move a block to a zone and wait; return all of the world's (nq,) positions."""
    name = block_of(robot)
    assert carry_out(robot, PickExpert(name))
    carry_out(robot, PlaceExpert(name, "left zone"))
    for _ in range(10):
        robot.act(np.array([0, 0, 0, 0, 0, 0, 1.0]))
    return np.array(robot.world.data.qpos)


def test_off_by_default_and_then_without_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """No disturbance, one that never fires, and no code for any give the same world to the bit."""
    spec = DisturbanceSpec()
    assert (spec.drop_per_s, spec.shift_cm, spec.nudge_per_s) == (0, 0, 0)
    default = on_robot(None, pick_and_place)
    never = on_robot(DisturbanceSpec(drop_per_s=TINY, nudge_per_s=TINY), pick_and_place)
    monkeypatch.setattr(Disturbances, "gripper", lambda self, opening, carrying: opening)
    monkeypatch.setattr(Disturbances, "after_step", lambda self, world: None)
    without = on_robot(None, pick_and_place)
    assert np.array_equal(default, never)
    assert np.array_equal(default, without)


def test_drop_opens_the_gripper_while_carrying() -> None:
    """At one drop a second a held block is soon lost, though nobody opens the gripper."""

    def run(robot: TabletopRobot) -> Vector:
        name = block_of(robot)
        expert = PickExpert(name)
        expert.reset(robot.world)
        carried = lost = 0
        for _ in range(120):
            held = robot.world.carried() == name
            action = expert.act(robot.world)
            robot.act(action)
            carried += held
            lost += held and action[6] == 0.0 and robot.world.carried() is None
        return np.array([carried, lost])

    carried, lost = on_robot(DisturbanceSpec(drop_per_s=1.0), run)
    assert lost >= 3
    assert 0.3 < lost / (carried / 10) < 3
    assert on_robot(None, run)[1] == 0


def test_an_empty_gripper_is_not_forced() -> None:
    """What carries nothing cannot drop it: closed fingers stay closed."""

    def run(robot: TabletopRobot) -> Vector:
        for _ in range(10):
            robot.act(np.zeros(7))
        return np.array([robot.world.gripper])

    assert on_robot(DisturbanceSpec(drop_per_s=10.0), run)[0] < 0.1


def test_shift_displaces_what_was_let_go() -> None:
    """After release the block lies elsewhere than it would, in proportion to what is asked for."""

    def run(robot: TabletopRobot) -> Vector:
        pick_and_place(robot)
        return robot.world.position(block_of(robot))

    straight = on_robot(None, run)
    distances = {}
    for centimetres in (1.0, 8.0):
        shifted = on_robot(DisturbanceSpec(shift_cm=centimetres), run)
        distances[centimetres] = float(np.linalg.norm((shifted - straight)[:2]))
        assert distances[centimetres] <= centimetres / 100
        assert shifted[2] == pytest.approx(straight[2], abs=0.002)
    assert distances[8.0] > 0.002
    assert distances[8.0] == pytest.approx(8 * distances[1.0], rel=0.05)


def test_nudge_moves_one_thing_at_a_time() -> None:
    """Each nudge takes one thing on the table a few centimetres along, and leaves the rest."""

    def run(robot: TabletopRobot) -> Vector:
        movable = [n for n, o in robot.world.truth().objects.items() if o.kind in MOVABLE]
        still = np.array([0, 0, 0, 0, 0, 0, 1.0])
        before = np.array([robot.world.position(n) for n in movable])
        for _ in range(30):
            robot.act(still)
            # What `put` writes shows in the body's pose one physics step later.
            after = np.array([robot.world.data.joint(n).qpos[:3] for n in movable])
            moved = np.linalg.norm((after - before)[:, :2], axis=1)
            if moved.max() > 0.001:
                return np.asarray(moved)
        return np.zeros(len(movable))

    moved = on_robot(DisturbanceSpec(nudge_per_s=1.0), run)
    assert (moved > 0.001).sum() == 1
    assert 0.018 < moved.max() < 0.042
    assert on_robot(None, run).max() == 0
