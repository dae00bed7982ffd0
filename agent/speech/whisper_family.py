"""What the Whisper transcribers share: a prompt goes in, scored segments come out."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.protocols import Transcript
from agent.types import Scene

TOKENS = 100
"""Tokens an utterance may have: more than the gate lets through, so that no command is cut, and few
enough that what a decoder invents without end ends soon."""
_LONGEST = 4_000
"""Characters that are kept of a text; the gate refuses one a tenth as long."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an utterance, as a Whisper decoder tells it.

    Attributes:
        text: Its words.
        scores: `avg_logprob`, `compression_ratio`, `no_speech_prob` and `temperature`, as far as
            they are told.
    """

    text: str
    scores: Mapping[str, float]


_WORST = {
    "avg_logprob": min,
    "compression_ratio": max,
    "no_speech_prob": max,
    "temperature": max,
}
SCORES = tuple(_WORST)
"""What a decoder tells of a segment."""


def transcript_of(segments: Sequence[Segment], language: str | None) -> Transcript:
    """Return the segments as one transcript, scored as its worst part is.

    A command is carried out as a whole, so it is as doubtful as its most doubtful part. A score
    that one part lacks is left out; without log probabilities the confidence is 0.
    """
    evidence = {
        name: float(worst(part.scores[name] for part in segments))
        for name, worst in _WORST.items()
        if segments and all(name in part.scores for part in segments)
    }
    logprob = evidence.get("avg_logprob", -math.inf)
    return Transcript(
        text=plain(" ".join(part.text for part in segments)),
        confidence=min(math.exp(min(logprob, 0.0)), 1.0),
        no_speech=evidence.get("no_speech_prob", 0.0 if segments else 1.0),
        language=language,
        evidence=evidence,
    )


def plain(text: str) -> str:
    """Return a text in lower case, without punctuation and whatever else is not a word."""
    apostrophes = text[:_LONGEST].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    kept = (c if _is_of_a_word(c) else " " for c in unicodedata.normalize("NFKC", apostrophes))
    words = (word.strip("'") for word in "".join(kept).lower().split())
    return " ".join(word for word in words if word)


def prompt_of(scene: Scene) -> str | None:
    """Return what a decoder is told to expect: names only, None where nothing is there.

    A decoder that hears nothing may repeat its prompt, so that must never read as a command.
    """
    return ", ".join(scene.objects) + "." if scene.objects else None


def _is_of_a_word(character: str) -> bool:
    return character == "'" or character.isalnum() or unicodedata.category(character)[0] == "M"
