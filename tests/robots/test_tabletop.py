"""The tabletop: repeatable to the bit, exact in its motion, and still once it is stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import numpy as np
import numpy.typing as npt
import pytest

from agent.checks import check_robot
from agent.errors import RobotError, RobotStopped
from agent.robots.commanded import MAX_STEP_M, MAX_TURN_RAD
from agent.robots.tabletop.disturbances import DisturbanceSpec
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import CAMERAS, TabletopWorld
from agent.types import Image, Observation, Vector

STILL = np.array([0, 0, 0, 0, 0, 0, 1.0])
FAST = np.array([0.04, 0.03, 0, 0, 0, 0, 1.0])


@pytest.fixture(scope="module")
def robot() -> Iterator[TabletopRobot]:
    """Return the one robot of these tests; each test resets it."""
    made = TabletopRobot()
    yield made
    made.close()


def rollout(robot: TabletopRobot, seed: int) -> tuple[Vector, Observation]:
    """Return where everything is, and what is seen, after a few actions that touch the table."""
    rng = np.random.default_rng(7)
    robot.reset(seed)
    for _ in range(12):
        robot.act(np.array([*rng.uniform(-0.03, 0.03, 2), -0.03, *rng.uniform(-0.1, 0.1, 3), 0.3]))
    return robot.world.data.qpos.copy(), robot.observe()


def same(first: Observation, second: Observation) -> bool:
    """Return whether two observations are equal to the bit."""
    return (
        all(np.array_equal(first.images[n], second.images[n]) for n in CAMERAS)
        and np.array_equal(first.joint_pos, second.joint_pos)
        and np.array_equal(first.ee_pose, second.ee_pose)
        and (first.time_s, first.gripper) == (second.time_s, second.gripper)
    )


def test_a_seed_repeats_to_the_bit(robot: TabletopRobot) -> None:
    """Two resets of one robot, with another scene between, and a second robot agree."""
    qpos, seen = rollout(robot, 11)
    other_qpos, other = rollout(robot, 12)
    assert not np.array_equal(qpos, other_qpos)
    assert not same(seen, other)
    again_qpos, again = rollout(robot, 11)
    assert np.array_equal(qpos, again_qpos)
    assert same(seen, again)
    second = TabletopRobot()
    try:
        second_qpos, second_seen = rollout(second, 11)
    finally:
        second.close()
    assert np.array_equal(qpos, second_qpos)
    assert same(seen, second_seen)


def test_another_world_goes_on_from_a_snapshot_to_the_bit() -> None:
    """Blocks are pushed, dropped and nudged, before the snapshot and after it."""
    spec = DisturbanceSpec(drop_per_s=0.3, shift_cm=1.0, nudge_per_s=0.5)
    first, second = TabletopRobot(spec), TabletopRobot(spec)
    rollout(first, 11)
    snapshot = json.loads(json.dumps(first.world.snapshot()))
    second.world.restore(snapshot)
    for robot in (first, second):
        robot.reset(None)
    rng = np.random.default_rng(8)
    for _ in range(20):
        action = np.array([*rng.uniform(-0.04, 0.04, 2), -0.02, 0.0, 0.0, 0.0, rng.uniform()])
        for robot in (first, second):
            robot.act(action)
        assert same(first.observe(), second.observe())
        assert np.array_equal(first.world.data.qvel, second.world.data.qvel)
    for robot in (first, second):
        robot.close()


def test_the_snapshot_of_another_table_is_refused(robot: TabletopRobot) -> None:
    snapshot = robot.world.snapshot()
    with pytest.raises(RobotError, match="another table"):
        robot.world.restore({**snapshot, "physics": snapshot["physics"][:-64]})


def test_it_keeps_the_protocol() -> None:
    """The checker that is offered to users finds nothing."""
    check_robot(TabletopRobot)


GOALS = [(0.5, 0.25, 0.25), (0.65, -0.2, 0.15), (0.35, -0.3, 0.2), (0.7, 0.25, 0.3), (0.6, 0, 0.1)]


def test_the_tool_reaches_poses_in_free_space(robot: TabletopRobot) -> None:
    """Deltas towards a pose bring the tool within 3 mm of it, fingers still down."""
    robot.reset(0)
    for goal in GOALS:
        for _ in range(25):
            step = np.clip(np.array(goal) - robot.world.ee_pose[:3], -0.04, 0.04)
            robot.act(np.array([*step, 0, 0, 0, 1.0]))
        assert np.linalg.norm(robot.world.ee_pose[:3] - goal) < 0.003
        assert abs(robot.world.ee_pose[3]) < 0.05
        assert abs(robot.world.ee_pose[6]) < 0.05


def test_deltas_add_up(robot: TabletopRobot) -> None:
    """An action moves as far as it says, along the axes of the base, and turns as far."""
    robot.reset(1)
    start = robot.world.ee_pose
    for _ in range(5):
        robot.act(np.array([0.01, 0.02, -0.01, 0, 0, 0.06, 1.0]))
    for _ in range(5):
        robot.act(STILL)
    moved = robot.world.ee_pose
    assert np.allclose(moved[:3] - start[:3], [0.05, 0.10, -0.05], atol=0.006)
    turned = 2 * (np.arctan2(moved[5], moved[4]) - np.arctan2(start[5], start[4]))
    assert turned == pytest.approx(0.3, abs=0.02)


def test_actions_are_clipped_and_returned(robot: TabletopRobot) -> None:
    """`act` returns what was sent; what was within limits comes back unchanged."""
    robot.reset(0)
    sent = robot.act(np.array([1, -1, 0.01, 3, -3, 0.1, 7.0]))
    step, turn = MAX_STEP_M, MAX_TURN_RAD
    assert sent == pytest.approx(np.array([step, -step, 0.01, turn, -turn, 0.1, 1.0]))
    assert np.array_equal(robot.act(STILL), STILL)
    assert robot.act(-STILL)[6] == 0.0


@pytest.mark.parametrize("index", [0, 5, 6])
def test_what_is_no_number_is_refused(robot: TabletopRobot, index: int) -> None:
    """A NaN raises, and neither time nor arm moves."""
    robot.reset(0)
    before, bad = robot.world.data.qpos.copy(), STILL.copy()
    bad[index] = np.nan
    with pytest.raises(ValueError, match="finite"):
        robot.act(bad)
    assert robot.world.time_s == 0.0
    assert np.array_equal(robot.world.data.qpos, before)


def test_observations_are_drawn_once_a_tick(robot: TabletopRobot) -> None:
    """Observing twice gives the same; acting gives another, a tenth of a second on."""
    first = robot.reset(0)
    assert robot.observe() is first
    robot.act(FAST)
    second = robot.observe()
    assert second is robot.observe()
    assert second.time_s == pytest.approx(first.time_s + 0.1)
    assert not np.array_equal(first.images["wrist"], second.images["wrist"])


def test_a_mission_without_a_seed_goes_on_in_the_world_as_it_is(robot: TabletopRobot) -> None:
    robot.reset(3)
    for _ in range(5):
        robot.act(np.array([0.02, 0.01, -0.02, 0, 0, 0, 0.0]))
    left = robot.observe()
    robot.stop()
    seen = robot.reset(None)
    assert (seen.time_s, left.time_s, robot.stopped) == (0.0, 0.5, False)
    assert np.array_equal(seen.joint_pos, left.joint_pos)
    assert all(np.array_equal(seen.images[name], left.images[name]) for name in CAMERAS)
    robot.act(np.zeros(7))
    assert robot.observe().time_s == 0.1


def test_a_stopped_robot_refuses_until_reset(robot: TabletopRobot) -> None:
    """The latch holds, and stopping twice is no error."""
    robot.reset(0)
    robot.stop()
    robot.stop()
    before = robot.world.data.qpos.copy()
    for _ in range(2):
        with pytest.raises(RobotStopped, match="until the next command"):
            robot.act(FAST)
    assert robot.stopped
    assert np.array_equal(robot.world.data.qpos, before)
    robot.reset(0)
    assert not robot.stopped
    robot.act(FAST)


def drift(world: TabletopWorld, ticks: int) -> float:
    """Return how far any joint is from here in rad, at most, over so many ticks of physics."""
    start, far = world.joint_pos, 0.0
    away = world.ee_pose + np.array([0.2, 0.2, 0, 0, 0, 0, 0])
    for _ in range(ticks):
        world.step(away, 1.0, lambda: True)
        far = max(far, float(np.abs(world.joint_pos - start).max()))
    return far


def assert_held(world: TabletopWorld) -> None:
    """Check that the arm brakes at once, within two periods, and does not move from then on."""
    assert drift(world, 2) < 0.01
    assert drift(world, 10) < 0.001


def late(asked: Iterator[int], asks: int) -> bool:
    """Return whether this was asked more than so many times."""
    return next(asked) >= asks


def test_stop_within_a_step_holds_the_arm_where_it_is(robot: TabletopRobot) -> None:
    """The arm lags its targets by a lot at speed: it must not go on to them once stopped."""
    for asks in (1, 8, 15):
        robot.reset(2)
        for _ in range(4):
            robot.act(FAST)
        asked, goal = count(), robot.world.ee_pose + np.array([0.08, 0.06, 0, 0, 0, 0, 0])
        robot.world.step(goal, 1.0, partial(late, asked, asks))
        assert_held(robot.world)


def test_a_second_stop_in_the_same_world_holds_the_arm_as_the_first_did(
    robot: TabletopRobot,
) -> None:
    robot.reset(2)
    for way in (1, -1):
        move = FAST * np.array([way] * 6 + [1])
        for _ in range(4):
            robot.act(move)
        goal = robot.world.ee_pose + np.array([0.08, 0.06, 0, 0, 0, 0, 0]) * way
        robot.world.step(goal, 1.0, partial(late, count(), 8))
        assert_held(robot.world)
        robot.reset(None)


def test_a_pause_holds_the_arm_in_mid_act_and_lets_it_go_on() -> None:
    """It asks once before each step of physics: the pause comes after the eighth."""
    asked = count()
    robot = TabletopRobot(held=lambda: 8 <= next(asked) < 40)
    try:
        robot.reset(2)
        robot.world.step(robot.world.ee_pose, 1.0)
        robot.act(FAST)
        held = robot.world.ee_pose
        assert_held(robot.world)
        assert not robot.stopped
        for _ in range(3):
            robot.act(FAST)
        assert np.linalg.norm((robot.world.ee_pose - held)[:3]) > 0.05
    finally:
        robot.close()


def test_stop_from_another_thread_in_mid_act(
    robot: TabletopRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that arrives while the arm moves is heeded before the act is over."""
    robot.reset(2)
    for _ in range(4):
        robot.act(FAST)
    asked, step, stopped_at = count(), robot.world.step, []

    def step_and_press(pose: Vector, opening: float, halted: Callable[[], bool]) -> None:
        def press_after_five() -> bool:
            if next(asked) == 5:
                thread = threading.Thread(target=robot.stop)
                thread.start()
                thread.join()
                stopped_at.append(robot.world.time_s)
            return halted()

        step(pose, opening, press_after_five)

    monkeypatch.setattr(robot.world, "step", step_and_press)
    robot.act(FAST)
    monkeypatch.undo()
    assert 0.4 < stopped_at[0] < 0.45
    assert robot.stopped
    assert_held(robot.world)
    with pytest.raises(RobotStopped):
        robot.act(FAST)


HUES: dict[str, Callable[[Vector, Vector, Vector], npt.NDArray[np.bool_]]] = {
    "red block": lambda r, g, b: (r > 2 * g) & (r > 2 * b),
    "green block": lambda r, g, b: (g > 1.6 * r) & (g > 1.6 * b),
    "yellow block": lambda r, g, b: (r > 3 * b) & (g > 3 * b) & (r > 90),
    "blue": lambda r, g, b: (b > 1.8 * r) & (b > 1.5 * g),
    "can": lambda r, g, b: (g > 2 * r) & (b > 2 * r) & (abs(g - b) < 0.4 * b),
    "button": lambda r, g, b: (r > 2 * g) & (b > 2 * g) & (b > 0.5 * r),
}
LEAST_PIXELS = 5


def test_images_show_what_is_there(robot: TabletopRobot) -> None:
    """The front camera shows the colours of what is on the table, and of nothing else."""
    for seed in range(20):
        images = robot.reset(seed).images
        for name, (height, width) in CAMERAS.items():
            assert images[name].shape == (height, width, 3)
            assert images[name].dtype == np.uint8
            assert images[name].std() > 15
        there = {n for n, o in robot.world.truth().objects.items() if o.support != "drawer"}
        channels = np.moveaxis(images["front"].astype(float), -1, 0)
        for hue, mask in HUES.items():
            pixels = int(mask(*channels).sum())
            if any(name.startswith(hue) for name in there):
                assert pixels >= LEAST_PIXELS, (seed, hue)
            elif not any(name.startswith(hue) for name in robot.world.layout.scene.objects):
                assert pixels <= 3, (seed, hue)


def tip_patch(robot: TabletopRobot, image: Image) -> Image:
    """Return the pixels around the tool point, found by projecting it into the wrist image."""
    data, camera = robot.world.data, robot.world.model.camera("wrist")
    offset = robot.world.ee_pose[:3] - data.cam_xpos[camera.id]
    x, y, z = data.cam_xmat[camera.id].reshape(3, 3).T @ offset
    height, width = image.shape[:2]
    focal = height / 2 / np.tan(np.radians(camera.fovy[0]) / 2)
    column, row = round(width / 2 - focal * x / z), round(height / 2 + focal * y / z)
    assert 4 <= row < height - 4
    assert 4 <= column < width - 4
    return image[row - 3 : row + 4, column - 3 : column + 4]


def test_the_wrist_camera_sees_the_finger_tips(robot: TabletopRobot) -> None:
    """At the tool point it sees the table between open fingers, and the fingers when closed."""
    robot.reset(4)
    robot.world.model.geom_rgba[robot.world.model.geom("table").id, :3] = (0.1, 0.6, 0.1)
    pictures = []
    for opening in (1.0, 0.0):
        for _ in range(8):
            robot.act(np.array([0, 0, 0, 0, 0, 0, opening]))
        pictures.append(tip_patch(robot, robot.world.render("wrist")).reshape(-1, 3).mean(0))
    open_, closed = pictures
    assert open_[1] > 2 * open_[0]
    assert closed[1] < 1.3 * closed[0]
