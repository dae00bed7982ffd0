"""How a subgoal that drags on is brought to an end: who has tried for long is less exacting."""

from __future__ import annotations

import numpy as np

from agent.types import FloatArray

_PATIENT_S, _HASTY_S = 4.0, 8.0
"""Up to which age of a subgoal there is no haste, and from which there is all of it, s."""


def haste(elapsed_s: FloatArray | float) -> FloatArray:
    """Return how hasty to be, 0 to 1, when a subgoal has gone on for so many seconds."""
    share = (np.asarray(elapsed_s) - _PATIENT_S) / (_HASTY_S - _PATIENT_S)
    return np.clip(share, 0.0, 1.0).astype(np.float32)
