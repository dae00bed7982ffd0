"""How the robot hears and speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from agent.sections.section import Section


class Bound(Section):
    """From where a transcript is trusted by one score of its decoder, and where it is refused."""

    score: str
    """`confidence`, `no_speech` or the name of one of the decoder's own scores."""
    accept: float
    """As good as this is taken as it is."""
    reject: float
    """As bad as this is refused; in between the robot asks. Which of the two is larger says which
    way is better."""

    @model_validator(mode="after")
    def _has_a_direction(self) -> Self:
        if self.accept == self.reject:
            raise ValueError(f"accept and reject of {self.score!r} must differ")
        return self


_WHISPER_BOUNDS = (
    Bound(score="avg_logprob", accept=-0.5, reject=-1.0),
    Bound(score="no_speech_prob", accept=0.4, reject=0.6),
    Bound(score="compression_ratio", accept=2.0, reject=2.4),
)
"""Where the decoders themselves see a failure, and stricter bounds for what is not asked about."""


class GateConfig(Section):
    """When what was heard is taken, asked about or refused.

    `python -m tests.benchmarks.gate` measures where the bounds should be.
    """

    pocketsphinx: tuple[Bound, ...] = (Bound(score="confidence", accept=0.6, reject=0.25),)
    """Bounds on what pocketsphinx hears; a plan from it is asked about in any case."""
    whisper: tuple[Bound, ...] = _WHISPER_BOUNDS
    """Bounds on what Whisper hears, whoever runs it."""
    languages: tuple[str, ...] = ("en",)
    """Codes of the languages in which the robot may be spoken to."""
    words: int = Field(default=60, ge=1)
    """Words an utterance may have."""
    words_per_s: float = Field(default=6.0, gt=0)
    """Words a second may hold; people say two to four."""


class SpeechConfig(Section):
    """How the robot hears and speaks."""

    transcriber: str = "pocketsphinx"
    """What turns sound into words: `pocketsphinx`, `whisper:MODEL`, `faster-whisper:MODEL` or
    `openai:MODEL`; a MODEL is a name or a local folder."""
    device: str | None = None
    """The microphone, by a part of its name; None is the system's own."""
    gate: GateConfig = GateConfig()
    """What is taken of what was heard."""
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    """Address of the server of `openai:MODEL`, with `/v1`, where it is not OpenAI's own."""
    key_env: str | None = None
    """Environment variable that holds the key to it; none means OPENAI_API_KEY."""
    key_file: Path | None = None
    """File that holds the key and nothing else, where it is not in the environment."""
    limit_s: float = Field(default=10.0, gt=0)
    """How long a server may take over an utterance, s, tries and waits included."""
    tries: int = Field(default=3, ge=1, le=10)
    """How often it is asked where the server is busy, fails or breaks off."""
    voice: str = "auto"
    """What speaks: `auto` is the first of espeak-ng, flite and festival that is installed, `none`
    only prints; else a command that speaks what it reads from its standard input."""
    stop_words: tuple[str, ...] = Field(default=("stop",), min_length=1)
    """What makes it stop at once, always listened for. `stop` is heard by a network of its own, in
    noise too; any other word of pocketsphinx's English dictionary in quiet rooms only."""
