"""What is learned of an utterance on its way from sound to what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.conversation import Became
from agent.events import Heard
from agent.protocols import Transcript
from agent.speech.flac import to_flac
from agent.speech.gate import GateDecision
from agent.speech.vad import Utterance


@dataclass(slots=True)
class Account:
    """One utterance, filled in as it is handled.

    Attributes:
        utterance: What was heard.
        became: What became of it.
        reason: Why, in words; the gate's own where it was asked.
        transcript: What was understood; None where the decoder was not asked, or could not tell.
        ruled: What the gate ruled; None where it was not asked.
        seconds: How long each stage took, s, by its name.
    """

    utterance: Utterance
    became: Became = Became.IGNORED
    reason: str = ""
    transcript: Transcript | None = None
    ruled: GateDecision | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note what has passed already."""
        heard = self.utterance
        # Nobody can say when the sound of a voice ended but by the sound's own clock.
        self.seconds["endpointing"] = heard.ended_s - heard.voice_ended_s

    def waited(self) -> None:
        """Say that its turn has come."""
        self.seconds["waiting"] = time.monotonic() - self.utterance.cut_at_s

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure how long a stage takes, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began

    @property
    def sentence(self) -> str:
        """What happened, for whoever watches."""
        if self.transcript is None:
            return self.reason
        why = f" {self.reason}" if self.reason else ""
        took_s = self.seconds["transcription"] + self.seconds["understanding"]
        return (
            f"Heard {self.transcript.text or 'nothing'!r} ({self.transcript.confidence:.0%}, "
            f"{took_s:.1f} s): {self.became.value}.{why}"
        )

    def event(self) -> Heard:
        """Return it for an episode; its time in the mission is yet to be set.

        Raises:
            MissingDependency: soundfile is not installed.
        """
        heard, said, ruled = self.utterance, self.transcript, self.ruled
        return Heard(
            time_s=0.0,
            unix_s=time.time() - (time.monotonic() - heard.cut_at_s),
            began_s=heard.began_s,
            ended_s=heard.ended_s,
            became=self.became.value,
            text=said.text if said else "",
            confidence=said.confidence if said else None,
            no_speech=said.no_speech if said else None,
            alternatives=said.alternatives if said else (),
            language=said.language if said else None,
            scores=said.evidence if said else {},
            ruling=ruled.ruling.value if ruled else None,
            cause=ruled.cause.value if ruled else None,
            reason=self.reason,
            evidence=ruled.evidence if ruled else {},
            seconds=dict(self.seconds),
            flac=to_flac(heard.audio),
        )
