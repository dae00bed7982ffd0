"""From when on what the monitor sees counts."""

from __future__ import annotations

from dataclasses import dataclass

from agent.facts import CERTAIN


@dataclass(frozen=True, slots=True)
class MonitorLimits:
    """Thresholds of the monitor.

    Attributes:
        success: Success head from which the policy is taken to be done, 0..1.
        fact_confidence: Confidence a fact of the scene needs to count, 0..1.
        confirm_ticks: Inferences in a row, one a tick at most, that both witnesses must agree.
        doubt_ticks: Inferences that the success head may say done while the scene does not.
        stuck_s: Seconds without motion that count as stuck.
        stuck_m: Motion of the tool that counts as none, m.
        lost_ticks: Ticks in a row of empty fingers, told to be shut, that count as a lost hold.
        open_ticks: Ticks in a row of open fingers, without the policy saying that it is done, after
            which the scene is asked whether what was carried is where it should be.
        continuous: Whether a subgoal is judged while it runs, too, and not only once the policy
            says it is done or its time is up.
    """

    success: float = 0.5
    fact_confidence: float = CERTAIN
    confirm_ticks: int = 2
    doubt_ticks: int = 12
    stuck_s: float = 3.0
    stuck_m: float = 0.005
    lost_ticks: int = 2
    open_ticks: int = 8
    continuous: bool = True
