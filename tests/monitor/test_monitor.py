from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from agent.doubles import FixedEstimator
from agent.events import Strain
from agent.monitor.limits import MonitorLimits
from agent.monitor.monitor import SubgoalMonitor
from agent.monitor.watch import Watch
from agent.timing import Timing
from agent.types import (
    ActionChunk,
    Observation,
    Reason,
    Scene,
    Subgoal,
    Verdict,
    VerdictValue,
)
from tests.parts import AFTER, BEFORE, CONTRACTS, HELD, PICK, PLACE, chunk, observation, subgoal
from tests.scenes import scene, tower

LIMITS = MonitorLimits()
Tick = tuple[Observation, ActionChunk]


def _monitor(
    watched: Subgoal,
    scenes: Sequence[Scene] | Callable[[float], Scene],
    limits: MonitorLimits = LIMITS,
    before: Scene = BEFORE,
) -> SubgoalMonitor:
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator(scenes), limits)
    monitor.reset(watched, before)
    return monitor


def _moving(
    success: float | None = 0.0, ticks: int = 400, gripper: float = 1.0, grip: float = 1.0
) -> Iterable[Tick]:
    """Yield ticks of an arm that moves on and on."""
    for tick in range(ticks):
        tool = (0.3 + 0.01 * (tick % 30), 0.0, 0.3)
        yield observation(0.1 * tick, tool, gripper), chunk(success, (0, 0, 0, 0, 0, 0, grip))


def _clocked(ticks: Iterable[Tick]) -> Iterable[Tick]:
    """Yield the ticks one after another in time."""
    for number, (seen, answer) in enumerate(ticks):
        yield replace(seen, time_s=0.1 * number), answer


def _first(monitor: SubgoalMonitor, ticks: Iterable[Tick]) -> tuple[int, Verdict]:
    """Return the tick, counted from 1, that ends the subgoal, and its verdict."""
    for number, (seen, answer) in enumerate(ticks, start=1):
        if verdict := monitor.check(seen, answer):
            return number, verdict
    pytest.fail("There was no verdict.")


def _unsure(confidence: float, *, on: str) -> Scene:
    """Return a scene with the red block on something, not surely."""
    seen = scene(on={"red block": on})
    block = replace(seen.objects["red block"], support_confidence=confidence)
    return Scene(0.0, {**seen.objects, "red block": block})


PUSH = subgoal("push", object="red block", direction="left")
PRESS = subgoal("press", object="button")
OPEN, CLOSE = subgoal("open", object="drawer"), subgoal("close", object="drawer")
STACKING = subgoal("place_on", object="red block", target="green block")
STOWING = subgoal("place_in", object="can", target="drawer")
SHUT, OUT = scene("drawer"), scene("drawer", opening=0.1)
DARK, LIT = scene("button"), scene("button", lit=True)
REACHED: list[tuple[Subgoal, Scene, Scene]] = [
    (PICK, BEFORE, HELD),
    (PLACE, HELD, AFTER),
    (PUSH, BEFORE, scene(at={"red block": (0.66, 0.30)})),
    (OPEN, SHUT, OUT),
    (CLOSE, OUT, SHUT),
    (PRESS, DARK, LIT),
    (PRESS, LIT, DARK),
    (STACKING, HELD, tower("green block", "red block")),
    (STOWING, OUT, scene("drawer", "can", on={"can": "drawer"}, opening=0.1)),
]


@pytest.mark.parametrize(("watched", "before", "reached"), REACHED)
def test_two_witnesses_for_some_ticks_confirm(
    watched: Subgoal, before: Scene, reached: Scene
) -> None:
    ticks, verdict = _first(_monitor(watched, [reached], before=before), _moving(success=0.9))
    assert ticks == LIMITS.confirm_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.CONFIRMED, Reason.DONE)
    assert verdict.confidence == 0.9
    assert all(verdict.evidence["facts"].values())


def _inferred(ticks: Iterable[Tick], every: int, delay: int) -> Iterable[Tick]:
    """Yield the ticks with heads that are told every few ticks, each some ticks old."""
    for number, (seen, answer) in enumerate(ticks):
        told = number // every * every - delay
        yield seen, replace(answer, timing=Timing(0.1 * told, 0.15))


@pytest.mark.parametrize(("every", "delay"), [(1, 1), (2, 2), (5, 3)])
def test_each_inference_is_one_witness_however_long_it_is_the_last(every: int, delay: int) -> None:
    limits = replace(LIMITS, confirm_ticks=3)
    watched = _monitor(PLACE, [AFTER], limits, before=HELD)
    ticks, verdict = _first(watched, _inferred(_moving(success=0.9), every, delay))
    assert ticks == 2 * every + 1
    assert verdict.reason is Reason.DONE
    assert verdict.evidence["success_age_s"] == pytest.approx(0.1 * delay)


def test_an_inference_that_is_never_followed_confirms_nothing() -> None:
    limits = replace(LIMITS, confirm_ticks=2)
    _, verdict = _first(_monitor(PLACE, [BEFORE], limits), _inferred(_moving(0.9), 10_000, 2))
    assert verdict.value is not VerdictValue.CONFIRMED


def test_the_scene_alone_confirms_nothing() -> None:
    _, verdict = _first(_monitor(PLACE, [AFTER]), _moving(success=0.1))
    assert verdict.value is not VerdictValue.CONFIRMED
    assert verdict.reason is Reason.TIMEOUT


def test_a_policy_without_a_success_head_is_never_confirmed() -> None:
    _, verdict = _first(_monitor(PLACE, [AFTER]), _moving(success=None))
    assert verdict.value is not VerdictValue.CONFIRMED


@pytest.mark.parametrize(
    ("watched", "before", "seen", "reason"),
    [
        (PICK, BEFORE, BEFORE, Reason.GRASP_MISSED),
        (PICK, BEFORE, scene(on={"red block": "white bowl"}), Reason.TARGET_MOVED),
        (PICK, BEFORE, scene(on={"green block": "hand"}), Reason.WRONG_OBJECT),
        (PLACE, HELD, scene(on={"red block": "white bowl"}), Reason.NOT_ACHIEVED),
    ],
)
def test_the_policy_alone_confirms_nothing(
    watched: Subgoal, before: Scene, seen: Scene, reason: Reason
) -> None:
    ticks, verdict = _first(_monitor(watched, [seen], before=before), _moving(success=1.0))
    assert ticks == LIMITS.doubt_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, reason)
    assert not any(verdict.evidence["facts"].values())


@pytest.mark.parametrize(("watched", "before", "reached"), REACHED)
def test_what_is_as_it_was_is_not_confirmed(
    watched: Subgoal, before: Scene, reached: Scene
) -> None:
    """The policy says it is done, but nothing came of it."""
    if watched is STOWING:
        before = scene("drawer", "can", on={"can": "hand"}, opening=0.1)
    _, verdict = _first(_monitor(watched, [before], before=before), _moving(success=1.0))
    assert verdict.value is VerdictValue.REFUTED
    wanted = Reason.GRASP_MISSED if watched is PICK else Reason.NOT_ACHIEVED
    assert verdict.reason is wanted


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (0.66, 0.24, Reason.NOT_ACHIEVED),
        (0.66, 0.12, Reason.NOT_ACHIEVED),
        (0.74, 0.22, Reason.NOT_ACHIEVED),
        (0.66, 0.267, Reason.LOW_CONFIDENCE),
        (0.66, 0.273, Reason.LOW_CONFIDENCE),
        (0.70, 0.31, Reason.DONE),
    ],
)
def test_a_push_must_go_far_enough_in_its_direction(x: float, y: float, reason: Reason) -> None:
    seen = scene(at={"red block": (x, y)})
    _, verdict = _first(_monitor(PUSH, [seen]), _moving(success=1.0))
    assert verdict.reason is reason


@pytest.mark.parametrize("support", ["hand", "plate", "blue bowl"])
def test_a_block_that_was_carried_off_was_not_pushed(support: str) -> None:
    seen = BEFORE.moved("red block", support, np.array([0.66, 0.32, 0.02]))
    _, verdict = _first(_monitor(PUSH, [seen]), _moving(success=1.0))
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.NOT_ACHIEVED)


def test_a_press_counts_from_the_lamp_at_reset() -> None:
    """What lit it up before is no work of this subgoal's, and a second press starts anew."""
    monitor = _monitor(PRESS, [LIT], before=DARK)
    assert _first(monitor, _moving(success=1.0))[1].reason is Reason.DONE
    monitor.reset(PRESS, LIT)
    assert _first(monitor, _moving(success=1.0))[1].reason is Reason.NOT_ACHIEVED


def test_a_second_push_counts_from_where_the_first_one_ended() -> None:
    seen = scene(at={"red block": (0.66, 0.30)})
    monitor = _monitor(PUSH, [seen])
    assert _first(monitor, _moving(success=1.0))[1].reason is Reason.DONE
    monitor.reset(PUSH, seen)
    assert _first(monitor, _moving(success=1.0))[1].reason is Reason.NOT_ACHIEVED


@pytest.mark.parametrize(
    ("watched", "before", "reached"), [(PUSH, Scene(0.0), REACHED[2][2]), (PRESS, BEFORE, LIT)]
)
def test_a_change_of_what_was_not_seen_at_first_is_insufficient(
    watched: Subgoal, before: Scene, reached: Scene
) -> None:
    _, verdict = _first(_monitor(watched, [reached], before=before), _moving(success=1.0))
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)


@pytest.mark.parametrize("sure", [0.5, 0.79])
@pytest.mark.parametrize("lit", [LIT, DARK])
def test_a_lamp_that_is_hard_to_tell_is_insufficient(lit: Scene, sure: float) -> None:
    button = replace(lit.objects["button"], articulation_confidence=sure)
    unsure = Scene(0.0, {"button": button})
    _, verdict = _first(_monitor(PRESS, [unsure], before=DARK), _moving(success=1.0))
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)


@pytest.mark.parametrize(
    ("watched", "opening", "reason"),
    [
        (OPEN, 0.04, Reason.NOT_ACHIEVED),
        (OPEN, 0.072, Reason.LOW_CONFIDENCE),
        (OPEN, 0.078, Reason.LOW_CONFIDENCE),
        (OPEN, 0.09, Reason.DONE),
        (CLOSE, 0.04, Reason.NOT_ACHIEVED),
        (CLOSE, 0.017, Reason.LOW_CONFIDENCE),
        (CLOSE, 0.013, Reason.LOW_CONFIDENCE),
        (CLOSE, 0.004, Reason.DONE),
    ],
)
def test_a_drawer_must_be_well_out_or_well_shut(
    watched: Subgoal, opening: float, reason: Reason
) -> None:
    seen = scene("drawer", opening=opening)
    _, verdict = _first(_monitor(watched, [seen], before=SHUT), _moving(success=1.0))
    assert verdict.reason is reason


def test_agreement_must_not_be_broken() -> None:
    monitor = _monitor(PLACE, [AFTER])
    heads = [0.9, 0.1] * 5 + [0.9, 0.9]
    ticks = ((seen, chunk(head)) for (seen, _), head in zip(_moving(), heads, strict=False))
    number, verdict = _first(monitor, ticks)
    assert (number, verdict.reason) == (12, Reason.DONE)


@pytest.mark.parametrize("on", ["blue bowl", "white bowl"])
def test_a_scene_that_is_not_sure_is_insufficient(on: str) -> None:
    unsure = _unsure(LIMITS.fact_confidence - 0.01, on=on)
    ticks, verdict = _first(_monitor(PLACE, [unsure]), _moving(success=1.0))
    assert ticks == LIMITS.doubt_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)


def test_an_object_that_is_not_seen_is_insufficient() -> None:
    _, verdict = _first(_monitor(PLACE, [scene("blue bowl")]), _moving(success=1.0))
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)
    assert verdict.evidence["fact_confidence"] == 0.0


@pytest.mark.parametrize("success", [0.0, 0.49, None])
@pytest.mark.parametrize("seen", [BEFORE, HELD, AFTER, scene("plate")])
@pytest.mark.parametrize("watched", [PICK, PLACE, PUSH, PRESS, OPEN, CLOSE])
def test_time_is_never_success(watched: Subgoal, seen: Scene, success: float | None) -> None:
    ticks, verdict = _first(_monitor(watched, [seen]), _moving(success, gripper=0.5))
    if verdict.reason is Reason.ONE_WITNESS:
        assert success is None and all(verdict.evidence["facts"].values())
    else:
        assert verdict.reason in (Reason.TIMEOUT, Reason.TARGET_MOVED)
        assert ticks == 1 + 10 * CONTRACTS[watched.skill].time_budget_s
    assert verdict.value is not VerdictValue.CONFIRMED
    assert 0.0 <= verdict.confidence <= 1.0


@pytest.mark.parametrize(("watched", "before", "seen"), REACHED)
def test_of_a_policy_without_a_success_head_the_scene_alone_confirms_nothing(
    watched: Subgoal, before: Scene, seen: Scene
) -> None:
    monitor = _monitor(watched, [seen], before=before)
    ticks, verdict = _first(monitor, _moving(None, gripper=0.5))
    assert ticks == LIMITS.confirm_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.ONE_WITNESS)
    assert verdict.evidence["success"] is None
    assert all(verdict.evidence["facts"].values())


@pytest.mark.parametrize(("watched", "before", "seen"), REACHED[:-1])
def test_what_is_looked_at_again_is_judged_at_first_sight(
    watched: Subgoal, before: Scene, seen: Scene
) -> None:
    """What has moved or changed is told from what was seen before the try, and not before this."""
    for now, value, reason in (
        (seen, VerdictValue.CONFIRMED, Reason.DONE),
        (before, VerdictValue.REFUTED, Reason.NOT_ACHIEVED),
        (Scene(0.0), VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE),
    ):
        monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([now]), LIMITS)
        monitor.reset(watched, now, since=before)
        ticks, verdict = _first(monitor, _moving(None, gripper=0.5))
        assert (ticks, verdict.value, verdict.reason) == (1, value, reason)
        assert set(verdict.evidence["facts"].values()) <= {value is VerdictValue.CONFIRMED}
        monitor.reset(watched, before)
        assert monitor.check(*next(iter(_moving(None, gripper=0.5)))) is None


def test_what_is_looked_at_again_by_a_policy_that_answers_nonsense_is_not_done() -> None:
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([AFTER]), LIMITS)
    monitor.reset(PLACE, AFTER, since=HELD)
    verdict = monitor.check(observation(0.0), chunk(None, (np.nan,) * 7))
    assert verdict is not None and verdict.reason is Reason.POLICY_INVALID


def test_when_time_is_up_a_sure_scene_refutes() -> None:
    _, verdict = _first(_monitor(PLACE, [HELD]), _moving(gripper=0.5))
    assert verdict.value is VerdictValue.REFUTED
    for seen in (AFTER, scene("plate"), _unsure(0.3, on="hand")):
        _, verdict = _first(_monitor(PLACE, [seen]), _moving(gripper=0.5))
        assert verdict.value is VerdictValue.INSUFFICIENT


def test_a_scene_that_flickers_does_not_hold_the_monitor_for_ever() -> None:
    _, verdict = _first(
        _monitor(PLACE, lambda time_s: AFTER if round(time_s * 10) % 2 else HELD),
        _moving(success=1.0),
    )
    assert verdict.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    "broken",
    [
        chunk(0.9, (float("nan"), 0, 0, 0, 0, 0, 1)),
        chunk(0.9, (0, 0, 0, 0, 0, 0, float("inf"))),
        chunk(0.9, (0, -30.0, 0, 0, 0, 0, 1)),
        chunk(float("nan")),
        ActionChunk(np.zeros((1, 7), np.float32), 0.1, progress=float("nan"), success=1.0),
    ],
)
def test_an_answer_that_makes_no_sense_is_insufficient_at_once(broken: ActionChunk) -> None:
    ticks, verdict = _first(_monitor(PLACE, [AFTER]), [(observation(), broken)])
    assert ticks == 1
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.POLICY_INVALID)


def test_nan_deep_in_a_chunk_is_found() -> None:
    answer = chunk(1.0, rows=4)
    answer.actions[3, 2] = np.nan
    _, verdict = _first(_monitor(PLACE, [AFTER]), [(observation(), answer)])
    assert verdict.reason is Reason.POLICY_INVALID


def test_a_hold_is_lost_when_the_fingers_close_on_nothing() -> None:
    ticks, verdict = _first(_monitor(PLACE, [HELD]), _moving(gripper=0.05, grip=0.0))
    assert ticks == LIMITS.lost_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.DROPPED)


def test_fingers_that_stand_open_though_told_to_stay_shut_have_lost_their_hold() -> None:
    ticks, verdict = _first(_monitor(PLACE, [HELD]), _moving(gripper=1.0, grip=0.0))
    # The first tick's order has not been carried out when that tick is sensed.
    assert ticks == 1 + LIMITS.lost_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.DROPPED)


def test_a_grasp_that_was_lost_again_is_no_mere_timeout() -> None:
    """The policy may pick the thing up anew, so the loss alone ends nothing."""
    grasped = [*_moving(ticks=5, gripper=0.5, grip=0.0), *_moving(ticks=5, grip=0.0)]
    ticks, verdict = _first(_monitor(PICK, [BEFORE]), _clocked([*grasped, *_moving()]))
    assert ticks == 1 + 10 * CONTRACTS["pick"].time_budget_s
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.DROPPED)


@pytest.mark.parametrize(
    ("watched", "gripper", "grip"),
    [
        (PICK, 1.0, 0.0),
        (PICK, 0.05, 0.0),
        (PLACE, 0.5, 0.0),
        (PLACE, 0.05, 1.0),
        (PUSH, 0.0, 0.0),
        (PRESS, 0.0, 0.0),
        (OPEN, 0.05, 0.0),
        (CLOSE, 0.0, 0.0),
        (subgoal("home"), 0.05, 0.0),
    ],
)
def test_a_hold_is_not_lost(watched: Subgoal, gripper: float, grip: float) -> None:
    _, verdict = _first(_monitor(watched, [HELD]), _moving(gripper=gripper, grip=grip))
    assert verdict.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([(0.01, 0, 0)], Reason.BLOCKED),
        ([(0, 0, -0.004)], Reason.BLOCKED),
        ([(0.01, 0, 0), (-0.01, 0, 0)], Reason.STUCK),
    ],
)
def test_an_arm_that_is_sent_on_and_does_not_move_is_blocked(
    steps: list[tuple[float, float, float]], reason: Reason
) -> None:
    """One that is sent to and fro is not."""
    still = (
        (observation(0.1 * tick), chunk(action=(*steps[tick % len(steps)], 0, 0, 0, 1)))
        for tick in range(200)
    )
    _, verdict = _first(_monitor(OPEN, [SHUT], before=SHUT), still)
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, reason)


def test_what_was_let_go_of_and_lies_elsewhere_is_dropped() -> None:
    ticks, verdict = _first(_monitor(PLACE, [BEFORE]), _moving(gripper=1.0, grip=1.0))
    assert ticks == LIMITS.open_ticks
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.DROPPED)


def test_what_was_let_go_of_and_lies_nobody_knows_where_is_not_called_dropped() -> None:
    unsure = _unsure(0.5, on="table")
    _, verdict = _first(_monitor(PLACE, [unsure]), _moving(gripper=1.0, grip=1.0))
    assert (verdict.value, verdict.reason) == (VerdictValue.INSUFFICIENT, Reason.TIMEOUT)


def test_what_was_let_go_of_and_lies_where_it_should_is_not_dropped() -> None:
    _, verdict = _first(_monitor(PLACE, [AFTER]), _moving(gripper=1.0, grip=1.0))
    assert verdict.reason is Reason.TIMEOUT


def test_an_arm_that_does_not_move_is_stuck() -> None:
    still = ((observation(0.1 * tick), chunk(action=(0,) * 7)) for tick in range(200))
    ticks, verdict = _first(_monitor(PICK, [BEFORE]), still)
    assert (verdict.value, verdict.reason) == (VerdictValue.REFUTED, Reason.STUCK)
    assert 0.1 * (ticks - 1) == pytest.approx(LIMITS.stuck_s, abs=0.2)


def test_an_arm_that_pauses_is_not_stuck() -> None:
    def ticks() -> Iterable[Tick]:
        for tick in range(200):
            yield observation(0.1 * tick, (0.4, 0.02 * (tick // 25), 0.3)), chunk()

    _, verdict = _first(_monitor(PICK, [BEFORE]), ticks())
    assert verdict.reason is Reason.TIMEOUT


def test_an_arm_that_waits_on_purpose_is_not_stuck() -> None:
    limits = MonitorLimits(stuck_s=0.5)
    still = ((observation(0.1 * tick), chunk(action=(0,) * 7)) for tick in range(200))
    _, verdict = _first(_monitor(subgoal("wait"), [BEFORE], limits), still)
    assert verdict.reason is Reason.TIMEOUT


@pytest.mark.parametrize("skill", ["home", "look", "wait"])
def test_primitives_confirm_by_their_own_word(skill: str) -> None:
    ticks, verdict = _first(_monitor(subgoal(skill), [BEFORE]), _moving(success=1.0))
    assert (ticks, verdict.reason) == (LIMITS.confirm_ticks, Reason.DONE)
    assert verdict.confidence == 1.0


def test_a_release_is_only_believed_when_the_hand_is_seen_empty() -> None:
    _, verdict = _first(_monitor(subgoal("release"), [BEFORE]), _moving(success=1.0))
    assert verdict.reason is Reason.DONE
    _, verdict = _first(_monitor(subgoal("release"), [HELD]), _moving(success=1.0))
    assert verdict.value is VerdictValue.REFUTED


def test_reset_forgets_the_last_subgoal() -> None:
    monitor = _monitor(PLACE, [HELD])
    for seen, answer in list(_moving(success=1.0))[: LIMITS.doubt_ticks - 1]:
        assert monitor.check(seen, answer) is None
    monitor.reset(PLACE, HELD)
    ticks, _ = _first(monitor, _moving(success=1.0))
    assert ticks == LIMITS.doubt_ticks


def test_the_time_counts_from_the_start_of_the_subgoal() -> None:
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([BEFORE]), LIMITS)
    monitor.reset(PICK, Scene(100.0))
    assert monitor.check(observation(100.1), chunk()) is None
    verdict = monitor.check(observation(112.0, (0.5, 0.1, 0.2)), chunk())
    assert verdict is not None
    assert verdict.reason is Reason.TIMEOUT


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_a_confirmation_had_two_witnesses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    watched = [PICK, PLACE][seed % 2]
    done = CONTRACTS[watched.skill].facts("done", watched.args)[0]
    seen = [[BEFORE, HELD, AFTER, _unsure(0.4, on="blue bowl")][i] for i in rng.integers(0, 4, 500)]
    monitor = _monitor(watched, lambda time_s: seen[round(time_s * 10)])
    heads = rng.random(500) ** 0.3
    for tick, (state, _) in enumerate(_moving(ticks=200)):
        verdict = monitor.check(state, chunk(float(heads[tick])))
        if verdict is None:
            continue
        if verdict.value is VerdictValue.CONFIRMED:
            last = range(tick - LIMITS.confirm_ticks + 1, tick + 1)
            wanted = HELD if done.predicate == "held" else AFTER
            assert all(heads[i] >= LIMITS.success and seen[i] is wanted for i in last)
        return
    pytest.fail("There was no verdict.")


class _Jumpy(Watch):
    """Finds every tick a little unusual; keeps which tries it was told are spent."""

    def __init__(self) -> None:
        self.spent: list[bool] = []

    def reset(self, skill: str, budget_s: float, *, spent: bool = False) -> None:
        self.spent.append(spent)

    def look(
        self, observation: Observation, chunk: ActionChunk, steps: npt.NDArray[np.floating]
    ) -> Strain:
        return Strain(2.0, 1.0, {"spread": 2.0})


def test_one_alarm_is_the_last_of_its_subgoal_in_a_mission() -> None:
    watch = _Jumpy()
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([BEFORE]), LIMITS, watch)
    for watched in (PICK, PICK, PUSH, PICK, PUSH):
        monitor.reset(watched, BEFORE)
        for seen, answer in _moving(ticks=3):
            verdict = monitor.check(seen, answer)
            assert verdict is not None and verdict.reason is Reason.OUT_OF_DISTRIBUTION
    assert watch.spent == [False, True, False, True, True]
