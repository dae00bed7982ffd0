"""Whether the cameras still show the world as it is now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from agent.types import Image, Observation, Vector

_BLANK = 3.0
"""Standard deviation over an image, of 255, below which it shows nothing."""
_MOVED_M, _TURNED = 0.003, 0.003
"""How far the tool has gone, m, or turned, as 1 - |cosine of half the angle|, to count as moved."""
_LAG_TICKS = 5
"""How many ticks old a picture may be when it arrives."""
_THROUGH_VIEW_M = 0.15
"""How far it has gone, m, when any camera must have seen it."""
_IN_VIEW_Z = 0.24
"""Height of the tool, m, up to which a camera that stands sees the arm; above it may not."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A picture, and where the tool was when it came for the first time.

    Attributes:
        image: The picture.
        tools: (1 + lag, 7) tool poses up to then, m and wxyz.
        low: (3,) m: where the tool was first in view since then; None if it has not been.
    """

    image: Image
    tools: Vector
    low: Vector | None


class CameraWatch:
    """Finds cameras that show nothing, or show the same though the arm has moved.

    One on the hand never gives the same picture twice while it moves: noise of a real one aside, a
    picture is only repeated bit by bit where it was not taken anew. One that stands may, as long as
    the arm is out of its sight; so all of them must repeat theirs, or one while the tool goes a
    long way in view. Pictures come late: they may still show an arm at rest after it has set out.
    """

    def __init__(self, patience: int = 2) -> None:
        """Call a camera lost after so many ticks in a row."""
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._last: dict[str, _Taken] = {}
        self._bad: dict[str, int] = {}
        self._tools: deque[Vector] = deque(maxlen=1 + _LAG_TICKS)

    def lost(self, observation: Observation) -> str | None:
        """Return what is wrong after one more observation, in a few words, None if nothing is."""
        tool = observation.ee_pose
        # Before the first tick the arm was where it is at that one.
        self._tools.extend([tool] * (1 if self._tools else 1 + _LAG_TICKS))
        tools = np.array(self._tools)
        repeated = {
            name: self._repeats(name, image, tools) for name, image in observation.images.items()
        }
        all_repeat = all(way_m is not None for way_m in repeated.values())
        for name, image in observation.images.items():
            way_m = repeated[name]
            frozen = way_m is not None and (all_repeat or way_m > _THROUGH_VIEW_M)
            wrong = _blank(image) or ("frozen" if frozen else None)
            self._bad[name] = self._bad.get(name, 0) + 1 if wrong else 0
            if wrong and self._bad[name] >= self._patience:
                return f"{name}: {wrong}"
        return None

    def _repeats(self, name: str, image: Image, tools: Vector) -> float | None:
        """Return how far the tool went in view, m, while the picture stayed the same.

        None where the picture is another one, or the tool may hardly have moved between what was
        shown when it came for the first time and what should be shown now.
        """
        before, tool = self._last.get(name), tools[-1]
        point = tool[:3] if tool[2] < _IN_VIEW_Z else None
        if before is None or not np.array_equal(before.image, image):
            self._last[name] = _Taken(image, tools, point)
            return None
        if before.low is None and point is not None:
            self._last[name] = replace(before, low=point)
        # Whatever the lag, it is the same now as it was then.
        turned = 1 - np.abs((before.tools[:, 3:] * tools[:, 3:]).sum(axis=-1))
        moved = np.linalg.norm(tools[:, :3] - before.tools[:, :3], axis=-1)
        if ((moved <= _MOVED_M) & (turned <= _TURNED)).any():
            return None
        if before.low is None or point is None:
            return 0.0
        return float(np.linalg.norm(point - before.low))


def _blank(image: Image) -> str | None:
    """Return "blank" for an image of one colour; every 16th pixel tells."""
    return "blank" if float(image[::4, ::4].std()) < _BLANK else None
