"""Holds what all signals say of a running subgoal against what is usual of its skill."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from agent.errors import CheckpointError
from agent.events import Strain
from agent.monitor.calibration import Calibration, Fusion
from agent.monitor.conformal import reach
from agent.monitor.signals import OF_HEADS, Tick, all_signals
from agent.monitor.tempo import Tempo
from agent.types import ActionChunk, Observation, Reason

_REASONS: Mapping[str, Reason] = {
    "lateness": Reason.NO_PROGRESS,
    "reversals": Reason.NO_PROGRESS,
    "stillness": Reason.NO_PROGRESS,
    "stall": Reason.NO_PROGRESS,
    "setback": Reason.NO_PROGRESS,
    "spread": Reason.OUT_OF_DISTRIBUTION,
    "inconsistency": Reason.OUT_OF_DISTRIBUTION,
}


def reason(strain: Strain) -> Reason:
    """Return what the signal says that strays farthest."""
    leading = max(strain.signals, key=lambda name: strain.signals[name], default=None)
    return _REASONS[leading] if leading is not None else Reason.LOW_CONFIDENCE


class Watch:
    """Reads the signals of one subgoal at a time, tick by tick."""

    def __init__(self, calibration: Calibration, alpha: float) -> None:
        """Take up what is usual.

        Args:
            calibration: Of the policy that is watched.
            alpha: Chosen rate of false alarms per subgoal, 0..1.

        Raises:
            CheckpointError: It was calibrated on too few runs for that rate.
        """
        self._calibration, self._reach = calibration, {}
        for skill, usual in {**calibration.others, **calibration.skills}.items():
            try:
                self._reach[skill] = reach(usual.worst, alpha)
            except ValueError as error:
                raise CheckpointError(
                    f"The monitor's calibration of {skill!r} does not do: {error} "
                    "Run `bosun eval monitor --calibrate` with more --episodes."
                ) from None
        self._signals = all_signals()

    @property
    def digest(self) -> str:
        """Hash of what counts as usual."""
        return self._calibration.digest

    def reset(self, skill: str, budget_s: float, *, spent: bool = False) -> None:
        """Begin to watch a subgoal; a skill of which nothing is known is let pass.

        The rate of false alarms is promised of one run. Where the same is tried again in the same
        scene, what was unusual before is likely to be so again, and a false alarm would come at
        every try until all budgets are spent. So a subgoal that has raised its alarm has spent it:
        its later tries still tell how far they stray, but nothing is too far.

        Args:
            skill: Its name.
            budget_s: How long it may take, s.
            spent: Whether this very subgoal has raised an alarm before in this mission.
        """
        known = self._calibration
        self._usual = known.skills.get(skill) or known.others.get(skill)
        self._tempo, self._budget_s = Tempo(), budget_s
        self._tick = 0
        if self._usual is not None:
            self._fusion, self._band = Fusion(self._usual.signals), self._usual.fused.band
            self._limit = math.inf if spent else self._reach[skill]
        for signal in self._signals:
            signal.reset()

    def look(
        self, observation: Observation, chunk: ActionChunk, steps: npt.NDArray[np.floating]
    ) -> Strain | None:
        """Return how one more tick compares with what is usual, None where that is not known.

        Args:
            observation: What the robot sensed.
            chunk: What the policy answered.
            steps: (horizon, 3) m: how each row of it moves the tool on.
        """
        if self._usual is None:
            return None
        elapsed_s = self._tempo.note(observation, chunk)
        age, judged_s = self._tempo.judged(chunk)
        tick = Tick(elapsed_s, self._budget_s, observation, chunk, steps, judged_s)
        readings = {s.name: s.read(tick) for s in self._signals}
        score, strays = self._fusion.score(readings, dict.fromkeys(OF_HEADS, age))
        far = self._band.strays(self._tick, score)
        self._tick += 1
        return Strain(far, self._limit, strays)
