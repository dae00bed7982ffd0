"""Actions out of what a server answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from agent.errors import PolicyInvalid
from agent.types import FloatArray

_LARGEST = 1_000_000
"""Numbers an answer may have; no chunk of actions comes near."""


def rows_of(answer: Any, server: str) -> FloatArray:
    """Return (horizon, numbers) float32, leading axes of length 1 taken off.

    Args:
        answer: An array, or lists of numbers or of arrays; one action alone is one row.
        server: Who answered, for the sentence.

    Raises:
        PolicyInvalid: It is no table of numbers.
    """
    try:
        table = np.asarray(answer)
    except (TypeError, ValueError) as error:
        raise PolicyInvalid(f"{server} answers rows of different lengths.") from error
    if table.dtype.kind not in "fiu" or table.size > _LARGEST:
        raise PolicyInvalid(
            f"{server} answers {table.size} values of type {table.dtype}, not a chunk of actions."
        )
    while table.ndim > 2 and table.shape[0] == 1:
        table = table[0]
    if table.ndim == 1:
        table = table[None]
    if table.ndim != 2 or table.size == 0:
        raise PolicyInvalid(
            f"{server} answers actions of shape {table.shape}, not (horizon, numbers)."
        )
    with np.errstate(over="ignore"):
        # What is too large becomes infinite, which the monitor sees.
        return table.astype(np.float32)
