"""Sounds to hear with: eight synthetic voices of three engines, noise, and both in one stream."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.speech.keyword.corpus import trimmed
from agent.types import FloatArray

RATE = 16_000


def _espeak(voice: str) -> Callable[[str, Path], list[str]]:
    return lambda text, out: ["espeak-ng", "-v", voice, "-w", str(out), text]


def _flite(voice: str) -> Callable[[str, Path], list[str]]:
    return lambda text, out: ["flite", "-voice", voice, "-t", text, "-o", str(out)]


def _festival(voice: str) -> Callable[[str, Path], list[str]]:
    # text2wave reads a file and no arguments.
    def command(text: str, out: Path) -> list[str]:
        out.with_suffix(".txt").write_text(text)
        choose = f"(voice_{voice})"
        return ["text2wave", "-eval", choose, "-o", str(out), str(out.with_suffix(".txt"))]

    return command


VOICES = {
    "espeak en-us": _espeak("en-us"),
    "espeak en-us+f3": _espeak("en-us+f3"),
    "espeak en-gb": _espeak("en-gb"),
    "espeak en-gb-scotland": _espeak("en-gb-scotland"),
    "flite slt": _flite("slt"),
    "flite rms": _flite("rms"),
    "festival kal": _festival("kal_diphone"),
    "festival slt": _festival("cmu_us_slt_arctic_hts"),
}
"""Name -> the command that writes what it says to a file."""

needs_voices = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "text2wave"))),
    reason="needs espeak-ng, flite and festival",
)


@functools.cache
def say(voice: str, text: str) -> FloatArray:
    """Return (n,) float32 at 16 kHz, without silence at either end, its loudest sample at 0.5."""
    import soundfile
    from scipy.signal import resample_poly

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "said.wav"
        subprocess.run(VOICES[voice](text, out), check=True, capture_output=True)
        samples, rate = soundfile.read(out, dtype="float32")
    clip = trimmed(resample_poly(samples, RATE, rate).astype(np.float32))
    loudest = float(np.abs(clip).max())
    return np.asarray(clip * 0.5 / loudest, dtype=np.float32)


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
