"""The tabletop's Panda behind `agent.protocols.Robot`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import RobotStopped
from agent.robots.commanded import CommandedPose
from agent.robots.tabletop.disturbances import DisturbanceSpec
from agent.robots.tabletop.layout import NOMINAL, Variation
from agent.robots.tabletop.metronome import Metronome
from agent.robots.tabletop.senses import Senses
from agent.robots.tabletop.spaces import tabletop_spec
from agent.robots.tabletop.world import CAMERAS, TabletopWorld
from agent.types import Observation, Vector


class TabletopRobot:
    """Moves as its action space says; senses two cameras and its joints."""

    def __init__(
        self,
        disturbances: DisturbanceSpec | None = None,
        variation: Variation = NOMINAL,
        *,
        space: ActionSpace = ActionSpace.DELTA_EE,
        held: Callable[[], bool] = lambda: False,
        metronome: Metronome | None = None,
    ) -> None:
        """Build the world. It is `world` for experts, labels and scoring; the agent has no use.

        Args:
            disturbances: What goes wrong in it.
            variation: How its scenes differ.
            space: What the numbers of an action mean.
            held: Asked while the arm moves; once true it holds where it is for what is left of the
                period, as it does when stopped.
            metronome: Keeps the world on the wall clock; without one it waits for the next action.
        """
        self._spec = disturbances or DisturbanceSpec()
        self.world = TabletopWorld(self._spec, variation)
        self._senses = Senses(self._spec)
        self._latch, self._held, self._metronome = threading.Event(), held, metronome
        self._action_spec = tabletop_spec(space)
        self._commanded = CommandedPose(self.world.ee_pose)
        self._opening = 1.0
        self._stay()
        self._began_s = 0.0
        self._seen: Observation | None = None

    @property
    def spec(self) -> ActionSpec:
        """What the numbers of an action mean, and their limits."""
        return self._action_spec

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
            self._opening = 1.0
        self._began_s = self.world.time_s
        self._stay()
        self._seen = None
        self._senses = Senses(self._spec)
        self._latch.clear()
        if self._metronome is not None:
            self._metronome.begin()
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
        """Move by one (dim,) action for one period and return the action sent.

        Raises:
            RobotStopped: The stop latch is set; nothing was sent.
        """
        if self._latch.is_set():
            raise RobotStopped
        sent = self._action_spec.clipped(action)
        self._catch_up()
        self._opening = float(sent[-1])
        self._go_on = self._towards(sent[:-1])
        self._step()
        if self._metronome is not None:
            self._metronome.wait()
        return sent

    def _towards(self, motion: Vector) -> Callable[[], None]:
        """Return what brings the arm to where an action wants it, and keeps it there."""
        match self._action_spec.space:
            case ActionSpace.JOINT_POSITION:
                return partial(self.world.turn, motion, self._opening, self._holds)
            case ActionSpace.DELTA_JOINT:
                joints = self.world.joint_pos + motion
                return partial(self.world.turn, joints, self._opening, self._holds)
            case ActionSpace.DELTA_EE | ActionSpace.DELTA_EE_POSITION:
                pose = self._commanded.move(motion, self.world.ee_pose)
                return partial(self.world.step, pose, self._opening, self._holds)

    def _stay(self) -> None:
        """Want the arm where it is."""
        self._commanded.begin(self.world.ee_pose)
        joints = self.world.joint_pos
        self._go_on = partial(self.world.turn, joints, self._opening, self._holds)

    def _step(self) -> None:
        self._go_on()
        if self._held():
            self._stay()

    def _catch_up(self) -> None:
        """Let the periods pass in which no action came; the arm keeps its last command."""
        for _ in range(0 if self._metronome is None else self._metronome.missed()):
            self._step()

    def _holds(self) -> bool:
        return self._latch.is_set() or self._held()

    def stop(self) -> None:
        """Hold where the arm is and refuse actions until `reset`."""
        self._latch.set()

    def close(self) -> None:
        """Release the renderers."""
        self.world.close()
