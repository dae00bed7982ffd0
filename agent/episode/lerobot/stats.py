"""What `stats.json` and `meta/episodes` say of every feature: its range, mean and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
Statistics = dict[str, list[Any]]
Counts = npt.NDArray[np.int64]


def vector_statistics(values: npt.NDArray[Any]) -> Statistics:
    """Return statistics of each dimension; those of one that holds no number are 0.

    Args:
        values: (n, dim); NaN is left out.
    """
    columns = [_known(column) for column in values.astype(np.float64).T]
    found: Statistics = {
        "min": [float(c.min()) for c in columns],
        "max": [float(c.max()) for c in columns],
        "mean": [float(c.mean()) for c in columns],
        "std": [float(c.std()) for c in columns],
        "count": [len(values)],
    }
    for name, share in QUANTILES.items():
        found[name] = [float(np.quantile(c, share)) for c in columns]
    return found


def histogram(images: Sequence[npt.NDArray[np.uint8]]) -> Counts:
    """Return (3, 256): how often each channel of (H, W, 3) images takes each of its values."""
    counts = np.zeros((3, 256), np.int64)
    for image in images:
        for channel in range(3):
            counts[channel] += np.bincount(image[..., channel].ravel(), minlength=256)
    return counts


def image_statistics(counts: Counts, images: int) -> Statistics:
    """Return statistics of each channel in 0..1, of shape (3, 1, 1) each, and of the count (1,).

    Args:
        counts: (3, 256) from `histogram`; no value is lost in it, so these are exact.
        images: How many they are of.
    """
    values = np.arange(256) / 255
    total = counts.sum(axis=1)
    mean = counts @ values / total
    variance = (counts * (values - mean[:, None]) ** 2).sum(axis=1) / total
    below = counts.cumsum(axis=1) / total[:, None]
    found = {
        "min": [values[np.flatnonzero(row)[0]] for row in counts],
        "max": [values[np.flatnonzero(row)[-1]] for row in counts],
        "mean": mean,
        "std": np.sqrt(variance),
        **{
            name: [values[int(np.searchsorted(row, share))] for row in below]
            for name, share in QUANTILES.items()
        },
    }
    stacked: Statistics = {name: [[[float(v)]] for v in three] for name, three in found.items()}
    return {**stacked, "count": [images]}


def _known(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = column[~np.isnan(column)]
    return known if len(known) else np.zeros(1)
