"""Sound as a FLAC file in memory, without loss."""

from __future__ import annotations

import io

import numpy as np

from agent.speech.source import SAMPLE_RATE_HZ, sound_files
from agent.types import FloatArray

_FULL_SCALE = 1 << 23


def to_flac(audio: FloatArray) -> bytes:
    """Return a FLAC file of 24 bits, which is all that a microphone has.

    Args:
        audio: (n,) float32 at 16 kHz, -1..1; what is louder is cut off there.

    Raises:
        MissingDependency: soundfile is not installed.
    """
    # The library's own way from floats scales by one less than a power of two, which no reader
    # undoes to the last bit.
    whole = np.rint(audio.astype(np.float64) * _FULL_SCALE)
    samples = np.clip(whole, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32) << 8
    file = io.BytesIO()
    sound_files().write(file, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_24")
    return file.getvalue()
