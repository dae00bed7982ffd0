"""Disturbances: absent unless asked for, and no larger than asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pytest

from agent.facts import holds
from agent.robots.tabletop.disturbances import Disturbances, DisturbanceSpec
from agent.robots.tabletop.robot import TabletopRobot
from agent.types import Fact, Image, Vector
from agent.workspace import BLOCK, MOVABLE
from skills.experts import Expert, OpenExpert, PickExpert, PlaceExpert
from skills.tasks import Task, possible

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


def test_a_jammed_drawer_stays_where_it_is() -> None:
    """The teacher, who opens any other, pulls in vain; another mission's drawer slides again."""
    robot = TabletopRobot(DisturbanceSpec(jam=1.0))
    free = TabletopRobot()
    try:
        seed = next(s for s in range(SEED, SEED + 50) if _shut(robot, s))
        before = robot.world.opening("drawer")
        assert not carry_out(robot, OpenExpert("drawer"), ticks=60)
        assert abs(robot.world.opening("drawer") - before) < 0.005
        free.reset(seed)
        assert carry_out(free, OpenExpert("drawer"), ticks=60)
    finally:
        robot.close()
        free.close()


def _shut(robot: TabletopRobot, seed: int) -> bool:
    """Lay out a scene; return whether it has a drawer that is shut and free to be pulled."""
    robot.reset(seed)
    return Task("open", {"object": "drawer"}) in possible(robot.world.truth())


@pytest.mark.parametrize("camera", [None, "wrist"])
def test_a_camera_goes_blank_when_told(camera: Literal["wrist"] | None) -> None:
    pictures = _pictures(DisturbanceSpec(blank_s=0.3, camera=camera))
    for name in ("front", "wrist"):
        dark = [not p[name].any() for p in pictures]
        assert dark == [tick >= 3 and camera in (None, name) for tick in range(6)]


def test_a_frozen_camera_repeats_its_last_picture() -> None:
    plain, pictures = _pictures(None), _pictures(DisturbanceSpec(frozen_s=0.3, camera="front"))
    for tick in range(6):
        assert np.array_equal(pictures[tick]["front"], plain[min(tick, 2)]["front"])
        assert np.array_equal(pictures[tick]["wrist"], plain[tick]["wrist"])


def test_delayed_pictures_are_those_of_before() -> None:
    plain, pictures = _pictures(None), _pictures(DisturbanceSpec(delay_ticks=2))
    for tick in range(6):
        assert np.array_equal(pictures[tick]["front"], plain[max(0, tick - 2)]["front"])


def _pictures(spec: DisturbanceSpec | None) -> list[Mapping[str, Image]]:
    """Return what is seen in six ticks of an arm that moves."""
    robot = TabletopRobot(spec)
    try:
        seen = [robot.reset(SEED)]
        for _ in range(5):
            robot.act(np.array([0.01, 0.01, -0.01, 0, 0, 0.05, 1.0]))
            seen.append(robot.observe())
        return [observation.images for observation in seen]
    finally:
        robot.close()
