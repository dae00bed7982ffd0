"""Sound as the keyword network hears it: log energies of 40 bands, every 10 ms."""

from __future__ import annotations

from functools import cache

import numpy as np

from agent.types import FloatArray

SAMPLE_RATE_HZ = 16_000
HOP = 160
"""Samples from one frame to the next: 10 ms."""
WINDOW = 400
"""Samples a frame looks at: 25 ms."""
BANDS = 40
_FFT = 512
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_FLOOR = 2e-6
"""Added to energies: about white noise at -59 dBFS. Below it rooms and voices differ in ways that
say nothing about words."""
_CENTRE, _SPREAD = -7.0, 3.0
"""About the mean and spread of log energies in speech, so that the network sees small numbers."""


def log_bands(samples: FloatArray) -> FloatArray:
    """Return (frames, 40) float32 log energies of (n,) samples at 16 kHz, one row per whole frame.

    Leading axes are kept: (batch, n) gives (batch, frames, 40).
    """
    framed = np.lib.stride_tricks.sliding_window_view(samples, WINDOW, axis=-1)[..., ::HOP, :]
    spectrum = np.fft.rfft(framed * _taper(), _FFT)
    energy = np.square(spectrum.real) + np.square(spectrum.imag)
    bands = energy.astype(np.float32) @ _filters()
    logs: FloatArray = (np.log(bands + np.float32(_FLOOR)) - _CENTRE) / _SPREAD
    return logs.astype(np.float32)


class BandStream:
    """Turns blocks of any length into frames, carrying over what does not fill one yet."""

    def __init__(self) -> None:
        """Start in silence."""
        self._rest = np.zeros(WINDOW - HOP, dtype=np.float32)

    def __call__(self, block: FloatArray) -> FloatArray:
        """Return the (frames, 40) that a block of (n,) samples completes; there may be none."""
        samples = np.concatenate([self._rest, block])
        frames = max(0, (len(samples) - WINDOW) // HOP + 1)
        self._rest = samples[frames * HOP :]
        if not frames:
            return np.zeros((0, BANDS), dtype=np.float32)
        return log_bands(samples[: (frames - 1) * HOP + WINDOW])


@cache
def _taper() -> FloatArray:
    return np.hanning(WINDOW).astype(np.float32)


@cache
def _filters() -> FloatArray:
    """Return (257, 40) triangles, evenly spaced on the mel scale and of equal height."""
    mel = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 2)
    edges = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)[:, None]
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rise, fall), 0.0, None) / _FFT
    return triangles.astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))
