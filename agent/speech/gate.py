"""What is taken of what was heard: a transcript may move the robot, be asked about, or do nothing.

Decoders invent: out of noise come polite phrases, repetitions and commands. Nothing here reads
meaning; what the planner makes of the words is told to it. Stop words do not come this way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agent.protocols import Transcript
from agent.sections import Bound, GateConfig
from agent.speech.reading import Reading
from agent.types import Plan

_REPEATED = re.compile(r"(\S.{0,60}?)\1{3,}")
"""Something that comes four times running; nobody asks four times in one breath."""
_LONGEST_WORD = 30
_INVENTED = re.compile(
    r"((thank(s| you)( all| so much| very much)*)( for (watching|listening|your attention))?"
    r"|.*\b(for watching|subscribe|like and share|see you (in the )?next (time|video|one))\b.*"
    r"|.*\b(subtitles|subtitled|captions?|captioned|transcri(bed|ption)|translated) by\b.*"
    r"|.*\bamara org\b.*|(bye ?)+|you|music|applause|silence|blank audio|laughter|foreign)"
)
"""What Whisper says when nobody speaks, learned from the subtitles of films."""


_AROUND_S, _WORD_S = 1.0, 1.0
"""What an utterance keeps of the silence around it, and how long one word alone may take, s."""


class Ruling(StrEnum):
    """What becomes of a transcript."""

    ACCEPT = "accept"
    CONFIRM = "confirm"
    REJECT = "reject"


class Cause(StrEnum):
    """Why; a closed list. The last four do not refuse."""

    EMPTY = "empty"
    OTHER_LANGUAGE = "other_language"
    TOO_LONG = "too_long"
    TOO_FAST = "too_fast"
    REPEATED = "repeated"
    INVENTED = "invented"
    SCORED_BADLY = "scored_badly"
    NOT_UNDERSTOOD = "not_understood"
    DOUBTFUL = "doubtful"
    AMBIGUOUS = "ambiguous"
    ALWAYS_ASKED = "always_asked"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What becomes of a transcript, and why.

    Attributes:
        ruling: Whether it may move the robot, must be asked about, or is left alone.
        cause: Code of why.
        reason: The same in words, for the log and the operator.
        reply: What to say to the person; empty where an answer would only disturb.
        evidence: The numbers it rests on, by their names.
    """

    ruling: Ruling
    cause: Cause
    reason: str
    reply: str = ""
    evidence: Mapping[str, float] = field(default_factory=dict)


class Judge(Protocol):
    """Rules what becomes of words."""

    def decide(
        self, transcript: Transcript, seconds: float, reading: Reading | None = None
    ) -> GateDecision:
        """Return what becomes of them; with what the planner makes of them once it is known."""
        ...

    def sure(self, transcript: Transcript, seconds: float) -> bool:
        """Return whether a word or two, such as a yes, were surely said, and nothing else."""
        ...


class Gate:
    """Judges transcripts of one kind of transcriber."""

    def __init__(self, config: GateConfig, transcriber: str, *, confirm: bool = True) -> None:
        """Take the bounds for a transcriber.

        Args:
            config: The bounds.
            transcriber: As `speech.transcriber` names it.
            confirm: Whether a transcriber that cannot tell commands from other speech is always
                asked about. What is doubtful is asked about in any case.
        """
        is_sphinx = transcriber.partition(":")[0] == "pocketsphinx"
        self._config = config
        self._bounds = config.pocketsphinx if is_sphinx else config.whisper
        # It hears a command in everything, for it knows nothing else.
        self._always_asks = is_sphinx and confirm
        self._is_sphinx = is_sphinx

    def decide(
        self, transcript: Transcript, seconds: float, reading: Reading | None = None
    ) -> GateDecision:
        """Return what becomes of a transcript; ask again with its meaning before anything moves.

        Args:
            transcript: What was heard.
            seconds: Length of the sound it was heard in, s.
            reading: What the planner makes of it, once it is known.
        """
        words = transcript.text.split()
        evidence = {
            **scores(transcript),
            "words": float(len(words)),
            "seconds": seconds,
        }
        refused = (
            self._shape(transcript, words, seconds) or self._scored(evidence) or _unread(reading)
        )
        if refused is not None:
            cause, reason = refused
            # Whoever was heard well deserves an answer; noise does not.
            speaks = cause is Cause.NOT_UNDERSTOOD and not self._doubt(evidence)
            reply = reading.plan.question or "" if speaks and reading is not None else ""
            return GateDecision(Ruling.REJECT, cause, reason, reply, evidence)
        asked = _question(transcript.text, reading)
        if doubt := self._doubt(evidence):
            return GateDecision(Ruling.CONFIRM, Cause.DOUBTFUL, doubt, asked, evidence)
        if unsure := _unsure(transcript.text, reading):
            return GateDecision(Ruling.CONFIRM, Cause.AMBIGUOUS, unsure, asked, evidence)
        if self._always_asks:
            reason = "This transcriber hears commands in other speech too."
            return GateDecision(Ruling.CONFIRM, Cause.ALWAYS_ASKED, reason, asked, evidence)
        return GateDecision(Ruling.ACCEPT, Cause.CLEAR, "It was heard well.", "", evidence)

    def sure(self, transcript: Transcript, seconds: float) -> bool:
        """Return whether a word or two, such as a yes, were surely said, and nothing else.

        Pocketsphinx scores so few words low, even where it is right. But a yes takes no longer than
        a yes, and the "yes please" that it hears in longer speech is heard by one decoder only.

        Args:
            transcript: What was heard.
            seconds: Length of the sound it was heard in, s.
        """
        words = transcript.text.split()
        if seconds > _AROUND_S + _WORD_S * len(words) or self._shape(transcript, words, seconds):
            return False
        if self._is_sphinx:
            return transcript.evidence.get("agreement", 0.0) >= 1.0
        return self._scored(scores(transcript)) is None

    def _shape(
        self, transcript: Transcript, words: list[str], seconds: float
    ) -> tuple[Cause, str] | None:
        """Return why the words cannot have been said, whatever their scores."""
        limits, text = self._config, transcript.text
        if not words:
            return Cause.EMPTY, "There are no words in it."
        if transcript.language is not None and transcript.language not in limits.languages:
            return Cause.OTHER_LANGUAGE, f"It seems to be {transcript.language!r}."
        if len(words) > limits.words or len(text) > 10 * limits.words:
            return Cause.TOO_LONG, f"{len(words)} words are more than a command has."
        if not len(words) <= limits.words_per_s * seconds:
            return Cause.TOO_FAST, f"Nobody says {len(words)} words in {seconds:.1f} s."
        if _REPEATED.search(f"{text} ") or max(map(len, words)) > _LONGEST_WORD:
            return Cause.REPEATED, "It goes round in circles."
        if _INVENTED.fullmatch(text):
            return Cause.INVENTED, "Decoders hear this where nobody speaks."
        return None

    def _scored(self, evidence: Mapping[str, float]) -> tuple[Cause, str] | None:
        for bound in self._bounds:
            value = evidence.get(bound.score)
            if value is not None and not _better(bound, value, bound.reject):
                said = f"{bound.score} is {value:.2f}; {bound.reject:g} is refused."
                return Cause.SCORED_BADLY, said
        return None

    def _doubt(self, evidence: Mapping[str, float]) -> str:
        """Return what is between the bounds or was not told at all; nothing where all is well."""
        for bound in self._bounds:
            value = evidence.get(bound.score)
            if value is None:
                return f"{bound.score} was not told."
            if not _better(bound, value, bound.accept) and value != bound.accept:
                return f"{bound.score} is {value:.2f}; {bound.accept:g} would do."
        return ""


def scores(transcript: Transcript) -> dict[str, float]:
    """Return every score of a transcript by the name that bounds call it by."""
    told = {"confidence": transcript.confidence, "no_speech": transcript.no_speech}
    return {**told, **transcript.evidence}


def _better(bound: Bound, value: float, limit: float) -> bool:
    """Return whether a score is on the good side of a limit; what is no number never is."""
    if not math.isfinite(value):
        return False
    return value > limit if bound.accept > bound.reject else value < limit


def _unread(reading: Reading | None) -> tuple[Cause, str] | None:
    if reading is None or reading.plan.subgoals:
        return None
    return Cause.NOT_UNDERSTOOD, reading.plan.question or "It does not ask for anything."


def _unsure(text: str, reading: Reading | None) -> str:
    """Return what else it may have been; nothing where only the likeliest words make sense."""
    if reading is None:
        return ""
    if reading.others:
        return f"It may also have been {reading.others[0]!r}."
    return f"It sounded more like {text!r}." if reading.text != text else ""


def _question(text: str, reading: Reading | None) -> str:
    """Return what was heard and what would be done, as a question."""
    if reading is None:
        return f"I heard: {text}. Is that right?"
    return f"I heard: {reading.text}. {offer(reading.plan)}"


def offer(plan: Plan) -> str:
    """Return what would be done, as a question that a yes answers."""
    steps = ", then ".join(subgoal.phrase for subgoal in plan.subgoals)
    return f"I would {steps}. Shall I?"
