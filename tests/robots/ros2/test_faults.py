from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

import numpy as np
import pytest

from agent.errors import CameraLost, RobotLost, RobotStopped
from agent.robots.ros2.robot import Ros2Robot
from agent.ros.bus import LATCHED, Qos
from agent.ros.opening import open_bus
from tests.robots.ros2.puppet import ARM, FINGERS, HOME, OTHER, Puppet, config
from tests.ros.domains import OWN
from tests.waiting import wait_until

_MOVE = np.array([0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5])
_NOTICED_S, _AT_ONCE_S = 2.0, 1.0
"""The puppet's messages may be 0.25 s old; the rest is for a busy machine. How fast a stop is for
the arm is measured by `tests.benchmarks.emergency_stop`.
"""


def _set(name: str, value: object) -> Callable[[Puppet], None]:
    return lambda puppet: setattr(puppet, name, value)


def _stand_still(stream: str) -> Callable[[Puppet], None]:
    return lambda puppet: puppet.still.update({stream: time.time()})


def _come_to_rest(puppet: Puppet) -> None:
    """Wait until it is told nothing more; a hold is told again while the arm comes to rest."""
    told = -1
    while told != len(puppet.commands):
        told = len(puppet.commands)
        time.sleep(0.25)


def _begins(robot: Ros2Robot) -> bool:
    """Begin a mission; that is refused until the release of the stop has come through."""
    with suppress(RobotStopped):
        robot.reset(None)
    return not robot.stopped


def _nan(puppet: Puppet) -> None:
    puppet.obeys = False
    puppet.positions = np.append(np.full(7, np.nan), [0.04, 0.04])


_FAULTS: dict[str, tuple[Callable[[Puppet], None], type[RobotStopped], str]] = {
    "dead camera": (_set("mute", {"wrist"}), CameraLost, "/wrist, for 0.25 s nothing comes."),
    "stamps of a camera stand still": (_stand_still("front"), CameraLost, "stand still"),
    "stamps of a camera jump back": (_set("shift_s", {"front": -9.0}), CameraLost, "jump back"),
    "stamps of a camera jump ahead": (_set("shift_s", {"wrist": 9.0}), CameraLost, "jump ahead"),
    "a camera lags": (_set("shift_s", {"front": -0.4}), CameraLost, "'front'"),
    "no pictures": (_set("broken", True), CameraLost, "neither JPEG nor PNG"),
    "pictures of another size": (_set("size", (6, 8)), CameraLost, "8x6 pixels instead of 16x12"),
    "no joint states": (_set("mute", {"joints"}), RobotLost, "for 0.25 s nothing comes."),
    "stamps of joints stand still": (_stand_still("joints"), RobotLost, "stand still"),
    "stamps of joints jump back": (_set("shift_s", {"joints": -9.0}), RobotLost, "jump back"),
    "stamps of joints jump ahead": (_set("shift_s", {"joints": 9.0}), RobotLost, "jump ahead"),
    "joints lag": (_set("shift_s", {"joints": -0.4}), RobotLost, "/joint_states"),
    "a joint is missing": (_set("names", (*ARM[:6], *FINGERS)), RobotLost, "'arm_7'"),
    "a joint is no number": (_nan, RobotLost, "'arm_1' is no finite number"),
}


@pytest.mark.parametrize(("plant", "kind", "words"), _FAULTS.values(), ids=_FAULTS)
def test_what_is_lost_holds_the_arm_and_is_said(
    robot: Ros2Robot,
    puppet: Puppet,
    plant: Callable[[Puppet], None],
    kind: type[RobotStopped],
    words: str,
) -> None:
    puppet.obeys = False
    for _ in range(3):
        robot.act(_MOVE)
    puppet.commands.clear()
    plant(puppet)
    began_s = time.monotonic()
    with pytest.raises(RobotStopped):
        while time.monotonic() < began_s + 5.0:
            robot.act(_MOVE)
    assert time.monotonic() - began_s < _NOTICED_S
    assert robot.stopped
    assert isinstance(robot.fault, kind)
    assert words in str(robot.fault)
    # What is told last is to stay: where the joints were, and not the target ahead of them.
    _come_to_rest(puppet)
    assert puppet.told_last() == pytest.approx(list(HOME))
    last = robot.observe()
    assert robot.observe() is last
    told = len(puppet.commands)
    with pytest.raises(RobotStopped):
        robot.act(_MOVE)
    time.sleep(0.05)
    assert len(puppet.commands) == told


def test_a_robot_that_is_lost_is_lost_without_an_action_too(
    robot: Ros2Robot, puppet: Puppet
) -> None:
    puppet.mute = {"front"}
    began_s = time.monotonic()
    while not robot.stopped and time.monotonic() < began_s + 5.0:
        robot.observe()
    assert isinstance(robot.fault, CameraLost)
    assert time.monotonic() - began_s < _NOTICED_S


def test_a_mission_cannot_begin_with_a_dead_camera_and_can_once_it_lives(
    robot: Ros2Robot, puppet: Puppet
) -> None:
    puppet.mute = {"wrist"}
    with pytest.raises(CameraLost, match="'wrist' on /wrist"):
        robot.reset(None)
    puppet.mend()
    assert robot.reset(None).time_s == 0.0
    assert robot.fault is None and not robot.stopped
    robot.act(_MOVE)


def test_one_late_picture_is_no_fault(robot: Ros2Robot, puppet: Puppet) -> None:
    puppet.mute = {"front"}
    threading.Timer(0.1, puppet.mute.clear).start()
    for _ in range(6):
        robot.act(_MOVE)
    assert not robot.stopped


@pytest.mark.parametrize("reliable", [True, False])
def test_an_emergency_stop_holds_from_the_thread_of_the_bus(
    robot: Ros2Robot, puppet: Puppet, opened: Ros2Robot, reliable: bool
) -> None:
    qos = Qos(reliable=reliable)
    press = opened.bus.advertise("/emergency_stop", "std_msgs/msg/Bool", qos)
    made = opened.bus.message("std_msgs/msg/Bool")
    puppet.obeys = False
    for _ in range(3):
        robot.act(_MOVE)
    assert puppet.commands[-1][ARM[3]] != pytest.approx(HOME[3])
    press(made(data=False))
    time.sleep(0.05)
    assert not robot.stopped
    puppet.commands.clear()
    puppet.told.clear()
    began_s = time.monotonic()
    press(made(data=True))
    # Nobody calls the robot meanwhile.
    assert puppet.told.wait(2.0)
    assert time.monotonic() - began_s < _AT_ONCE_S
    assert robot.stopped and robot.fault is None
    assert puppet.told_last() == pytest.approx(list(HOME))
    with pytest.raises(RobotStopped):
        robot.act(_MOVE)
    # No command clears it before it is released.
    with pytest.raises(RobotStopped, match="'/emergency_stop' is pressed"):
        robot.reset(None)
    assert robot.stopped
    press(made(data=False))
    time.sleep(0.1)
    assert robot.stopped
    wait_until(lambda: _begins(robot))
    assert not robot.stopped


def test_an_emergency_stop_that_was_latched_before_is_heard(puppet: Puppet) -> None:
    puppet.mend()
    with closing(open_bus("dds", OWN, loopback=True)) as button:
        made = button.message("std_msgs/msg/Bool")
        press = button.advertise("/latched_stop", "std_msgs/msg/Bool", LATCHED)
        press(made(data=True))
        asked = config(OWN, emergency_stop="/latched_stop", command={"topic": OTHER})
        with closing(Ros2Robot(asked, open_bus("dds", OWN, loopback=True))) as robot:
            assert robot.stopped
            with pytest.raises(RobotStopped, match="is pressed"):
                robot.reset(None)
            press(made(data=False))
            wait_until(lambda: _begins(robot))


def test_a_stop_from_another_thread_ends_an_action(robot: Ros2Robot, puppet: Puppet) -> None:
    puppet.mute = {"front"}
    threading.Timer(0.05, robot.stop).start()
    began_s = time.monotonic()
    robot.act(_MOVE)
    assert time.monotonic() - began_s < _AT_ONCE_S
    assert robot.stopped and robot.fault is None
    robot.stop()


def test_a_hand_that_grips_goes_on_gripping(robot: Ros2Robot, puppet: Puppet) -> None:
    puppet.obeys = False
    puppet.positions = np.append(HOME, [0.02, 0.02])
    robot.act(np.array([0.0] * 7))
    robot.stop()
    _come_to_rest(puppet)
    assert puppet.told_last(FINGERS) == [0.0, 0.0]
    assert puppet.told_last() == pytest.approx(list(HOME))
