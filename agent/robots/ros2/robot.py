"""A robot over ROS 2 behind `agent.protocols.Robot`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import BosunError, CameraLost, RobotError, RobotStopped
from agent.robots.ros2.checkup import check
from agent.robots.ros2.commands import Commands
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.motion import Motion
from agent.robots.ros2.scenes import Scenes
from agent.robots.ros2.senses import Moment, Senses
from agent.robots.ros2.spaces import ros2_spec
from agent.robots.ros2.tool import kinematics_of
from agent.ros.bus import LATCHED, Bus, Qos
from agent.ros.messages import BOOL
from agent.sections import Ros2Config
from agent.types import Observation, Vector

_POLL_S = 0.02
"""How often a robot that waits for pictures asks whether it is held, s."""
_SOONEST = 0.25
"""Share of a period that joints have at the least to reach their targets."""
_EARLY = 0.25
"""Share of a period by which the next pictures may be early."""


class Ros2Robot:
    """Ticks with its cameras: an action is over when the next complete moment has come.

    What it cannot know the world or itself by any more, it stops for: a camera or joints that are
    silent, late, or whose stamps jump. Stopped, it tells the joints to stay where they are, at
    once and from whichever thread finds it out, the bus's own included.
    """

    def __init__(
        self,
        config: Ros2Config,
        bus: Bus,
        held: Callable[[], bool] = lambda: False,
        space: ActionSpace = ActionSpace.DELTA_EE,
    ) -> None:
        """Subscribe, and check that all is as configured; nothing moves.

        Args:
            config: The robot; one that is complete.
            bus: Carries its messages; it is closed with the robot.
            held: Asked while the arm moves; once true it holds where it is.
            space: What the numbers of an action mean; moves of the tool become joint targets.

        Raises:
            ConfigError: The configuration does not fit what really arrives.
        """
        self.bus, self._config, self._held = bus, config, held
        self._latch, self._losing = threading.Event(), threading.Lock()
        self._resting, self._pressed = True, False
        self._fault: RobotStopped | None = None
        self._seen: Observation | None = None
        self._moment: Moment | None = None
        self._began_s = 0.0
        self._kinematics = kinematics_of(config)
        self._senses = Senses(config, bus)
        self._scenes = Scenes(config, bus)
        self._commands = Commands(config, bus, self._latch.is_set)
        self._spec = ros2_spec(config, space)
        self._motion = Motion(space, ArmJoints.of(config).turns, self._kinematics)
        if (topic := config.emergency_stop) is not None:
            # A reliable subscriber does not hear a best-effort publisher, a best-effort one may
            # miss a message of a reliable one, and one of these alone is told what was latched.
            for qos in (Qos(), Qos(reliable=False), LATCHED):
                bus.listen(topic, BOOL, qos, self._on_emergency)
        check(config, bus, self._senses, self._scenes)
        self._senses.on_fault = self._lose
        self._senses.on_joints = self._settle

    @property
    def spec(self) -> ActionSpec:
        """The action space."""
        return self._spec

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        return self._latch.is_set()

    @property
    def fault(self) -> RobotStopped | None:
        """What it lost, where it stopped itself."""
        return self._fault

    def reset(self, seed: int | None) -> Observation:
        """Begin a mission at time 0, in the scene of a seed where the robot is simulated.

        Raises:
            RobotError: The world did not lay out the scene.
            RobotStopped: A camera or the joints are lost, or the emergency stop is still pressed.
        """
        self._latch.clear()
        self._fault = self._moment = self._seen = None
        # Asked after the latch is cleared, so that one that comes just now sets it again.
        if self._pressed:
            self.stop()
            raise RobotStopped(
                f"The emergency stop {self._config.emergency_stop!r} is pressed; publish false "
                "there to release it."
            )
        self._commands.begin()
        due_s = float("-inf")
        if seed is not None and self._scenes.lay_out(seed):
            # Pictures of before may still be under way.
            due_s = self._senses.now_s
        self._senses.begin()
        moment = self._next(due_s)
        if moment is not None:
            self._began_s = moment.stamp_s
        if moment is None or (seen := self._observed(moment)) is None:
            raise self._fault or RobotStopped("The robot was stopped while a mission began.")
        self._resting = True
        return seen

    def observe(self) -> Observation:
        """Return the newest complete moment; the last one where the robot lost its senses."""
        moment = None if self._fault else self._next(float("-inf"))
        seen = None if moment is None else self._observed(moment)
        seen = seen or self._seen
        if seen is None:
            raise RobotError("The robot has not begun; reset it first.")
        return seen

    def act(self, action: Vector) -> Vector:
        """Send one (dim,) action, wait for the next moment, and return the action sent.

        Raises:
            RobotStopped: The robot is stopped; nothing was sent.
        """
        if self._latch.is_set():
            raise RobotStopped
        moment, seen = self._moment, self._seen
        if moment is None or seen is None:
            raise RobotError("The robot has not begun; reset it first.")
        sent = self._spec.clipped(action)
        if self._resting:
            self._motion.begin(moment.joints, seen.ee_pose)
        period_s, now_s = 1.0 / self._spec.rate_hz, self._senses.now_s
        joints = self._motion.next(sent[:-1], moment.joints, seen.ee_pose)
        due_s = max(moment.stamp_s + period_s, now_s + _SOONEST * period_s)
        self._resting = self._held()
        if self._resting:
            self._hold()
        else:
            self._commands.send(joints, float(sent[-1]), due_s)
        # An action that comes late has its effect after the pictures that came meanwhile.
        due_s = max(moment.stamp_s + (1 - _EARLY) * period_s, now_s - _EARLY * period_s)
        if (after := self._next(due_s)) is not None:
            self._observed(after)
        return sent

    def stop(self) -> None:
        """Hold where the arm is and refuse actions until `reset`."""
        self._latch.set()
        self._hold()
        with self._senses.came:
            self._senses.came.notify_all()

    def close(self) -> None:
        """Hold, and leave the bus."""
        self.stop()
        self.bus.close()

    def _next(self, due_s: float) -> Moment | None:
        """Wait for a moment from a time on, s of the robot's clock.

        Returns:
            None where it never comes, or was waited for when the robot was stopped.
        """
        since_s, whenever = time.monotonic(), due_s == float("-inf")
        while whenever or not self._latch.is_set():
            with self._senses.came:
                fault = self._senses.fault() or self._senses.stale(since_s)
                moment = self._senses.moment(due_s) if self._senses.fresh() else None
                if fault is None and moment is None:
                    self._senses.came.wait(_POLL_S)
            if fault is not None:
                self._lose(fault)
                return None
            if moment is not None:
                return moment
            if not self._resting and self._held():
                self._hold()
        return None

    def _observed(self, moment: Moment) -> Observation | None:
        """Return what is seen at a moment; None where its pictures show nothing."""
        if self._moment is not None and self._moment.stamp_s == moment.stamp_s:
            return self._seen
        try:
            images = self._senses.pictures(moment)
        except CameraLost as lost:
            self._lose(lost)
            return None
        pose = moment.pose if self._kinematics is None else self._kinematics.pose(moment.joints)
        assert pose is not None
        self._moment = moment
        self._seen = Observation(
            time_s=round(moment.stamp_s - self._began_s, 6),
            images=images,
            joint_pos=moment.joints,
            ee_pose=pose,
            gripper=self._senses.opening(moment.fingers),
        )
        return self._seen

    def _lose(self, fault: RobotStopped) -> None:
        """Stop for a fault, unless the robot is stopped already."""
        with self._losing:
            if self._latch.is_set():
                return
            # Whoever finds the latch set asks why.
            self._fault = fault
            self._latch.set()
        self.stop()

    def _hold(self) -> None:
        """Tell the joints to stay where they are; never raises."""
        self._resting = True
        self._stay(self._commands.hold)

    def _settle(self) -> None:
        """Tell them again while they come to rest; never raises."""
        if self._commands.settling:
            self._stay(self._commands.settle)

    def _stay(self, tell: Callable[[Vector, Vector, float], None]) -> None:
        if (present := self._senses.present()) is not None:
            # A bus that is gone carries no hold either, and the arm has its own watchdog.
            with suppress(BosunError, ValueError):
                tell(*present, self._senses.now_s)

    def _on_emergency(self, message: Any) -> None:
        self._pressed = message.data
        if message.data:
            self.stop()
