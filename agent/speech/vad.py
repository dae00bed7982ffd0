"""From a stream of sound to utterances: who speaks when, found by Silero's network or by a key."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.errors import MissingDependency
from agent.speech.source import SAMPLE_RATE_HZ, Block
from agent.types import FloatArray

FRAME = 512
"""Samples the network judges at a time: 32 ms."""
_CONTEXT = 64
"""Samples of the frame before that it is shown again."""
_MODEL = "silero_vad_16k_op15.onnx"
_STAYS = 0.15
"""Probability by which speech must fall below the threshold to have ended, so that it does not
flicker."""


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What somebody said in one go.

    Attributes:
        audio: (n,) float32 at 16 kHz, -1..1, with a little of what was before and after.
        began_s: When its first sample was heard, s of the source's time.
        ended_s: When its last sample was heard, s.
        voice_began_s: When the voice in it began, s, or the key was pressed.
        voice_ended_s: When the voice in it ended, s, or the key was released.
        cut_at_s: When it was complete, s of `time.monotonic`.
    """

    audio: FloatArray
    began_s: float
    ended_s: float
    voice_began_s: float
    voice_ended_s: float
    cut_at_s: float = field(default_factory=time.monotonic)


class Endpointer(Protocol):
    """Cuts a stream into utterances."""

    def feed(self, block: Block) -> list[Utterance]:
        """Return the utterances that a block completes, mostly none."""
        ...


class SpeechProbability:
    """Silero's voice activity detector, run by onnxruntime alone and on one thread."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingDependency: silero-vad or onnxruntime is not installed.
        """
        try:
            import onnxruntime
        except ImportError:
            raise MissingDependency(
                "onnxruntime is not installed: pip install 'bosun[speech]'."
            ) from None
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(_model()), options, providers=["CPUExecutionProvider"]
        )
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._before = np.zeros(_CONTEXT, dtype=np.float32)

    def __call__(self, frame: FloatArray) -> float:
        """Return the probability, 0..1, that somebody speaks in the next (512,) samples."""
        shown = np.concatenate([self._before, frame]).astype(np.float32)
        inputs = {"input": shown[None], "state": self._state, "sr": np.array(SAMPLE_RATE_HZ)}
        probability, self._state = self._session.run(None, inputs)
        self._before = frame[-_CONTEXT:]
        return float(probability[0, 0])


def _model() -> Path:
    """Return the network inside the silero-vad package, which is not imported: it wants torch."""
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency("silero-vad is not installed: pip install 'bosun[speech]'.")
    return Path(spec.submodule_search_locations[0]) / "data" / _MODEL


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """When an utterance begins and ends.

    Attributes:
        threshold: Probability 0..1 from which somebody speaks.
        pre_roll_s: Sound kept from before that, so that the first phoneme is never cut, s.
        least_s: Speech that is shorter is none, s.
        silence_s: An utterance ends when nobody spoke for so long, s.
        longest_s: An utterance ends at the latest after this, s; what follows is another one.
    """

    threshold: float = 0.5
    pre_roll_s: float = 0.4
    least_s: float = 0.1
    silence_s: float = 0.6
    longest_s: float = 15.0


class VoiceEndpointer:
    """Finds utterances by voice; in hours without one it keeps no more than the pre-roll."""

    def __init__(self, settings: EndpointSettings | None = None) -> None:
        """Load the network; raises as `SpeechProbability` does."""
        self._settings = settings or EndpointSettings()
        self._probability = SpeechProbability()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, also an utterance that has begun."""
        self._probability.reset()
        self._frames = _Frames()
        self._kept: deque[FloatArray] = deque()
        self._speaks = False
        self._before = self._voiced = self._quiet = 0

    def feed(self, block: Block) -> list[Utterance]:
        """Return the utterances that a block completes; a gap in the stream ends one, too."""
        done = []
        if self._frames.follows_a_gap(block):
            done.append(self._cut() if self._speaks else None)
            self.reset()
        done += [self._hear(frame) for frame in self._frames(block)]
        return [utterance for utterance in done if utterance is not None]

    def _hear(self, frame: FloatArray) -> Utterance | None:
        settings, probability = self._settings, self._probability(frame)
        self._kept.append(frame)
        if not self._speaks:
            if probability < settings.threshold:
                while len(self._kept) * FRAME > settings.pre_roll_s * SAMPLE_RATE_HZ:
                    self._kept.popleft()
                return None
            self._speaks, self._before = True, len(self._kept) - 1
        if probability >= settings.threshold - _STAYS:
            self._voiced, self._quiet = self._voiced + 1, 0
        else:
            self._quiet += 1
        if _seconds(self._quiet) >= settings.silence_s:
            return self._cut()
        return self._cut() if _seconds(len(self._kept)) >= settings.longest_s else None

    def _cut(self) -> Utterance | None:
        """Return what was said up to now and begin anew; None where that was too short."""
        audio, ended_s = np.concatenate(self._kept), self._frames.ended_s
        long_enough = _seconds(self._voiced) >= self._settings.least_s
        began_s = ended_s - len(audio) / SAMPLE_RATE_HZ
        voice = began_s + _seconds(self._before), ended_s - _seconds(self._quiet)
        self._speaks, self._voiced, self._quiet = False, 0, 0
        self._kept.clear()
        return Utterance(audio, began_s, ended_s, *voice) if long_enough else None


class PushToTalk:
    """Takes for an utterance what is said while a key is held."""

    def __init__(self, pre_roll_s: float = 0.3, longest_s: float = 15.0) -> None:
        """Keep a little from before the key, for people speak as they press it."""
        self._pre_roll_s, self._longest_s = pre_roll_s, longest_s
        self._held = False
        self._kept: deque[Block] = deque()
        self._talks, self._talks_since_s = False, 0.0

    def press(self) -> None:
        """Somebody begins to talk; from any thread."""
        self._held = True

    def release(self) -> None:
        """Somebody has said it; from any thread."""
        self._held = False

    def feed(self, block: Block) -> list[Utterance]:
        """Return the utterance that ended with the key or at the longest one allowed."""
        self._kept.append(block)
        talked, self._talks = self._talks, self._held
        if self._talks and not talked:
            self._talks_since_s = block.began_s
        began_s = self._kept[0].began_s
        if self._talks and block.ended_s - began_s < self._longest_s:
            return []
        if talked or self._talks:
            audio = np.concatenate([kept.samples for kept in self._kept])
            self._kept.clear()
            # Of what is longer than allowed, the next utterance begins where this one ends.
            since_s, self._talks_since_s = self._talks_since_s, block.ended_s
            return [Utterance(audio, began_s, block.ended_s, since_s, block.ended_s)]
        while self._kept and block.ended_s - self._kept[0].began_s > self._pre_roll_s:
            self._kept.popleft()
        return []


class _Frames:
    """Cuts blocks of any length into the frames the network wants."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.float32)
        self._next_s: float | None = None
        self.ended_s = 0.0

    def follows_a_gap(self, block: Block) -> bool:
        """Return whether sound is missing before this block."""
        return self._next_s is not None and abs(block.began_s - self._next_s) > 1e-3

    def __call__(self, block: Block) -> list[FloatArray]:
        self._next_s = block.ended_s
        samples = np.concatenate([self._rest, block.samples])
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:]
        frames = list(samples[:whole].reshape(-1, FRAME))
        if frames:
            self.ended_s = block.ended_s - len(self._rest) / SAMPLE_RATE_HZ
        return frames


def _seconds(frames: int) -> float:
    return frames * FRAME / SAMPLE_RATE_HZ
