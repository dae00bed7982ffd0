from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from agent.errors import BosunError, ConfigError
from agent.robots.ros2.robot import Ros2Robot
from agent.ros.bus import Qos
from agent.ros.messages import JOINTS, TEXT
from agent.ros.opening import open_bus
from tests.robots.ros2.puppet import ARM, FINGERS, HOME, OTHER, SIZE, Puppet, Simulator, config
from tests.ros.domains import OWN

_ELSEWHERE = {"command": {"topic": OTHER}}
_FRONT = {"topic": "/front", "size": SIZE}
_WRIST = {"topic": "/wrist", "kind": "raw", "size": SIZE}


def _cameras(**changed: Any) -> dict[str, Any]:
    return {"cameras": {"front": {**_FRONT, **changed}, "wrist": _WRIST}}


def _limits(**changed: tuple[float, float]) -> dict[str, Any]:
    limits = dict.fromkeys(ARM, (-3.0, 3.0)) | changed
    return {
        "limits": {
            name: {"low": low, "high": high, "velocity": 2.0}
            for name, (low, high) in limits.items()
        }
    }


def _joints(*names: str, **changed: Any) -> dict[str, Any]:
    limits = {name: {"low": -3.0, "high": 3.0, "velocity": 2.0} for name in names}
    return {"joints": {"names": names, **changed}, "limits": limits}


_MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "topic absent": (_cameras(topic="/frnt"), r"cameras.front.topic: .*'/frnt'.*mean '/front'"),
    "joint topic absent": (_joints(*ARM, topic="/joints"), r"joints.topic: .*mean '/joint_states'"),
    "wrong type": (
        _cameras(kind="raw"),
        r"/front carries sensor_msgs/msg/CompressedImage, not sensor_msgs/msg/Image",
    ),
    "wrong size": (_cameras(size=(16, 12)), r"'front' shows 16x12 pixels instead of 12x16"),
    "joint absent": (
        _joints(*ARM[:6], "arm_71"),
        r"joints.names: .*no joint 'arm_71'.*mean 'arm_7'",
    ),
    "finger absent": (
        {"gripper": {"names": ("finger_leftt", "finger_right")}},
        r"'finger_leftt'.*mean 'finger_left'",
    ),
    "beyond limits": (
        _limits(arm_4=(-2.0, 0.0)) | {"home": (0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0)},
        r"limits.arm_4: the joint stands at -2.500 rad, beyond -2 to 0",
    ),
    "too slow": ({"rate_hz": 60.0}, r"cameras.\w+: pictures come \d+ times a second"),
    "no answer to seeds": (
        {"simulated": {"reset": "/reset", "ready": "/reddy"}},
        r"simulated.ready: There is no topic '/reddy'",
    ),
    "too few joints": (
        _joints(*ARM[:6]) | {"home": tuple(HOME[:6])},
        r"'panda' has 7 joints, but robot.ros2.joints.names has 6",
    ),
}


@pytest.mark.parametrize(("changes", "words"), _MISFITS.values(), ids=_MISFITS)
def test_what_does_not_fit_is_named_and_nothing_moves(
    puppet: Puppet, changes: dict[str, Any], words: str
) -> None:
    puppet.mend()
    puppet.commands.clear()
    with closing(open_bus("dds", OWN, loopback=True)) as bus:
        with pytest.raises(ConfigError, match=words) as raised:
            Ros2Robot(config(OWN, **{**_ELSEWHERE, **changes}), bus)
        assert str(raised.value).startswith(("robot.ros2", "tool.model"))
    assert puppet.commands == []


def _nan(puppet: Puppet) -> None:
    puppet.positions = np.append(np.full(7, np.nan), [0.0, 0.0])


def _silent(puppet: Puppet) -> None:
    puppet.mute = {"wrist"}


def _another_clock(puppet: Puppet) -> None:
    puppet.shift_s = {"joints": -0.2}


_BROKEN: dict[str, tuple[Callable[[Puppet], None], str]] = {
    "no numbers": (_nan, r"joints.names: .*'arm_1' is no finite number"),
    "a silent camera": (_silent, r"cameras.wrist: .*nothing comes"),
    "two clocks": (_another_clock, r"different clocks"),
}


@pytest.mark.parametrize(("plant", "words"), _BROKEN.values(), ids=_BROKEN)
def test_a_robot_that_is_broken_from_the_start_is_refused(
    puppet: Puppet, plant: Callable[[Puppet], None], words: str
) -> None:
    puppet.mend()
    plant(puppet)
    puppet.commands.clear()
    with (
        closing(open_bus("dds", OWN, loopback=True)) as bus,
        pytest.raises(ConfigError, match=words),
    ):
        Ros2Robot(config(OWN, **_ELSEWHERE), bus)
    assert puppet.commands == []


def test_an_arm_that_somebody_else_commands_is_left_alone(puppet: Puppet) -> None:
    puppet.mend()
    with (
        closing(open_bus("dds", OWN, loopback=True)) as other,
        closing(open_bus("dds", OWN, loopback=True)) as bus,
    ):
        other.advertise(OTHER, JOINTS, Qos())
        with pytest.raises(ConfigError, match=r"somebody else publishes on /other_commands"):
            Ros2Robot(config(OWN, **_ELSEWHERE), bus)


def test_an_emergency_stop_that_could_not_be_heard_is_refused(puppet: Puppet) -> None:
    puppet.mend()
    with (
        closing(open_bus("dds", OWN, loopback=True)) as other,
        closing(open_bus("dds", OWN, loopback=True)) as bus,
    ):
        other.advertise("/button", TEXT, Qos())
        with pytest.raises(ConfigError, match=r"emergency_stop: /button carries .*String, not"):
            Ros2Robot(config(OWN, emergency_stop="/button", **_ELSEWHERE), bus)


def test_the_scene_of_a_seed_is_asked_for_and_waited_for(puppet: Puppet) -> None:
    puppet.mend()
    with closing(open_bus("dds", OWN, loopback=True)) as world:
        simulator = Simulator(world)
        asks = config(OWN, simulated={"reset": "/reset", "ready": "/ready"}, **_ELSEWHERE)
        with closing(Ros2Robot(asks, open_bus("dds", OWN, loopback=True))) as robot:
            for seed in (4, 4, 5):
                assert robot.reset(seed).time_s == 0.0
            robot.reset(None)
            assert simulator.asked == [4, 4, 5]
            simulator.answers = False
            with pytest.raises(BosunError, match=r"did not lay out scene 6 within 1 s"):
                robot.reset(6)


_URDF = """<robot name="arm">
<link name="base"/>
<link name="upper"/>
<link name="lower"><visual><geometry><mesh filename="package://none/lower.stl"/></geometry></visual>
</link>
<link name="tip"/>
<joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
<axis xyz="0 0 1"/><limit lower="-2" upper="2" effort="1" velocity="1"/></joint>
<joint name="elbow" type="revolute"><parent link="upper"/><child link="lower"/>
<origin xyz="0.5 0 0"/><axis xyz="0 0 1"/>
<limit lower="-2" upper="2" effort="1" velocity="1"/></joint>
<joint name="fixed" type="fixed"><parent link="lower"/><child link="tip"/>
<origin xyz="0.25 0 0"/></joint>
</robot>"""


def _two_joints(model: str, frame: str, *names: str) -> dict[str, Any]:
    return {
        **_joints(*names),
        "home": (0.0, 0.0),
        "tool": {"model": model, "frame": frame},
        "gripper": {"names": FINGERS},
    }


def test_the_tool_of_a_urdf_is_carried_by_its_joints(tmp_path: Any) -> None:
    from agent.robots.ros2.tool import kinematics_of

    file = tmp_path / "arm.urdf"
    file.write_text(_URDF)
    arm = kinematics_of(config(OWN, **_two_joints(str(file), "tip", "shoulder", "elbow")))
    assert arm is not None
    assert arm.pose(np.array([0.0, 0.0]))[:3] == pytest.approx([0.75, 0.0, 0.0])
    assert arm.pose(np.array([0.0, np.pi / 2]))[:3] == pytest.approx([0.5, 0.25, 0.0])
    for frame, names, words in (
        ("tipp", ("shoulder", "elbow"), "no frame of .* 'tipp'.*mean 'tip'"),
        ("tip", ("shoulder", "elbo"), "no joint of .* 'elbo'.*mean 'elbow'"),
    ):
        with pytest.raises(ConfigError, match=words):
            kinematics_of(config(OWN, **_two_joints(str(file), frame, *names)))
    file.write_text("<robot")
    with pytest.raises(ConfigError, match="is no model of an arm"):
        kinematics_of(config(OWN, **_two_joints(str(file), "tip", "shoulder", "elbow")))
    with pytest.raises(ConfigError, match="There is no file"):
        kinematics_of(config(OWN, **_two_joints(f"{file}x", "tip", "shoulder", "elbow")))
