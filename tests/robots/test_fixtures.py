"""The drawer, the button, and what carries what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from agent.robots.tabletop.fixtures import CAP_TRAVEL, PRESSED, RELEASED, Lamps
from agent.robots.tabletop.layout import WIDE, sample_layout
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.supports import support_of
from agent.types import TABLE, Scene, SceneObject, Vector
from agent.workspace import BLOCK, BUTTON, DRAWER_CLOSED, DRAWER_OPEN, DRAWER_TRAVEL
from skills.experts import Expert
from skills.experts.button import PressExpert
from skills.experts.drawer import CloseExpert, OpenExpert

NOISE_M = 0.006
STILL = np.array([0, 0, 0, 0, 0, 0, 1.0])


@pytest.fixture(scope="module")
def robot() -> Iterator[TabletopRobot]:
    """Return the one robot of these tests; each test resets it."""
    made = TabletopRobot(variation=WIDE)
    yield made
    made.close()


def seeds(wanted: Callable[[Scene], bool], number: int) -> list[int]:
    """Return the first seeds whose scenes are wanted."""
    found = (s for s in range(700_000, 702_000) if wanted(sample_layout(s, WIDE).scene))
    return [seed for seed, _ in zip(found, range(number), strict=False)]


def opening(scene: Scene) -> float | None:
    """Return how far the drawer of a scene is out, m, None where there is none."""
    return scene.objects["drawer"].articulation if "drawer" in scene.objects else None


def lamps(robot: TabletopRobot, expert: Expert, seed: int, ticks: int = 90) -> list[float]:
    """Let a teacher act with noise until it is done; return what the lamp was at every tick."""
    rng, seen = np.random.default_rng(seed), []
    expert.reset(robot.world)
    for _ in range(ticks):
        noise = rng.normal(size=7) * np.array([1, 1, 1, 1, 1, 3, 0]) * NOISE_M
        robot.act(expert.act(robot.world) + noise)
        seen.append(robot.world.lamp("button"))
        if expert.done(robot.world):
            return seen
    raise AssertionError(f"{type(expert).__name__} was not done in seed {seed}")


def test_the_drawer_is_opened_and_what_is_in_it_comes_along(robot: TabletopRobot) -> None:
    """From shut or half-way, whatever lies in it."""
    for seed in seeds(lambda s: (opening(s) or 0.0) < DRAWER_OPEN and opening(s) is not None, 6):
        robot.reset(seed)
        inside = robot.world.truth().contents("drawer")
        lamps(robot, OpenExpert("drawer"), seed)
        truth = robot.world.truth()
        assert DRAWER_OPEN <= robot.world.opening("drawer") <= DRAWER_TRAVEL + 0.001
        assert {o.name for o in truth.contents("drawer")} == {o.name for o in inside}


def test_the_drawer_is_closed_with_what_is_in_it(robot: TabletopRobot) -> None:
    """From open or half-way; the hand disturbs nothing else."""
    for seed in seeds(lambda s: (opening(s) or 0.0) > DRAWER_CLOSED, 6):
        robot.reset(seed)
        before = robot.world.truth()
        lamps(robot, CloseExpert("drawer"), seed)
        truth = robot.world.truth()
        assert robot.world.opening("drawer") <= DRAWER_CLOSED
        for name, thing in truth.objects.items():
            assert thing.support == before.objects[name].support
            if thing.support == TABLE and name != "drawer":
                assert np.linalg.norm(thing.position - before.objects[name].position) < 0.01


def test_a_press_switches_the_lamp_once(robot: TabletopRobot) -> None:
    """On or off, and the camera sees which."""
    for seed in seeds(lambda s: "button" in s.objects, 6):
        robot.reset(seed)
        before = robot.world.lamp("button")
        seen = [before, *lamps(robot, PressExpert("button"), seed)]
        assert np.abs(np.diff(seen)).sum() == 1
        assert robot.world.truth().objects["button"].articulation == 1 - before


def test_a_lamp_switches_once_for_each_time_the_cap_goes_down(robot: TabletopRobot) -> None:
    """Neither trembling at the bottom nor a press that goes half-way counts."""
    # Imported here, for with the robot comes the choice of OpenGL that goes before it.
    from mujoco import MjData

    model = robot.world.model
    data, lamps_ = MjData(model), Lamps(model)
    lamps_.reset(Scene(0.0, {"button": SceneObject("button", BUTTON, np.zeros(3))}))
    cap, seen = model.joint("button").qposadr[0], []
    half = (PRESSED + RELEASED) / 2
    for depth in (0, half, 0, PRESSED + 0.001, half, CAP_TRAVEL, half, CAP_TRAVEL, 0, CAP_TRAVEL):
        data.qpos[cap] = -depth
        lamps_.update(data)
        seen.append(lamps_.lit("button"))
    assert seen == [False] * 3 + [True] * 6 + [False]


def test_the_drawer_stays_where_it_is_left(robot: TabletopRobot) -> None:
    """Slid anywhere it takes its contents along and stays, though the arm moves."""
    seed = seeds(lambda s: bool(s.contents("drawer")), 1)[0]
    robot.reset(seed)
    world = robot.world
    for wanted in (0.1, 0.03, 0.08, 0.0):
        before = world.truth()
        shift = wanted - world.opening("drawer")
        world.slide("drawer", wanted)
        for _ in range(5):
            robot.act(STILL)
        truth = world.truth()
        assert world.opening("drawer") == pytest.approx(wanted, abs=0.002)
        for thing in (*before.contents("drawer"), before.objects["drawer"]):
            moved = truth.objects[thing.name].position - thing.position
            assert moved[0] == pytest.approx(shift, abs=0.003)
            assert truth.objects[thing.name].support == thing.support


def test_a_shut_drawer_hides_what_is_in_it(robot: TabletopRobot) -> None:
    """The front camera sees no difference with and without it; once open it does."""
    for seed in seeds(lambda s: bool(s.contents("drawer")), 3):
        for opening_m, seen in ((0.0, False), (DRAWER_TRAVEL, True)):
            robot.reset(seed)
            world = robot.world
            world.slide("drawer", opening_m)
            full = world.render("front")
            for thing in world.truth().contents("drawer"):
                world.put(thing.name, np.array([-4.0, 0.0, 0.0]), 0.0)
            world.settle()
            assert np.array_equal(full, world.render("front")) != seen


def test_the_camera_sees_the_lamp_and_the_drawer(robot: TabletopRobot) -> None:
    """The picture changes where the part is when it moves."""
    seed = seeds(lambda s: "button" in s.objects and "drawer" in s.objects, 1)[0]
    robot.reset(seed)
    world = robot.world
    world.slide("drawer", 0.0)
    shut = world.render("front").astype(int)
    world.slide("drawer", DRAWER_TRAVEL)
    out = world.render("front").astype(int)
    assert (np.abs(out - shut).max(-1) > 40).sum() > 60
    lit = world.lamp("button")
    lamps(robot, PressExpert("button"), seed)
    for _ in range(4):
        robot.act(np.array([-0.04, 0, 0.03, 0, 0, 0, 0.0]))
    changed = np.abs(world.render("front").astype(int) - out).max(-1) > 40
    assert world.lamp("button") != lit
    assert changed.sum() >= 8


PLACES: dict[str, Vector] = {
    "blue bowl": np.array([0.5, 0.1, 0.0]),
    "plate": np.array([0.5, -0.15, 0.0]),
    "drawer": np.array([0.36, 0.27, 0.036]),
    "button": np.array([0.6, 0.2, 0.032]),
    "red block": np.array([0.6, 0.0, 0.02]),
}
IN_TRAY = np.array([0.276, 0.31, 0.027])


@pytest.mark.parametrize(
    ("name", "position", "support"),
    [
        ("green block", (0.6, 0.0, 0.06), "red block"),
        ("green block", (0.6, 0.03, 0.06), TABLE),
        ("green block", (0.6, 0.0, 0.10), TABLE),
        ("green block", (0.51, 0.1, 0.026), "blue bowl"),
        ("green block", (0.51, 0.1, 0.066), "blue bowl"),
        ("green block", (0.53, -0.15, 0.032), "plate"),
        ("green block", (0.65, -0.15, 0.02), TABLE),
        ("green block", tuple(IN_TRAY), "drawer"),
        ("green block", (0.2, 0.27, 0.115), TABLE),
        ("can", (0.28, 0.25, 0.0395), "drawer"),
        ("can", (0.5, -0.15, 0.0445), "plate"),
        ("can", (0.7, 0.0, 0.0325), TABLE),
        ("can", (0.6, 0.0, 0.0725), "red block"),
    ],
)
def test_what_carries_a_thing(name: str, position: tuple[float, ...], support: str) -> None:
    """Bowls and the drawer carry all that is in them, a block what stands on it."""
    assert support_of(name, {**PLACES, name: np.array(position)}) == support


def test_a_tower_is_carried_block_by_block() -> None:
    """The upper block stands on the middle one; in a bowl both are in the bowl."""
    for base, expected, below in (
        ((0.7, 0.1, 0.02), "green block", "yellow block"),
        ((0.5, 0.1, 0.026), "blue bowl", "blue bowl"),
    ):
        tower = {
            name: np.array(base) + np.array([0, 0, 0.04 * level])
            for level, name in enumerate(("yellow block", "green block", "blue block"))
        }
        places = {**PLACES, **tower}
        assert support_of("blue block", places) == expected
        assert support_of("green block", places) == below


def test_shut_fingers_that_touch_a_block_do_not_hold_it(robot: TabletopRobot) -> None:
    """Pushing is not carrying, though both fingers touch."""
    seed = seeds(lambda s: "drawer" not in s.objects, 1)[0]
    robot.reset(seed)
    world = robot.world
    name = next(
        n for n, o in world.truth().objects.items() if o.kind == BLOCK and o.support == TABLE
    )
    start = world.position(name)
    pose = np.array([*start[:2], 0.03, 0, 1, 0, 0]) - np.array([0.06, 0, 0, 0, 0, 0, 0])
    world.pose_arm(pose, opening=0.0)
    for _ in range(8):
        pose[0] += 0.012
        world.step(pose, 0.0)
        assert world.carried() is None
    assert world.position(name)[0] > start[0] + 0.01
