"""What becomes of the cameras' pictures on their way to the agent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from agent.robots.tabletop.disturbances import DisturbanceSpec
from agent.types import Image

Pictures = Mapping[str, Image]


class Senses:
    """Delays, freezes and blanks pictures, as a `DisturbanceSpec` has it."""

    def __init__(self, spec: DisturbanceSpec) -> None:
        """Begin a mission."""
        self._spec = spec
        self._recent: deque[Pictures] = deque(maxlen=1 + spec.delay_ticks)
        self._last: dict[str, Image] = {}

    def __call__(self, time_s: float, pictures: Pictures) -> dict[str, Image]:
        """Return what the agent is given of the pictures of one tick.

        Args:
            time_s: Of the tick.
            pictures: Camera name -> (H, W, 3) uint8 RGB, as taken.
        """
        self._recent.append(pictures)
        given = {name: self._through(name, time_s, i) for name, i in self._recent[0].items()}
        self._last = given
        return given

    def _through(self, name: str, time_s: float, picture: Image) -> Image:
        if self._spec.camera not in (None, name):
            return picture
        if _begun(self._spec.blank_s, time_s):
            return np.zeros_like(picture)
        if _begun(self._spec.frozen_s, time_s):
            return self._last.get(name, picture)
        return picture


def _begun(at_s: float | None, time_s: float) -> bool:
    return at_s is not None and time_s >= at_s
