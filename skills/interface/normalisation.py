"""Numbers as a model was trained on them, and back."""

from __future__ import annotations

import numpy as np

from agent.types import Vector
from skills.interface.schema import Statistics


def normalised(statistics: Statistics, values: Vector) -> Vector:
    """Return (..., n) numbers as the model knows them; one that never varied becomes 0."""
    middle, half, mask = _band(statistics)
    varies = half > 0
    scaled = np.where(varies, (values - middle) / np.where(varies, half, 1.0), 0.0)
    return np.where(mask, scaled, values)


def restored(statistics: Statistics, values: Vector) -> Vector:
    """Return (..., n) numbers of the model in their own units."""
    middle, half, mask = _band(statistics)
    return np.where(mask, values * half + middle, values)


def _band(statistics: Statistics) -> tuple[Vector, Vector, np.ndarray]:
    """Return what becomes 0, how far from it what becomes 1 is, and which numbers are meant."""
    low, high = np.array(statistics.low), np.array(statistics.high)
    mask = np.array(statistics.mask or (True,) * len(low))
    if statistics.kind == "mean_std":
        return low, high, mask
    return (low + high) / 2, (high - low) / 2, mask
