"""What the fingers tell of what they hold."""

from __future__ import annotations

from agent.types import ActionChunk, Observation
from agent.workspace import FINGERS_APART, FINGERS_MET


class Grip:
    """Follows the fingers over one subgoal.

    Attributes:
        slipped: Whether something that was held has got out, though the fingers were told to stay
            shut.
        empty_ticks: Ticks in a row that the fingers, told to be shut, have had nothing between
            them: they have met, or have been forced open.
        open_ticks: Ticks in a row that they have stood open.
    """

    def __init__(self, *, holding: bool) -> None:
        """Begin a subgoal, which may begin with something in the hand."""
        self.slipped = False
        self.empty_ticks = self.open_ticks = 0
        self._holding, self._gripped = holding, False

    def note(self, observation: Observation, chunk: ActionChunk) -> None:
        """Take in one more tick; what the chunk tells the fingers has not been done yet."""
        met, apart = observation.gripper < FINGERS_MET, observation.gripper > FINGERS_APART
        shut = bool(chunk.actions[0, -1] < 0.5)
        forced = self._gripped and apart
        self._gripped = shut and (self._holding or self._gripped or not (met or apart))
        self.slipped |= forced
        self.empty_ticks = self.empty_ticks + 1 if forced or (shut and met) else 0
        self.open_ticks = self.open_ticks + 1 if apart else 0
