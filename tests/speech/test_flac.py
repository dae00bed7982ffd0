"""Sound comes back from FLAC to the last bit."""

from __future__ import annotations

import io

import numpy as np
import pytest

from agent.speech.flac import to_flac
from agent.speech.source import SAMPLE_RATE_HZ
from agent.types import FloatArray


def _read(flac: bytes) -> FloatArray:
    import soundfile

    audio, rate = soundfile.read(io.BytesIO(flac), dtype="float32")
    assert rate == SAMPLE_RATE_HZ
    return np.asarray(audio, np.float32)


@pytest.mark.parametrize("bits", [16, 24])
def test_what_a_microphone_can_tell_survives(bits: int) -> None:
    whole = np.random.default_rng(0).integers(-(1 << bits - 1), 1 << bits - 1, 8000)
    audio = (whole / (1 << bits - 1)).astype(np.float32)
    assert np.array_equal(_read(to_flac(audio)), audio)


def test_silence_is_small() -> None:
    assert len(to_flac(np.zeros(160_000, np.float32))) < 3_000


def test_finer_or_louder_sound_is_rounded_and_cut_off() -> None:
    audio = np.array([1.5, 1.0, -2.0, 1e-9, 0.1], np.float32)
    assert _read(to_flac(audio)) == pytest.approx([1.0, 1.0, -1.0, 0.0, 0.1], abs=2**-23)
