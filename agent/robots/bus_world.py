"""The tabletop as a robot on a ROS 2 bus, in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agent.errors import ConfigError, MessageError, UsageError
from agent.robots.pace import Pace
from agent.robots.panda import ARM_JOINTS
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.scenes import WHOLE
from agent.robots.ros2.senses import KINDS
from agent.robots.ros2.truth import QOS, encoded
from agent.robots.tabletop.disturbances import DisturbanceSpec
from agent.robots.tabletop.model import TIMESTEP_S
from agent.robots.tabletop.senses import Senses
from agent.robots.tabletop.world import CAMERAS, PERIOD_SLICES, TabletopWorld
from agent.ros.bus import LATCHED, Bus, Qos
from agent.ros.messages import (
    FLOATS,
    JOINTS,
    TEXT,
    action_of,
    compressed_image,
    joint_state,
    raw_image,
    seconds_of,
    text,
)
from agent.sections import RobotConfig

_JOINT_SLICES = 5
"""Steps of physics from one message of joint states to the next: 50 a second."""
_DISCOVERY_S = 1.0


class BusWorld:
    """Publishes pictures and joint states, and goes where it is told.

    It takes joint targets as they come and leads the arm there by the time that the command's
    stamp says, within one period at the most; what is past is at once.
    """

    def __init__(self, config: RobotConfig, bus: Bus, seed: int) -> None:
        """Lay out the scene of a seed and advertise it.

        Raises:
            ConfigError: The configuration is of another robot.
            UsageError: The domain has such a world already.
        """
        self._ros, self._bus = config.ros2, bus
        _demand_tabletop(config)
        _demand_alone(config, bus)
        self._disturbed = DisturbanceSpec(**config.disturbances.model_dump())
        self._senses = Senses(self._disturbed)
        self._world = TabletopWorld(self._disturbed)
        self._names = (*self._ros.joints.names, *self._ros.gripper.names)
        self._command: Any = None
        self._asked: int | None = seed
        self._opening = 1.0
        self._offsets = ArmJoints.of(self._ros).offsets
        # When joint states were told last, and where the fingers were, whose speed is reckoned.
        self._told = (0.0, self._ros.gripper.open)
        self._joints = bus.advertise(self._ros.joints.topic, JOINTS, Qos(depth=10))
        self._cameras = {
            name: bus.advertise(camera.topic, KINDS[camera.kind], Qos(depth=2))
            for name, camera in self._ros.cameras.items()
        }
        simulated = self._ros.simulated
        self._ready: Callable[[Any], None] | None = None
        if simulated.reset is not None and simulated.ready is not None:
            self._ready = bus.advertise(simulated.ready, WHOLE, LATCHED)
            bus.listen(simulated.reset, WHOLE, Qos(depth=1), self._on_reset)
        self._truth: Callable[[Any], None] | None = None
        if simulated.truth is not None:
            self._truth = bus.advertise(simulated.truth, TEXT, QOS)
        command = self._ros.command
        kind = JOINTS if command.kind == "joint_state" else FLOATS
        bus.listen(command.topic, kind, Qos(reliable=command.reliable, depth=1), self._on_command)
        self._pace = Pace(TIMESTEP_S)
        self._ticks, self._refused = 0, ""

    @property
    def account(self) -> str:
        """How well the world kept its pace, in one sentence."""
        pace = self._pace
        refused = f" A command was refused: {self._refused}" if self._refused else ""
        return (
            f"{self._ticks} ticks, {pace.late} of them late, the latest by "
            f"{pace.worst_s * 1e3:.0f} ms; {pace.lost_s:.2f} s were not simulated.{refused}"
        )

    def run(self, ended: Callable[[], bool]) -> None:
        """Go on, period by period, until `ended`."""
        while not ended():
            if self._asked is not None:
                self._lay_out(self._asked)
            self._period()

    def close(self) -> None:
        """Release the renderers."""
        self._world.close()

    def _period(self) -> None:
        world = self._world
        world.begin(self._opening)
        for index in range(1, PERIOD_SLICES + 1):
            self._pace.step()
            self._obey()
            world.advance()
            if index % _JOINT_SLICES == 0 and index < PERIOD_SLICES:
                self._tell_joints()
        world.finish()
        self._pace.count()
        self._ticks += 1
        self._tell_joints()
        self._show()
        if self._truth is not None:
            self._truth(text(self._bus, encoded(world.truth())))

    def _obey(self) -> None:
        """Do what was told last, if that is new."""
        command, self._command = self._command, None
        if command is None:
            return
        try:
            targets = action_of(command, self._names)
        except MessageError as error:
            self._refused = str(error)
            return
        if not np.all(np.isfinite(targets)):
            self._refused = "A command holds what is no finite number."
            return
        slices = PERIOD_SLICES
        if self._ros.command.kind == "joint_state":
            left_s = seconds_of(command.header.stamp) - self._pace.stamp_s
            slices = int(np.clip(round(left_s / TIMESTEP_S), 1, PERIOD_SLICES))
        arm = len(self._ros.joints.names)
        self._world.aim(targets[:arm] + self._offsets, slices)
        shut, wide = self._ros.gripper.closed, self._ros.gripper.open
        opening = float(np.mean((targets[arm:] - shut) / (wide - shut)))
        self._opening = min(max(opening, 0.0), 1.0)
        self._world.grip(self._opening)

    def _tell_joints(self) -> None:
        gripper, world, stamp_s = self._ros.gripper, self._world, self._pace.stamp_s
        finger = gripper.closed + world.gripper * (gripper.open - gripper.closed)
        fingers = np.full(len(gripper.names), finger)
        passed_s = max(stamp_s - self._told[0], TIMESTEP_S)
        speeds = np.append(world.joint_vel, (fingers - self._told[1]) / passed_s)
        self._told = stamp_s, finger
        positions = np.append(world.joint_pos - self._offsets, fingers)
        self._joints(joint_state(self._bus, stamp_s, self._names, positions, speeds))

    def _show(self) -> None:
        """Publish what the cameras see, as far as nothing befalls them."""
        world, stamp_s = self._world, self._pace.stamp_s
        taken = {name: world.render(name) for name in self._ros.cameras}
        for name, image in self._senses(round(world.time_s, 6), taken).items():
            compressed = self._ros.cameras[name].kind == "compressed"
            message = (compressed_image if compressed else raw_image)(self._bus, image, stamp_s)
            self._cameras[name](message)

    def _lay_out(self, seed: int) -> None:
        self._asked = self._command = None
        self._world.reset(seed)
        self._opening, self._senses = 1.0, Senses(self._disturbed)
        self._pace.restart()
        if self._ready is not None:
            self._ready(self._bus.message(WHOLE)(data=seed))

    def _on_command(self, message: Any) -> None:
        self._command = message

    def _on_reset(self, message: Any) -> None:
        self._asked = int(message.data)


def _demand_tabletop(config: RobotConfig) -> None:
    """Raise where a configuration is of a robot that this world is not."""
    if config.kind != "ros2":
        raise ConfigError("A world on the bus needs robot.kind ros2; see configs/ros2_world.yaml.")
    sizes = {name: camera.size for name, camera in config.ros2.cameras.items()}
    if sizes != CAMERAS:
        raise ConfigError(
            f"The world's cameras are {_listed(CAMERAS)}, and robot.ros2.cameras has "
            f"{_listed(sizes)}."
        )
    if len(config.ros2.joints.names) != len(ARM_JOINTS):
        raise ConfigError(
            f"The world's arm has {len(ARM_JOINTS)} joints, and robot.ros2.joints.names "
            f"{len(config.ros2.joints.names)}."
        )


def _listed(cameras: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} of {width}x{height}" for name, (height, width) in cameras.items())


def _demand_alone(config: RobotConfig, bus: Bus) -> None:
    """Raise where somebody else publishes what this world would."""
    until_s, topic = time.monotonic() + _DISCOVERY_S, config.ros2.joints.topic
    while time.monotonic() < until_s:
        if topic in bus.topics():
            raise UsageError(
                f"The ROS domain has a robot already that publishes {topic}; end it, or take "
                "another domain with --set robot.ros2.domain=N."
            )
        time.sleep(_DISCOVERY_S / 20)
