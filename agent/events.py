"""What happens in a mission, one frozen dataclass per kind of thing; also the log's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.types import (
    ActionChunk,
    MissionResult,
    Observation,
    Plan,
    Scene,
    Subgoal,
    SubgoalResult,
    Vector,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class MissionStarted:
    """A command was taken up; `metadata` holds versions, config, seeds and hashes."""

    time_s: float
    command: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SceneEstimated:
    """The scene was estimated at a decision point."""

    time_s: float
    scene: Scene


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Consulted:
    """A language model was asked.

    Attributes:
        time_s: Time of the scene it was told of.
        model: Which one, as `provider:model`.
        decision: What was to be decided: plan, replan, repair, question or check.
        turns: The conversation it was given.
        images: What it was shown: name -> hash of the PNG.
        reply: What it answered; why it did not, where there is a fault.
        fault: Code of why there is no reply, None where there is one.
        tokens_in: Tokens it read.
        tokens_out: Tokens it wrote.
        seconds: How long that took, s.
    """

    time_s: float
    model: str
    decision: str
    turns: tuple[Turn, ...]
    images: Mapping[str, str] = field(default_factory=dict)
    reply: str = ""
    fault: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Replying:
    """A language model is answering; `sentence` is what it has said to the human so far."""

    time_s: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The planner answered; `problems` is what verification found, empty when accepted."""

    time_s: float
    plan: Plan
    problems: tuple[str, ...]
    replans: int


@dataclass(frozen=True, slots=True)
class SubgoalStarted:
    """A subgoal begins: its n-th try, from 1; 0 is a look that is no part of the plan."""

    time_s: float
    subgoal: Subgoal
    attempt: int


@dataclass(frozen=True, slots=True)
class Strain:
    """How far one tick of a subgoal is from what is usual of its skill.

    Attributes:
        score: Widths of the fused score above its usual course.
        limit: Widths that still count as usual.
        signals: Signal -> how far it strays by itself, in widths; without those that say nothing.
    """

    score: float
    limit: float
    signals: Mapping[str, float]

    @property
    def alarming(self) -> bool:
        """Whether it is more than usual; what is no number is unusual, too."""
        return not self.score <= self.limit


@dataclass(frozen=True, slots=True, eq=False)
class Ticked:
    """One observation came in and one action went out.

    Attributes:
        time_s: Time of the observation.
        observation: What the robot sensed.
        chunk: What the policy answered.
        action: (dim,) what the policy asked for now.
        sent: (dim,) what the robot was really sent, after the shield; None when nothing was.
        strain: What the monitor made of it; None where it knows nothing usual, or was not asked.
    """

    time_s: float
    observation: Observation
    chunk: ActionChunk
    action: Vector
    sent: Vector | None
    strain: Strain | None = None


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """The monitor ended a subgoal."""

    time_s: float
    subgoal: Subgoal
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SubgoalEnded:
    """A subgoal has a result."""

    time_s: float
    result: SubgoalResult


@dataclass(frozen=True, slots=True)
class Answered:
    """The human answered a question of the robot's."""

    time_s: float
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """The human changed the command while it was being carried out."""

    time_s: float
    wish: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody said something, or sent it as text, or a noise was taken for it.

    A microphone does not run on the robot's clock and hears before a mission begins, so this event
    has three times: its place in the mission, the time of day, and the sound's own.

    Attributes:
        time_s: Time of the mission at which it was written down, which is that of the event beside
            it; what led to a mission has the time at which that one began.
        unix_s: When the utterance was over and handed on, s since 1970.
        began_s: When its sound began, s since the source was opened.
        ended_s: When its sound ended, s.
        became: What became of it, as `agent.conversation.Became` has it.
        text: The words it was taken for; empty where there are none.
        confidence: How sure the decoder is of them, 0..1; None where it was not asked.
        no_speech: Probability 0..1 that nobody spoke; None where the decoder was not asked.
        alternatives: Other readings, likeliest first.
        language: Code of the language, None where the decoder does not tell.
        scores: What else the decoder told, by its own names.
        ruling: What the gate ruled: accept, confirm or reject; None where it was not asked.
        cause: Code of why; None where the gate was not asked.
        reason: Why it became that, in words; empty where that needs no reason.
        evidence: The numbers that the ruling rests on, by their names.
        seconds: How long each stage took, s: `endpointing` from the end of the voice until the
            utterance was handed on, `waiting` for the decoder, `transcription`, and
            `understanding` with the gate and what was done at once.
        flac: Its sound as a FLAC file, 24 bits at 16 kHz, one channel; empty where it came as text.
    """

    time_s: float
    unix_s: float
    began_s: float
    ended_s: float
    became: str
    text: str = ""
    confidence: float | None = None
    no_speech: float | None = None
    alternatives: tuple[str, ...] = ()
    language: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    ruling: str | None = None
    cause: str | None = None
    reason: str = ""
    evidence: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    flac: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class StopWordJudged:
    """The robot was held because the stop word may have been said, and it was judged.

    Attributes:
        time_s: Time of the mission at which it was written down.
        unix_s: When it was judged, s since 1970.
        suspected_s: When it was first suspected, s since the source was opened.
        judged_s: When it was judged, s since the source was opened.
        confirmed: Whether it was the stop word, which stops for good.
    """

    time_s: float
    unix_s: float
    suspected_s: float
    judged_s: float
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stop latch was found set."""

    time_s: float
    source: str


@dataclass(frozen=True, slots=True)
class MissionEnded:
    """The mission has an outcome."""

    time_s: float
    result: MissionResult


Event = (
    MissionStarted
    | SceneEstimated
    | Consulted
    | Replying
    | Planned
    | SubgoalStarted
    | Ticked
    | VerdictGiven
    | SubgoalEnded
    | Answered
    | Corrected
    | Heard
    | StopWordJudged
    | Stopped
    | MissionEnded
)
