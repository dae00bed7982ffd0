"""Sounds to hear with: what voices say, noise, and both in one stream."""

from __future__ import annotations

import functools
import shutil

import numpy as np
import pytest

from agent.speech.keyword.corpus import trimmed
from agent.types import FloatArray
from skills.evaluate import voices
from skills.evaluate.voices import RATE

VOICES = {voice.label: voice for voice in voices.VOICES}

needs_voices = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "text2wave"))),
    reason="needs espeak-ng, flite and festival",
)


@functools.cache
def say(voice: str, text: str) -> FloatArray:
    """Return (n,) float32 at 16 kHz, without silence at either end, its loudest sample at 0.5."""
    clip = trimmed(VOICES[voice].say(text))
    return np.asarray(clip * 0.5 / np.abs(clip).max(), dtype=np.float32)


def silence(seconds: float) -> FloatArray:
    """Return the faint hiss of a quiet room."""
    return noise(seconds, 1e-4)


def noise(seconds: float, level: float, seed: int = 0) -> FloatArray:
    """Return white noise of a root mean square."""
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (samples * level).astype(np.float32)


def with_noise(clip: FloatArray, around: FloatArray, snr_db: float) -> FloatArray:
    """Return sound with white noise, so far below a clip of the speech in it."""
    level = float(np.sqrt(np.mean(np.square(clip)))) * 10 ** (-snr_db / 20)
    mixed = np.clip(around + noise(len(around) / RATE, level), -1, 1)
    return np.asarray(mixed, dtype=np.float32)
