"""The seams of Bosun. Anything with these methods fits; nothing has to inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from agent.action_space import ActionSpec
from agent.errors import RobotStopped
from agent.events import Event, Strain
from agent.types import (
    ActionChunk,
    FloatArray,
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


@runtime_checkable
class Fitting(Protocol):
    """What some policies can do besides: look whether they and the robot belong together."""

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Get ready for a robot, as a mission begins; nothing has moved yet.

        Args:
            spec: The action space of the robot.
            observation: What it senses as the mission begins.

        Raises:
            ConfigError: They do not; its sentence names every mismatch.
        """
        ...


@runtime_checkable
class ContinuingPolicy(Protocol):
    """A policy that can make its next chunk go on from what is left of its last one."""

    @property
    def continues(self) -> bool:
        """Whether the model behind it can, in truth."""
        ...

    def infer_after(self, observation: Observation, delay: int) -> ActionChunk:
        """Return the next actions, the first one for now, in agreement with those under way.

        Args:
            observation: What is sensed now.
            delay: How many rows of its last chunk, from now on, will have been carried out by the
                time the answer is there.
        """
        ...


class Robot(Protocol):
    """A robot, simulated or real."""

    @property
    def spec(self) -> ActionSpec:
        """The action space."""
        ...

    def reset(self, seed: int | None) -> Observation:
        """Begin a mission at time 0 and clear the stop latch.

        A simulator lays out the scene of this seed; None goes on in the world as it is.
        """
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

    @property
    def fault(self) -> RobotStopped | None:
        """What it lost, where it stopped itself for not knowing the world or its own state."""
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

    @property
    def strain(self) -> Strain | None:
        """How the tick checked last compares with what is usual; None where that is not known."""
        ...

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        """Begin to watch a subgoal that starts from this scene.

        Args:
            subgoal: What is to be done.
            scene: What is seen now.
            since: What was seen before a try that one witness alone says succeeded. Where it is
                given, the first check ends the subgoal: it is only looked at again.
        """
        ...

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return a verdict that ends the subgoal, or None to carry on."""
        ...


class Answer(StrEnum):
    """What can be told from two pictures of a subgoal: it succeeded, it did not, or neither."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one look at two pictures.

    Attributes:
        answer: What was told; unknown where nothing was.
        fault: Code of why nothing was told, None where something was.
        tokens: Tokens read and written.
    """

    answer: Answer
    fault: str | None = None
    tokens: int = 0


class Checker(Protocol):
    """Tells from two pictures whether a subgoal succeeded; the world stands still meanwhile."""

    def check(
        self, phrase: str, facts: Sequence[str], before: Image, after: Image, time_s: float
    ) -> Checked | None:
        """Return what the pictures tell; None where the robot was stopped meanwhile.

        Whatever goes wrong is a fault in what is returned, and never raised.

        Args:
            phrase: What the policy was told to do.
            facts: What then should hold, as contracts write it.
            before: (H, W, 3) uint8 RGB, as the subgoal began.
            after: (H, W, 3) uint8 RGB, now.
            time_s: Time of the mission now, s.
        """
        ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood of an utterance.

    Attributes:
        text: The likeliest words, lower case and without punctuation; empty where there are none.
        confidence: How sure the decoder is of them, 0..1.
        no_speech: Probability that nobody spoke, 0..1.
        alternatives: Other readings, likeliest first, `text` not among them.
        language: Code of the language, None where the decoder does not tell.
        evidence: What else the decoder told, by its own names, such as `avg_logprob`.
    """

    text: str
    confidence: float
    no_speech: float
    alternatives: tuple[str, ...] = ()
    language: str | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)


class Transcriber(Protocol):
    """Turns an utterance into words; loaded once, good for many."""

    def expect(self, scene: Scene) -> None:
        """Say what is there to be spoken of, before something is said about it."""
        ...

    def transcribe(self, audio: FloatArray) -> Transcript:
        """Return what was said.

        Args:
            audio: (samples,) float32 at 16 kHz, -1..1, of one utterance.

        Raises:
            SpeechError: It cannot tell; its sentence says why.
        """
        ...


class Subscriber(Protocol):
    """Hears everything that happens: the log, the console, the video."""

    def on_event(self, event: Event) -> None:
        """Take note of one event."""
        ...
