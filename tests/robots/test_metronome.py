"""A simulated world on the wall clock goes on without being asked to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from agent.robots.tabletop.metronome import Metronome
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import RATE_HZ
from tests.virtual import VirtualTime

DOWN = np.array([0.0, 0.0, -0.03, 0.0, 0.0, 0.0, 1.0])


def test_a_period_ends_so_long_after_the_last_one() -> None:
    time = VirtualTime()
    pace = Metronome(0.1, time.clock, time.sleep)
    for thought_s in (0.0, 0.03, 0.09):
        began_s = time.now_s
        time.sleep(thought_s)
        assert pace.missed() == 0
        pace.wait()
        assert time.now_s - began_s == pytest.approx(0.1)


def test_periods_without_an_action_are_told_once() -> None:
    time = VirtualTime()
    pace = Metronome(0.1, time.clock, time.sleep)
    time.sleep(0.27)
    assert (pace.missed(), pace.missed()) == (2, 0)
    pace.wait()
    assert time.now_s == pytest.approx(0.3)


def test_a_machine_that_is_too_slow_does_not_pay_for_it_later() -> None:
    time = VirtualTime()
    pace = Metronome(0.1, time.clock, time.sleep)
    time.sleep(0.13)
    pace.wait()
    assert pace.missed() == 0 and time.now_s == pytest.approx(0.13)


@pytest.fixture(scope="module")
def timed() -> Iterator[tuple[TabletopRobot, VirtualTime]]:
    time = VirtualTime()
    robot = TabletopRobot(metronome=Metronome(1 / RATE_HZ, time.clock, time.sleep))
    yield robot, time
    robot.close()


def test_it_stands_and_holds_while_nobody_tells_it_anything(
    timed: tuple[TabletopRobot, VirtualTime],
) -> None:
    robot, time = timed
    robot.reset(1)
    for _ in range(3):
        robot.act(DOWN)
    seen = robot.observe()
    assert seen.time_s == pytest.approx(0.3) and time.now_s == pytest.approx(0.3)
    time.sleep(2.05)
    later = robot.observe()
    assert later.time_s == pytest.approx(2.3)
    assert robot.observe() is later
    # It still comes to where it was told to go, and not further.
    assert np.linalg.norm(later.ee_pose[:3] - seen.ee_pose[:3]) < 0.03
    robot.act(DOWN)
    assert robot.observe().time_s == pytest.approx(2.4)


def test_thinking_for_less_than_a_period_costs_nothing(
    timed: tuple[TabletopRobot, VirtualTime],
) -> None:
    robot, time = timed
    seen = []
    for thought_s in (0.0, 0.08):
        time.now_s = robot.reset(2).time_s
        robot.reset(2)
        for _ in range(4):
            time.sleep(thought_s)
            robot.act(DOWN)
        seen.append(robot.observe())
    assert np.array_equal(seen[0].ee_pose, seen[1].ee_pose)
    assert seen[0].time_s == seen[1].time_s
