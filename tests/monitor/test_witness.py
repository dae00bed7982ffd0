"""A third witness that may object to success, and the second one where there is no success head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.doubles import FixedEstimator, ScriptedChecker
from agent.events import Consulted, VerdictGiven
from agent.monitor.limits import MonitorLimits
from agent.monitor.monitor import SubgoalMonitor
from agent.protocols import Answer, Checked
from agent.types import (
    MissionOutcome,
    Observation,
    Plan,
    Reason,
    Scene,
    Subgoal,
    SubgoalOutcome,
    Verdict,
    VerdictValue,
)
from tests.parts import AFTER, BEFORE, COMMAND, CONTRACTS, HELD, PICK, PLACE, Bench, chunk, subgoal
from tests.parts import observation as bare

LIMITS = MonitorLimits()
YES, NO = Checked(Answer.YES), Checked(Answer.NO)
UNKNOWN, LATE = Checked(Answer.UNKNOWN), Checked(Answer.UNKNOWN, "timeout")
SPENT = Checked(Answer.UNKNOWN, "over_budget")


def _observation(tick: int) -> Observation:
    """Return an observation whose front picture tells its tick, and which moves on."""
    front = np.full((8, 8, 3), tick, np.uint8)
    # A camera that shows one colour counts as lost.
    front[4:] = 255
    return replace(bare(0.1 * tick, (0.3 + 0.01 * tick, 0.0, 0.3)), images={"front": front})


def _run(
    told: Sequence[Checked | None],
    watched: Subgoal = PLACE,
    seen: Scene = AFTER,
    success: float | None = 0.9,
    ticks: int = 20,
) -> tuple[ScriptedChecker, Verdict | None]:
    """Return whom was asked, and the first verdict."""
    checker = ScriptedChecker(told)
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([seen]), LIMITS, checker=checker)
    monitor.reset(watched, BEFORE)
    for tick in range(ticks):
        if verdict := monitor.check(_observation(tick), chunk(success)):
            return checker, verdict
    return checker, None


def test_a_yes_confirms_and_is_in_the_evidence() -> None:
    _, verdict = _run([YES])
    assert verdict is not None
    assert (verdict.value, verdict.reason) == (VerdictValue.CONFIRMED, Reason.DONE)
    assert verdict.evidence["vlm"] == "yes"
    assert verdict.evidence["facts"] == {"in(red block, blue bowl)": True}


def test_a_no_withholds_the_confirmation() -> None:
    _, verdict = _run([NO])
    assert verdict is not None
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)
    assert verdict.evidence["vlm"] == "no"
    assert verdict.evidence["facts"] == {"in(red block, blue bowl)": True}


@pytest.mark.parametrize("told", [UNKNOWN, LATE, SPENT])
def test_what_is_not_known_is_no_witness_and_the_evidence_says_so(told: Checked) -> None:
    _, verdict = _run([told])
    assert verdict is not None
    assert (verdict.value, verdict.reason) == (VerdictValue.CONFIRMED, Reason.DONE)
    assert verdict.evidence["vlm"] == "unknown"
    assert verdict.evidence.get("vlm_fault") == told.fault


def test_without_a_success_head_a_yes_is_the_second_witness() -> None:
    checker, verdict = _run([YES], success=None)
    assert verdict is not None
    assert (verdict.value, verdict.reason) == (VerdictValue.CONFIRMED, Reason.DONE)
    assert verdict.evidence["vlm"] == "yes"
    assert len(checker.asked) == 1


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (NO, Reason.LOW_CONFIDENCE),
        (UNKNOWN, Reason.ONE_WITNESS),
        (LATE, Reason.ONE_WITNESS),
        (SPENT, Reason.ONE_WITNESS),
    ],
)
def test_without_a_success_head_nothing_but_a_yes_confirms(told: Checked, reason: Reason) -> None:
    _, verdict = _run([told], success=None)
    assert verdict is not None
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, reason)
    assert verdict.evidence.get("vlm_fault") == told.fault


def test_without_a_success_head_a_yes_confirms_nothing_that_the_scene_does_not_say() -> None:
    checker, verdict = _run([YES], watched=PICK, seen=BEFORE, success=None, ticks=60)
    assert verdict is None
    assert checker.asked == []


def test_without_a_success_head_a_stop_while_it_is_asked_is_no_verdict() -> None:
    _, verdict = _run([None], success=None)
    assert verdict is None


def test_it_is_asked_once_with_the_first_picture_and_the_present_one() -> None:
    checker, _ = _run([YES])
    [(before, after)] = checker.shown
    assert before[1, 0, 0] == 0
    assert after[1, 0, 0] == LIMITS.confirm_ticks - 1
    assert checker.asked == [(PLACE.phrase, ("in(red block, blue bowl)",))]


@pytest.mark.parametrize(("seen", "success"), [(HELD, 0.9), (AFTER, 0.1), (Scene(0.0), 0.9)])
def test_a_yes_alone_makes_no_success(seen: Scene, success: float) -> None:
    """It is not even asked where the head or the scene says anything else."""
    checker, verdict = _run([YES], seen=seen, success=success, ticks=400)
    assert checker.shown == []
    assert verdict is not None and verdict.value is not VerdictValue.CONFIRMED


@pytest.mark.parametrize("skill", ["home", "look", "wait"])
def test_of_what_promises_nothing_nothing_is_asked(skill: str) -> None:
    checker, verdict = _run([NO], subgoal(skill))
    assert checker.shown == []
    assert verdict is not None and verdict.reason is Reason.DONE
    assert "vlm" not in verdict.evidence


def test_a_robot_without_a_front_camera_has_no_third_witness() -> None:
    checker = ScriptedChecker([NO])
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([AFTER]), LIMITS, checker=checker)
    monitor.reset(PLACE, BEFORE)
    verdicts = [monitor.check(bare(0.1 * tick), chunk(0.9)) for tick in range(2)]
    assert verdicts[0] is None and verdicts[1] is not None
    assert verdicts[1].reason is Reason.DONE
    assert verdicts[1].evidence["vlm_fault"] == "no_picture"
    assert checker.shown == []


def test_each_subgoal_has_a_first_picture_of_its_own() -> None:
    checker = ScriptedChecker([YES])
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([AFTER]), LIMITS, checker=checker)
    for start in (0, 50):
        monitor.reset(PLACE, BEFORE)
        assert monitor.check(_observation(start), chunk(0.9)) is None
        assert monitor.check(_observation(start + 1), chunk(0.9)) is not None
    assert [int(before[1, 0, 0]) for before, _ in checker.shown] == [0, 50]


class _Stopping(ScriptedChecker):
    """Is asked while somebody stops the robot."""

    bench: Bench

    def check(self, *asked: object, **named: object) -> Checked | None:
        self.bench.robot.stop()
        return None


def test_a_stop_while_it_is_asked_ends_the_subgoal_as_stopped_and_sends_nothing() -> None:
    checker = _Stopping([None])
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([HELD]), LIMITS, checker=checker)
    bench = Bench(
        [Plan(command=COMMAND, subgoals=(PICK,))],
        scenes=[BEFORE, HELD],
        monitor=monitor,
    )
    checker.bench = bench
    bench.policy.infer = lambda observation: chunk(0.9)  # type: ignore[method-assign]
    result = bench.runtime.run(COMMAND, 1)
    assert result.outcome is MissionOutcome.STOPPED
    [stopped] = result.results
    assert stopped.outcome is SubgoalOutcome.STOPPED
    [given] = bench.recorder.of(VerdictGiven)
    assert given.verdict.reason is Reason.STOPPED
    assert len(bench.robot.sent) == LIMITS.confirm_ticks - 1
    assert bench.recorder.of(Consulted) == []
