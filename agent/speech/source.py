"""Where sound comes from, block by block, and files that are heard as if they were spoken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.errors import MissingDependency, UsageError
from agent.types import FloatArray

SAMPLE_RATE_HZ = 16_000
BLOCK = 320
"""Samples a block has: 20 ms."""
_TAIL_S = 2.0
"""Silence after a file, s, so that the end of its last utterance is heard."""
_SILENCE_DBFS = -120.0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A short piece of sound.

    Attributes:
        samples: (n,) float32 at 16 kHz, -1..1.
        began_s: When its first sample was heard, s since the source was opened. Blocks follow on
            each other, except where sound was lost.
        heard_at_s: When its last sample was heard, by the computer's monotonic clock, s.
    """

    samples: FloatArray
    began_s: float
    heard_at_s: float = field(default_factory=time.monotonic)

    @property
    def ended_s(self) -> float:
        """When the sound after it begins, s."""
        return self.began_s + len(self.samples) / SAMPLE_RATE_HZ

    @property
    def level_dbfs(self) -> float:
        """Root mean square in dB below a square wave at full scale; silence is -120."""
        power = float(np.mean(np.square(self.samples))) if len(self.samples) else 0.0
        return max(_SILENCE_DBFS, 10 * float(np.log10(power + 1e-12)))


class Source(Protocol):
    """A microphone, or what stands in for one."""

    def blocks(self) -> Iterator[Block]:
        """Yield what is heard until there is no more or the source is closed.

        Raises:
            SpeechError: It cannot be heard any more; its sentence says why.
        """
        ...

    def close(self) -> None:
        """Let `blocks` end, from any thread; idempotent."""
        ...


class Playback:
    """Plays sound in real time, or faster, to whoever listens."""

    def __init__(self, sound: Iterable[FloatArray], speed: float | None = 1.0) -> None:
        """Play nothing yet.

        Args:
            sound: Pieces of any length, (n,) float32 at 16 kHz; they are asked for one at a time.
            speed: Of the playing, 1 being real time; None is as fast as it is listened to.
        """
        self._sound, self._speed = sound, speed
        self._closed = threading.Event()

    def blocks(self) -> Iterator[Block]:
        """Yield 20 ms at a time, each when a microphone would have heard it out."""
        began, heard = time.monotonic(), 0
        for samples in _cut(self._sound):
            block = Block(samples, heard / SAMPLE_RATE_HZ)
            if self._speed is not None:
                wait = began + block.ended_s / self._speed - time.monotonic()
                self._closed.wait(max(0.0, wait))
            if self._closed.is_set():
                return
            heard += len(samples)
            yield block

    def close(self) -> None:
        """Stop playing."""
        self._closed.set()


def open_file(path: Path, speed: float | None = 1.0) -> Playback:
    """Return what plays a WAV or FLAC file of any rate and number of channels, then two silent s.

    Raises:
        UsageError: There is no such file, or it holds no sound.
        MissingDependency: soundfile is not installed.
    """
    soundfile = sound_files()
    if not path.is_file():
        raise UsageError(f"There is no sound file {path}.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise UsageError(f"{path} cannot be read as sound: {error}") from None
    return Playback([_at_16_khz(samples.mean(axis=1), rate), _silence()], speed)


def sound_files() -> Any:
    """Return the library that reads and writes files of sound.

    Raises:
        MissingDependency: soundfile is not installed.
    """
    try:
        import soundfile
    except (ImportError, OSError):
        raise MissingDependency(
            "soundfile is not installed: pip install 'bosun[speech]'."
        ) from None
    return soundfile


def _at_16_khz(samples: FloatArray, rate: int) -> FloatArray:
    if rate == SAMPLE_RATE_HZ:
        return samples
    from scipy.signal import resample_poly

    resampled: FloatArray = resample_poly(samples, SAMPLE_RATE_HZ, rate).astype(np.float32)
    return resampled


def _silence() -> FloatArray:
    return np.zeros(round(_TAIL_S * SAMPLE_RATE_HZ), dtype=np.float32)


def _cut(sound: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Yield pieces of any length as blocks, the last one filled up with silence."""
    rest = np.zeros(0, dtype=np.float32)
    for piece in sound:
        rest = np.concatenate([rest, piece])
        whole = len(rest) // BLOCK * BLOCK
        yield from rest[:whole].reshape(-1, BLOCK)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, BLOCK - len(rest)))
