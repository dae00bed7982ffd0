"""What is told to a robot's joints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from agent.errors import RobotStopped
from agent.robots.ros2.joints import ArmJoints
from agent.ros.bus import Bus, Qos
from agent.ros.messages import FLOATS, JOINTS, joint_state, numbers
from agent.sections import Ros2Config
from agent.types import Vector

_SETTLES_S = 0.12
"""For how long an arm that is held is told again where it is, s."""
_AGAIN_S = 0.015
_KINDS = {"joint_state": JOINTS, "float64_multi_array": FLOATS}


class Commands:
    """Publishes joint targets, and never one that is no number or beyond the limits."""

    def __init__(self, config: Ros2Config, bus: Bus, latched: Callable[[], bool]) -> None:
        """Advertise.

        Args:
            config: Which topic, joints and limits.
            bus: Carries the commands.
            latched: Whether nothing but holding may be told any more.
        """
        self._config, self._bus, self._latched = config, bus, latched
        command = config.command
        self._publish = bus.advertise(
            command.topic, _KINDS[command.kind], Qos(reliable=command.reliable, depth=1)
        )
        self._arm = ArmJoints.of(config)
        self._fingers: Vector | None = None
        self._held_s = self._settled_s = float("-inf")
        # Between asking for the latch and publishing nobody may hold, or the arm would move on.
        self._sending = threading.Lock()

    def begin(self) -> None:
        """Forget what the gripper was told."""
        self._fingers = None

    def send(self, joints: Vector, opening: float, due_s: float) -> None:
        """Tell joints where to be.

        Args:
            joints: (n,) rad, zeros as the policy has them.
            opening: Of the gripper, 0..1.
            due_s: When they shall be there, s of the robot's clock.

        Raises:
            RobotStopped: Only holding may be told any more; nothing was sent.
            RobotError: The bus does not carry it.
        """
        gripper = self._config.gripper
        at = gripper.closed + opening * (gripper.open - gripper.closed)
        with self._sending:
            if self._latched():
                raise RobotStopped
            self._held_s = float("-inf")
            self._fingers = np.full(len(gripper.names), at)
            self._tell(joints, self._fingers, due_s)

    def hold(self, joints: Vector, fingers: Vector, now_s: float) -> None:
        """Tell the arm to stay where it is, and the gripper to grip as it does.

        Args:
            joints: (n,) rad, measured, zeros as the policy has them.
            fingers: (m,) m or rad, measured; what they were told last counts more.
            now_s: The robot's clock, s.

        Raises:
            RobotError: The bus does not carry it.
        """
        with self._sending:
            self._held_s = self._settled_s = time.monotonic()
            self._stay(joints, fingers, now_s)

    @property
    def settling(self) -> bool:
        """Whether the arm was held just now, and told nothing else."""
        return time.monotonic() < self._held_s + _SETTLES_S

    def settle(self, joints: Vector, fingers: Vector, now_s: float) -> None:
        """Hold again shortly after a hold, for else an arm that ran on creeps back.

        Takes and raises what `hold` does, and does nothing later, or after another command.
        """
        with self._sending:
            at_s = time.monotonic()
            if self.settling and at_s > self._settled_s + _AGAIN_S:
                self._settled_s = at_s
                self._stay(joints, fingers, now_s)

    def _stay(self, joints: Vector, fingers: Vector, now_s: float) -> None:
        # A hand that holds something is told to close further than that lets it.
        self._tell(joints, fingers if self._fingers is None else self._fingers, now_s)

    def _tell(self, joints: Vector, fingers: Vector, due_s: float) -> None:
        arm = self._arm
        targets = np.concatenate([np.clip(joints, arm.low, arm.high) - arm.offsets, fingers])
        if not np.all(np.isfinite(targets)):
            raise ValueError("Joints are told finite numbers only.")
        if self._config.command.kind == "float64_multi_array":
            self._publish(numbers(self._bus, targets))
            return
        names = (*self._config.joints.names, *self._config.gripper.names)
        self._publish(joint_state(self._bus, max(due_s, 0.0), names, targets))
