from __future__ import annotations

import time

import numpy as np
import pytest

from agent.robots.pace import Pace
from agent.robots.tabletop.drive import Drive
from tests.virtual import VirtualTime


def test_steps_keep_to_the_wall_clock_and_make_up_for_what_takes_time() -> None:
    time = VirtualTime()
    pace = Pace(0.004, time.clock, time.sleep)
    first_s = pace.stamp_s
    for step in range(50):
        pace.step()
        if step == 20:
            time.sleep(0.05)
    assert time.now_s == pytest.approx(0.2)
    assert pace.stamp_s - first_s == pytest.approx(0.2)
    assert pace.lost_s == 0.0


def test_time_that_cannot_be_made_up_for_is_let_go_and_counted() -> None:
    time = VirtualTime()
    pace = Pace(0.004, time.clock, time.sleep)
    first_s = pace.stamp_s
    time.sleep(0.3)
    pace.step()
    assert pace.lost_s == pytest.approx(0.296)
    assert pace.stamp_s - first_s == pytest.approx(0.3)
    time.sleep(0.05)
    pace.count()
    assert pace.late == 1
    assert pace.worst_s == pytest.approx(0.05)


def test_stamps_are_of_the_clock_of_the_system() -> None:
    assert Pace(0.004).stamp_s == pytest.approx(time.time(), abs=5.0)


def test_targets_are_led_to_the_goal_and_stay_there() -> None:
    drive, goal = Drive(np.zeros(7)), np.full(7, 0.5)
    drive.aim(goal, 5)
    for _ in range(5):
        drive.advance()
    assert drive.targets == pytest.approx([0.5] * 7)
    drive.advance()
    assert drive.targets == pytest.approx([0.5] * 7)
    drive.hold(np.full(7, 0.4))
    drive.hold(np.full(7, 0.3))
    assert drive.holding
    assert drive.targets == pytest.approx([0.4] * 7)
    drive.aim(np.zeros(7), 1)
    drive.advance()
    assert not drive.holding
    assert drive.targets == pytest.approx([0.0] * 7)
