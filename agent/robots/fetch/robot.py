"""The Fetch behind `agent.protocols.Robot`."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.action_space import ActionSpec
from agent.errors import RobotStopped
from agent.robots.commanded import CommandedPose
from agent.robots.fetch.model import CAMERAS
from agent.robots.fetch.spaces import SPEC
from agent.robots.fetch.world import FetchWorld
from agent.types import Observation, Vector


class FetchRobot:
    """Moves by deltas of the tool's position in the base frame; senses two cameras and its arm.

    The base frame is where the base stands on the floor.
    """

    def __init__(self, *, held: Callable[[], bool] = lambda: False) -> None:
        """Build the world. It is `world` for teachers, labels and scoring; the agent has no use.

        Args:
            held: Asked while the arm moves; once true it holds where it is for what is left of the
                period, as it does when stopped.
        """
        self.world = FetchWorld()
        self._latch, self._held = threading.Event(), held
        self._commanded = CommandedPose(self.world.ee_pose)
        self._began_s = 0.0
        self._seen: Observation | None = None

    @property
    def spec(self) -> ActionSpec:
        """Four numbers: translation and gripper opening."""
        return SPEC

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        return self._latch.is_set()

    @property
    def fault(self) -> None:
        """Nothing: a simulated world is always there."""

    def reset(self, seed: int | None) -> Observation:
        """Lay the block as a seed has it, or leave all as it is, clear the latch, and look."""
        if seed is not None:
            self.world.reset(seed)
        self._began_s = self.world.time_s
        self._commanded.begin(self.world.ee_pose)
        self._seen = None
        self._latch.clear()
        return self.observe()

    def observe(self) -> Observation:
        """Return what is sensed now; images are drawn once a tick."""
        time_s = round(self.world.time_s - self._began_s, 6)
        if self._seen is None or self._seen.time_s != time_s:
            self._seen = Observation(
                time_s=time_s,
                images={name: self.world.render(name) for name in CAMERAS},
                joint_pos=self.world.joint_pos,
                ee_pose=self.world.ee_pose,
                gripper=self.world.gripper,
            )
        return self._seen

    def act(self, action: Vector) -> Vector:
        """Move by one (4,) action for one period and return the action sent.

        Raises:
            RobotStopped: The stop latch is set; nothing was sent.
        """
        if self._latch.is_set():
            raise RobotStopped
        sent = SPEC.clipped(action)
        pose = self._commanded.move(sent[:3], self.world.ee_pose)
        self.world.step(pose, float(sent[3]), self._holds)
        if self._held():
            self._commanded.begin(self.world.ee_pose)
        return sent

    def _holds(self) -> bool:
        return self._latch.is_set() or self._held()

    def stop(self) -> None:
        """Hold where the arm is and refuse actions until `reset`."""
        self._latch.set()

    def close(self) -> None:
        """Release the renderers."""
        self.world.close()
