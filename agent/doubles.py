"""Stand-ins for every part of a mission, for tests and examples: no model, no simulator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import RobotStopped
from agent.events import Event, Strain
from agent.protocols import Checked
from agent.types import (
    ActionChunk,
    Image,
    Observation,
    Plan,
    Scene,
    SkillContract,
    Subgoal,
    SubgoalResult,
    Vector,
    Verdict,
)

E = TypeVar("E")

STILL_SPEC = ActionSpec(
    space=ActionSpace.DELTA_EE,
    names=("dx [m]", "dy [m]", "dz [m]", "rx [rad]", "ry [rad]", "rz [rad]", "gripper [0..1]"),
    low=np.array([-0.05] * 3 + [-0.25] * 3 + [0.0]),
    high=np.array([0.05] * 3 + [0.25] * 3 + [1.0]),
    rate_hz=10.0,
)
"""The action space of `StillRobot`: a delta of the tool's pose, and the gripper."""


class ScriptedPlanner:
    """Answers with the given plans in turn, the last one for ever.

    It keeps the `commands`, `histories` and `problems` it was given, one entry per call.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        """Answer with at least one plan."""
        self._plans = tuple(plans)
        self.commands: list[str] = []
        self.histories: list[tuple[SubgoalResult, ...]] = []
        self.problems: list[tuple[str, ...]] = []

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        """Return the next plan."""
        self.commands.append(command)
        self.histories.append(tuple(history))
        self.problems.append(tuple(problems))
        return self._plans[min(len(self.histories), len(self._plans)) - 1]


class ScriptedPolicy:
    """Answers each subgoal with chunks in turn, or by a function; keeps the `phrases` it heard."""

    def __init__(
        self, chunks: Sequence[ActionChunk] | Callable[[Observation], ActionChunk]
    ) -> None:
        """Answer with at least one chunk, the last one for ever."""
        self._chunks = chunks
        self._next = 0
        self.phrases: list[str] = []

    def reset(self, phrase: str) -> None:
        """Begin again with the first chunk."""
        self.phrases.append(phrase)
        self._next = 0

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next chunk."""
        if callable(self._chunks):
            return self._chunks(observation)
        self._next += 1
        return self._chunks[min(self._next, len(self._chunks)) - 1]


class ScriptedMonitor:
    """Gives subgoals the verdicts in turn, the last one for ever; keeps which it `watched`.

    It says the same `strain` of every tick: None until a test sets another.
    """

    def __init__(self, verdicts: Sequence[Verdict], ticks: int = 2) -> None:
        """Give at least one verdict, each after so many ticks without one."""
        self._verdicts = tuple(verdicts)
        self._ticks = self._left = ticks
        self.watched: list[Subgoal] = []
        self.strain: Strain | None = None

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        """Go to the next verdict."""
        self.watched.append(subgoal)
        self._left = 0 if since is not None else self._ticks

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return the verdict once its ticks have passed."""
        self._left -= 1
        if self._left >= 0:
            return None
        return self._verdicts[min(len(self.watched), len(self._verdicts)) - 1]


class ScriptedChecker:
    """Tells the given things in turn, the last one for ever; keeps what it was `shown` and `asked`.

    A thing that is None stands for a robot that was stopped meanwhile.
    """

    def __init__(self, told: Sequence[Checked | None]) -> None:
        """Tell at least one thing."""
        self._told = tuple(told)
        self.shown: list[tuple[Image, Image]] = []
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def check(
        self, phrase: str, facts: Sequence[str], before: Image, after: Image, time_s: float
    ) -> Checked | None:
        """Return the next thing told."""
        self.shown.append((before, after))
        self.asked.append((phrase, tuple(facts)))
        return self._told[min(len(self.shown), len(self._told)) - 1]


class StillRobot:
    """A robot whose clock runs and whose arm stays where it is; keeps every action `sent`."""

    def __init__(self) -> None:
        """Stand at seed 0."""
        self.sent: list[Vector] = []
        self._latch = threading.Event()
        self._seed = self._ticks = 0

    @property
    def spec(self) -> ActionSpec:
        """Seven numbers: translation, rotation vector, gripper opening."""
        return STILL_SPEC

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        return self._latch.is_set()

    @property
    def fault(self) -> RobotStopped | None:
        """Nothing: it has no senses to lose."""
        return None

    def reset(self, seed: int | None) -> Observation:
        """Set the clock to zero and clear the latch; the seed colours the images."""
        self._seed, self._ticks = self._seed if seed is None else seed, 0
        self._latch.clear()
        return self.observe()

    def observe(self) -> Observation:
        """Return two 4x4 images, a fixed pose and an open gripper."""
        rng = np.random.default_rng((self._seed, self._ticks))
        front, wrist = rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
        return Observation(
            time_s=round(self._ticks / STILL_SPEC.rate_hz, 6),
            images={"front": front, "wrist": wrist},
            joint_pos=np.zeros(7),
            ee_pose=np.array([0.4, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0]),
            gripper=1.0,
        )

    def act(self, action: Vector) -> Vector:
        """Take note of an action, advance the clock by 0.1 s and return the action, clipped."""
        if self._latch.is_set():
            raise RobotStopped
        taken = np.clip(np.asarray(action, dtype=np.float64), STILL_SPEC.low, STILL_SPEC.high)
        self.sent.append(taken)
        self._ticks += 1
        return taken.copy()

    def stop(self) -> None:
        """Refuse actions until `reset`."""
        self._latch.set()

    def close(self) -> None:
        """Release nothing."""


class FixedEstimator:
    """Answers with the given scenes in turn, the last one for ever, or with a function of time."""

    def __init__(self, scenes: Sequence[Scene] | Callable[[float], Scene]) -> None:
        """Answer with at least one scene; its time becomes that of the observation."""
        self._scenes = scenes
        self._next = 0

    def reset(self) -> None:
        """Begin again with the first scene."""
        self._next = 0

    def estimate(self, observation: Observation) -> Scene:
        """Return the next scene."""
        if callable(self._scenes):
            return replace(self._scenes(observation.time_s), time_s=observation.time_s)
        self._next += 1
        scene = self._scenes[min(self._next, len(self._scenes)) - 1]
        return replace(scene, time_s=observation.time_s)


class Recorder:
    """A subscriber that keeps every event, oldest first, in `events`."""

    def __init__(self) -> None:
        """Begin with none."""
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]
