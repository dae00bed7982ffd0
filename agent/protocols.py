"""The seams of Bosun. Anything with these methods fits; nothing has to inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from agent.events import Event
from agent.types import (
    ActionChunk,
    ActionSpec,
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

REPAIRS = 2
"""How often a refused plan goes back to its planner; refused once more, it may only ask."""


class Planner(Protocol):
    """Turns a command into subgoals; replanning is the same call with a history."""

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        """Return a plan, or a plan without subgoals whose `question` says what is unclear.

        Args:
            command: What the human said.
            scene: What is believed to be there now.
            contracts: Skill name -> contract; the only skills there are.
            history: Every subgoal run so far in this mission, oldest first.
            problems: What verification found wrong with the last plan, in words.
            images: What the cameras show now.

        Raises:
            PlannerError: It cannot plan at all; its sentence says why.
        """
        ...


class Verifier(Protocol):
    """Checks a plan against contracts and scene before anything moves."""

    def problems(
        self, plan: Plan, scene: Scene, contracts: Mapping[str, SkillContract]
    ) -> list[str]:
        """Return what is wrong with the plan, one sentence each; empty when it may run."""
        ...


class Policy(Protocol):
    """A skill policy: images, state and phrase in, a chunk of actions out."""

    def reset(self, phrase: str) -> None:
        """Begin a subgoal."""
        ...

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions, the first one for now."""
        ...


class Robot(Protocol):
    """A robot, simulated or real."""

    @property
    def spec(self) -> ActionSpec:
        """The action space."""
        ...

    def reset(self, seed: int) -> Observation:
        """Begin a mission; a simulator lays out the scene of this seed. Clears the stop latch."""
        ...

    def observe(self) -> Observation:
        """Return what is sensed now; calling it twice changes nothing."""
        ...

    def act(self, action: Vector) -> Vector:
        """Send one (dim,) action, wait one period, and return the action really sent."""
        ...

    def stop(self) -> None:
        """Hold still and refuse every later action until `reset`; idempotent, never raises."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...


class SafetyShield(Protocol):
    """Limits what may be sent to the robot."""

    def limit(self, observation: Observation, action: Vector) -> Vector:
        """Return the action that may be sent; raises `ShieldBreach` for what never may."""
        ...


class SceneEstimator(Protocol):
    """Tells from images what is there."""

    def reset(self) -> None:
        """Forget everything."""
        ...

    def estimate(self, observation: Observation) -> Scene:
        """Return what is believed after this observation."""
        ...


class Monitor(Protocol):
    """Watches one running subgoal."""

    def reset(self, subgoal: Subgoal, scene: Scene) -> None:
        """Begin to watch a subgoal that starts from this scene."""
        ...

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return a verdict that ends the subgoal, or None to carry on."""
        ...


class Subscriber(Protocol):
    """Hears everything that happens: the log, the console, the video."""

    def on_event(self, event: Event) -> None:
        """Take note of one event."""
        ...
