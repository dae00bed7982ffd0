"""Whether the cameras still show the world as it is now."""

from __future__ import annotations

import numpy as np

from agent.types import Image, Observation, Vector

_BLANK = 3.0
"""Standard deviation over an image, of 255, below which it shows nothing."""
_MOVED_M, _TURNED = 0.003, 0.003
"""How far the tool has gone, m, or turned, as 1 - |cosine of half the angle|, to count as moved."""
_THROUGH_VIEW_M = 0.15
"""How far it has gone, m, when any camera must have seen it; near home one that stands does not."""


class CameraWatch:
    """Finds cameras that show nothing, or show the same though the arm has moved.

    One on the hand never gives the same picture twice while it moves: noise of a real one aside, a
    picture is only repeated bit by bit where it was not taken anew. One that stands may, as long as
    the arm is out of its sight; so all of them must repeat theirs, or one over a long way.
    """

    def __init__(self, patience: int = 2) -> None:
        """Call a camera lost after so many ticks in a row."""
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._last: dict[str, tuple[Image, Vector]] = {}
        self._bad: dict[str, int] = {}

    def lost(self, observation: Observation) -> str | None:
        """Return what is wrong after one more observation, in a few words, None if nothing is."""
        repeated = {
            name: self._repeats(name, image, observation.ee_pose)
            for name, image in observation.images.items()
        }
        all_repeat = all(far > 0 for far in repeated.values())
        for name, image in observation.images.items():
            frozen = repeated[name] > (0 if all_repeat else _THROUGH_VIEW_M)
            wrong = _blank(image) or ("frozen" if frozen else None)
            self._bad[name] = self._bad.get(name, 0) + 1 if wrong else 0
            if wrong and self._bad[name] >= self._patience:
                return f"{name}: {wrong}"
        return None

    def _repeats(self, name: str, image: Image, tool: Vector) -> float:
        """Return how far the tool has gone, m, while the picture stayed the same; 0 for hardly."""
        before = self._last.get(name)
        if before is None or not np.array_equal(before[0], image):
            self._last[name] = image, tool
            return 0.0
        # The tool is compared with where it was when this very picture came for the first time.
        turned = 1 - abs(float(before[1][3:] @ tool[3:]))
        moved = float(np.linalg.norm(tool[:3] - before[1][:3]))
        return max(moved, _MOVED_M) if moved > _MOVED_M or turned > _TURNED else 0.0


def _blank(image: Image) -> str | None:
    """Return "blank" for an image of one colour; every 16th pixel tells."""
    return "blank" if float(image[::4, ::4].std()) < _BLANK else None
