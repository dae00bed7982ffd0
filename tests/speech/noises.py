"""What a microphone may pick up that is no command, made from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from agent.types import FloatArray

HZ = 16_000


def silence(rng: np.random.Generator, seconds: float) -> FloatArray:
    return np.zeros(int(seconds * HZ), np.float32)


def white(rng: np.random.Generator, seconds: float) -> FloatArray:
    level = 10 ** rng.uniform(-3, -0.7)
    noise: FloatArray = (level * rng.normal(size=int(seconds * HZ))).astype(np.float32)
    return noise.clip(-1, 1)


def brown(rng: np.random.Generator, seconds: float) -> FloatArray:
    """Rumble, as of motors and wind."""
    walk = np.cumsum(rng.normal(size=int(seconds * HZ)))
    walk -= np.linspace(walk[0], walk[-1], len(walk))
    rumble: FloatArray = (0.3 * walk / np.abs(walk).max()).astype(np.float32)
    return rumble


def music(rng: np.random.Generator, seconds: float) -> FloatArray:
    """Tones with overtones, four a second."""
    notes = []
    for _ in range(int(np.ceil(4 * seconds))):
        pitch, times = 220 * 2 ** (rng.integers(0, 24) / 12), np.arange(HZ // 4) / HZ
        tones = [np.sin(2 * np.pi * n * pitch * times) / n for n in range(1, 5)]
        notes.append(0.15 * np.sum(tones, axis=0) * np.exp(-6 * times))
    return np.concatenate(notes)[: int(seconds * HZ)].astype(np.float32)


NOISES: Mapping[str, Callable[[np.random.Generator, float], FloatArray]] = {
    "silence": silence,
    "white": white,
    "brown": brown,
    "music": music,
}
