"""The tabletop's Panda behind `agent.protocols.Robot`."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import RobotStopped
from agent.robots.tabletop.disturbances import DisturbanceSpec
from agent.robots.tabletop.kinematics import compose, rotation_between
from agent.robots.tabletop.layout import NOMINAL, Variation
from agent.robots.tabletop.pace import Pace
from agent.robots.tabletop.senses import Senses
from agent.robots.tabletop.world import CAMERAS, RATE_HZ, TabletopWorld
from agent.types import Observation, Vector

MAX_STEP_M = 0.05
MAX_TURN_RAD = 0.25
_LEAD_M = 0.04
_LEAD_RAD = 0.3

SPEC = ActionSpec(
    space=ActionSpace.DELTA_EE,
    names=("dx [m]", "dy [m]", "dz [m]", "rx [rad]", "ry [rad]", "rz [rad]", "gripper [0..1]"),
    low=np.array([-MAX_STEP_M] * 3 + [-MAX_TURN_RAD] * 3 + [0.0]),
    high=np.array([MAX_STEP_M] * 3 + [MAX_TURN_RAD] * 3 + [1.0]),
    rate_hz=RATE_HZ,
)


class TabletopRobot:
    """Moves by deltas of the tool pose in the base frame; senses two cameras and its joints.

    Deltas add up on a commanded pose, which never runs further ahead of the measured one than a
    few centimetres, so an arm that is blocked does not jump when it comes free.
    """

    def __init__(
        self,
        disturbances: DisturbanceSpec | None = None,
        variation: Variation = NOMINAL,
        *,
        held: Callable[[], bool] = lambda: False,
        pace: Pace | None = None,
    ) -> None:
        """Build the world. It is `world` for experts, labels and scoring; the agent has no use.

        Args:
            disturbances: What goes wrong in it.
            variation: How its scenes differ.
            held: Asked while the arm moves; once true it holds where it is for what is left of the
                period, as it does when stopped.
            pace: Keeps the world on the wall clock; without one it waits for the next action.
        """
        self._spec = disturbances or DisturbanceSpec()
        self.world = TabletopWorld(self._spec, variation)
        self._senses = Senses(self._spec)
        self._latch, self._held = threading.Event(), held
        self._pace = pace
        self._commanded, self._opening = self.world.ee_pose, 1.0
        self._began_s = 0.0
        self._seen: Observation | None = None

    @property
    def spec(self) -> ActionSpec:
        """Seven numbers: translation, rotation vector, gripper opening."""
        return SPEC

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        return self._latch.is_set()

    @property
    def fault(self) -> None:
        """Nothing: a simulated world is always there."""

    def reset(self, seed: int | None) -> Observation:
        """Lay out the scene of a seed, or leave all as it is, clear the latch, and look."""
        if seed is not None:
            self.world.reset(seed)
        self._began_s = self.world.time_s
        self._commanded = self.world.ee_pose
        self._seen = None
        self._senses = Senses(self._spec)
        self._latch.clear()
        if self._pace is not None:
            self._pace.begin()
        return self.observe()

    def observe(self) -> Observation:
        """Return what is sensed now; images are drawn once a tick."""
        self._catch_up()
        time_s = round(self.world.time_s - self._began_s, 6)
        if self._seen is None or self._seen.time_s != time_s:
            self._seen = Observation(
                time_s=time_s,
                images=self._senses(time_s, {n: self.world.render(n) for n in CAMERAS}),
                joint_pos=self.world.joint_pos,
                ee_pose=self.world.ee_pose,
                gripper=self.world.gripper,
            )
        return self._seen

    def act(self, action: Vector) -> Vector:
        """Move by one (7,) action for one period and return the action sent.

        Raises:
            RobotStopped: The stop latch is set; nothing was sent.
        """
        if self._latch.is_set():
            raise RobotStopped("The robot is stopped and takes no action until the next command.")
        sent = np.clip(np.asarray(action, dtype=np.float64), SPEC.low, SPEC.high)
        if not np.all(np.isfinite(sent)):
            raise ValueError("An action must be finite numbers.")
        self._catch_up()
        self._commanded = self._leashed(compose(self._commanded, sent[:6]))
        self._opening = float(sent[6])
        self._step()
        if self._pace is not None:
            self._pace.wait()
        return sent

    def _step(self) -> None:
        self.world.step(self._commanded, self._opening, self._holds)
        if self._held():
            self._commanded = self.world.ee_pose

    def _catch_up(self) -> None:
        """Let the periods pass in which no action came; the arm keeps its last command."""
        for _ in range(0 if self._pace is None else self._pace.missed()):
            self._step()

    def _holds(self) -> bool:
        return self._latch.is_set() or self._held()

    def _leashed(self, pose: Vector) -> Vector:
        """Keep a commanded pose near the measured one."""
        actual = self.world.ee_pose
        lead, turn = pose[:3] - actual[:3], rotation_between(actual[3:], pose[3:])
        limits = ((lead, _LEAD_M + MAX_STEP_M), (turn, _LEAD_RAD + MAX_TURN_RAD))
        lead, turn = (
            v * min(1.0, limit / max(float(np.linalg.norm(v)), 1e-9)) for v, limit in limits
        )
        return compose(actual, np.concatenate([lead, turn]))

    def stop(self) -> None:
        """Hold where the arm is and refuse actions until `reset`."""
        self._latch.set()

    def close(self) -> None:
        """Release the renderers."""
        self.world.close()
