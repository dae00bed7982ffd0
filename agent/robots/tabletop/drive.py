"""What the arm's position actuators are told, from one command to the next."""

from __future__ import annotations

import numpy as np

from agent.types import Vector


class Drive:
    """Leads the joints' targets to a goal in equal slices of time, and stays there.

    Attributes:
        targets: (7,) rad, what the actuators are told now.
        holding: Whether that is to stay where the arm was found.
    """

    def __init__(self, targets: Vector, *, holding: bool = False) -> None:
        """Stay at (7,) targets in rad."""
        self.targets, self.holding = targets, holding
        self._before = self._after = targets
        self._slices = self._slice = 1

    def aim(self, goal: Vector, slices: int) -> None:
        """Be at (7,) joint positions in rad after so many slices."""
        self._before, self._after = self.targets, goal
        self._slices, self._slice = slices, 0

    def advance(self) -> None:
        """Go on by one slice."""
        self._next()
        self.targets = self._before + (self._after - self._before) * (self._slice / self._slices)
        self.holding = False

    def hold(self, actual: Vector) -> None:
        """Let one slice pass, staying at the (7,) rad where the arm was at the first of them."""
        self._next()
        if not self.holding:
            # The targets run ahead of the arm; to hold is to stay where the arm is.
            self.targets, self.holding = np.asarray(actual), True

    def _next(self) -> None:
        self._slice = min(self._slice + 1, self._slices)
