from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest

from agent.doubles import FixedEstimator, Recorder, ScriptedMonitor, ScriptedPolicy, StillRobot
from agent.errors import CameraLost, RobotLost, RobotStopped, ShieldBreach
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    Stopped,
    Strain,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
)
from agent.monitor.limits import MonitorLimits
from agent.monitor.monitor import SubgoalMonitor
from agent.parts import Budget
from agent.types import (
    ActionChunk,
    Image,
    MissionOutcome,
    Observation,
    Plan,
    Reason,
    Scene,
    SkillContract,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Vector,
    Verdict,
    VerdictValue,
)
from tests.parts import (
    AFTER,
    ALONE,
    ASKS,
    BAD,
    BEFORE,
    COMMAND,
    CONTRACTS,
    DONE,
    DROPPED,
    HELD,
    LATE,
    LOOK,
    MISSED,
    PICK,
    PLACE,
    PLAN,
    UNSURE,
    Bench,
    chunk,
    subgoal,
)
from tests.scenes import scene

# The estimator is asked once at the start, then at each subgoal's start and end: the scenes of
# pick, place and the closing look when all goes well.
WELL = (BEFORE, BEFORE, HELD, HELD, AFTER, AFTER)


def _skills(recorder: Recorder) -> list[str]:
    return [event.subgoal.skill for event in recorder.of(SubgoalStarted)]


class _Stopper:
    """Stops a robot at the nth event of a kind."""

    def __init__(self, robot: StillRobot, kind: type, nth: int = 1) -> None:
        self._robot, self._kind, self._left = robot, kind, nth
        self.sent_by_then = 0

    def on_event(self, event: Event) -> None:
        if isinstance(event, self._kind):
            self._left -= 1
            if self._left == 0:
                self._robot.stop()
                self.sent_by_then = len(self._robot.sent)


def test_a_mission_that_goes_well() -> None:
    bench = Bench(scenes=WELL)
    result = bench.runtime.run(COMMAND, 3)
    assert result.outcome is MissionOutcome.SUCCESS
    assert [r.subgoal for r in result.results] == [PICK, PLACE]
    assert [r.ticks for r in result.results] == [2, 2]
    assert result.replans == 0
    assert result.seconds == pytest.approx(0.6)
    assert _skills(bench.recorder) == ["pick", "place_in", "look"]
    kinds = [kind for kind, _ in groupby(type(event) for event in bench.recorder.events)]
    assert kinds[:4] == [MissionStarted, SceneEstimated, Planned, SubgoalStarted]
    assert kinds[-1] is MissionEnded


def test_each_tick_reports_what_was_asked_and_what_was_really_sent() -> None:
    bench = Bench(scenes=WELL, policy=ScriptedPolicy([chunk(action=(9, 0, 0, 0, 0, 0, 1))]))
    bench.runtime.run(COMMAND, 0)
    ticks = bench.recorder.of(Ticked)
    assert all(tick.action[0] == 9 for tick in ticks)
    sent = [tick.sent for tick in ticks if tick.sent is not None]
    assert np.array_equal(sent, bench.robot.sent)
    assert all(action[0] == pytest.approx(0.05) for action in sent)


def test_each_tick_reports_what_the_monitor_made_of_it() -> None:
    bench = Bench()
    bench.monitor.strain = Strain(2.5, 1.8, {"spread": 3.0})
    bench.runtime.run(COMMAND, 0)
    ticks = bench.recorder.of(Ticked)
    assert ticks and all(tick.strain is bench.monitor.strain for tick in ticks)


def test_a_tick_of_which_the_monitor_was_not_asked_has_no_strain() -> None:
    robot = StillRobot()

    def answer(observation: Observation) -> ActionChunk:
        robot.stop()
        return chunk()

    bench = Bench(policy=ScriptedPolicy(answer), robot=robot)
    bench.monitor.strain = Strain(2.5, 1.8, {})
    bench.runtime.run(COMMAND, 0)
    [tick] = bench.recorder.of(Ticked)
    assert tick.strain is None


def test_the_policy_hears_the_phrase_of_each_subgoal() -> None:
    policy = ScriptedPolicy([chunk()])
    Bench(scenes=WELL, policy=policy).runtime.run(COMMAND, 0)
    assert policy.phrases == [PICK.phrase, PLACE.phrase, LOOK.phrase]


def test_the_history_reaches_the_planner_complete_and_in_order() -> None:
    # Pick works, the block is dropped on the way, and the block is to be picked again twice.
    # After each failure that ends a plan it looks from home, which is DONE and no history.
    verdicts = [DONE, DROPPED, DONE, MISSED, UNSURE, DONE, DONE, DONE, DONE]
    scenes = [*WELL[:4], *[BEFORE] * 12, *[AFTER] * 8]
    bench = Bench(verdicts=verdicts, scenes=scenes)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS
    assert bench.planner.histories[0] == ()
    for earlier, later in pairwise(bench.planner.histories):
        assert later[: len(earlier)] == earlier
        assert len(later) > len(earlier)
    assert bench.planner.histories[1] == result.results[:2]
    assert [r.verdict for r in bench.planner.histories[2]] == [DONE, DROPPED, MISSED, UNSURE]
    ended = [event.result for event in bench.recorder.of(SubgoalEnded)]
    assert [r for r in ended if r.subgoal != LOOK] == list(result.results)


def test_a_second_mission_starts_with_an_empty_history() -> None:
    bench = Bench(scenes=lambda time_s: AFTER, plans=[Plan(command=COMMAND, subgoals=(PICK,))])
    bench.runtime.run(COMMAND, 0)
    bench.runtime.run(COMMAND, 0)
    # A pick is never seen to hold here, so each mission plans three times.
    assert [len(h) for h in bench.planner.histories] == [0, 1, 2] * 2


@pytest.mark.parametrize("verdict", [MISSED, UNSURE, LATE])
def test_a_failed_subgoal_is_tried_again_where_its_preconditions_hold(verdict: Verdict) -> None:
    bench = Bench(verdicts=[verdict, DONE], scenes=[BEFORE, *WELL, AFTER])
    result = bench.runtime.run(COMMAND, 0)
    assert [(r.subgoal, r.attempts) for r in result.results] == [(PICK, 1), (PICK, 2), (PLACE, 1)]
    assert result.outcome is not MissionOutcome.FAILED
    assert result.replans == len(bench.planner.histories) - 1


def test_what_one_witness_alone_says_is_looked_at_again_from_home() -> None:
    scenes = [*[BEFORE] * 4, *[HELD] * 4, AFTER]
    bench = Bench(verdicts=[ALONE, DONE, DONE, ALONE, DONE, DONE, DONE], scenes=scenes)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS
    assert [(r.subgoal, r.attempts, r.verdict) for r in result.results] == [
        (PICK, 1, DONE),
        (PLACE, 1, DONE),
    ]
    assert bench.monitor.watched == [PICK, LOOK, PICK, PLACE, LOOK, PLACE, LOOK]
    ended = [event.result for event in bench.recorder.of(SubgoalEnded)]
    assert [r.ticks for r in ended] == [2, 2, 0, 2, 2, 0, 2]
    assert ended[0].outcome is SubgoalOutcome.LOW_CONFIDENCE
    assert len(bench.planner.histories) == 1


def test_what_is_not_seen_again_from_home_has_failed_and_is_tried_again() -> None:
    belied = Verdict(VerdictValue.REFUTED, Reason.NOT_ACHIEVED, 0.9)
    bench = Bench(verdicts=[ALONE, DONE, belied, DONE])
    result = bench.runtime.run(COMMAND, 0)
    assert [(r.attempts, r.verdict) for r in result.results[:2]] == [(1, belied), (2, DONE)]


def test_a_look_from_home_that_fails_is_no_second_witness() -> None:
    bench = Bench(verdicts=[ALONE, LATE, DONE])
    result = bench.runtime.run(COMMAND, 0)
    assert [r.verdict for r in result.results[:2]] == [ALONE, DONE]
    assert bench.monitor.watched[:4] == [PICK, LOOK, LOOK, PICK]


def test_a_stop_on_the_way_to_a_second_look_ends_the_mission() -> None:
    robot = StillRobot()
    stopper = _Stopper(robot, SubgoalStarted, 2)
    result = Bench(verdicts=[ALONE, DONE], robot=robot, subscribers=[stopper]).runtime.run(
        COMMAND, 0
    )
    assert result.outcome is MissionOutcome.STOPPED
    assert result.results[-1].subgoal == LOOK
    assert len(robot.sent) == stopper.sent_by_then == 2


def test_a_failed_subgoal_is_not_tried_again_where_its_preconditions_are_gone() -> None:
    bench = Bench(verdicts=[DONE, DROPPED], scenes=[*WELL[:4], BEFORE])
    result = bench.runtime.run(COMMAND, 0)
    assert [(r.subgoal, r.attempts) for r in result.results[:3]] == [
        (PICK, 1),
        (PLACE, 1),
        (PICK, 1),
    ]
    assert bench.recorder.of(Planned)[1].replans == 1


def test_the_goals_must_hold_at_the_closing_look() -> None:
    # Both subgoals are confirmed, but from home the block is seen on the table.
    bench = Bench(scenes=[*WELL[:5], AFTER, BEFORE])
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.replans == 2
    assert result.question is not None
    assert "in(red block, blue bowl)" in result.question


PUSH = subgoal("push", object="red block", direction="left")
PUSHED = scene(at={"red block": (0.66, 0.30)})
DARK, LIT = scene("button"), scene("button", lit=True)
PRESS = subgoal("press", object="button")


def _changing(*subgoals: Subgoal, scenes: Sequence[Scene], **parts: Any) -> Bench:
    return Bench(plans=[Plan(command=COMMAND, subgoals=subgoals)], scenes=scenes, **parts)


@pytest.mark.parametrize("seen_at_start", [BEFORE, PUSHED])
def test_a_push_is_seen_against_the_missions_first_look(seen_at_start: Scene) -> None:
    """Not against the look with which the subgoal or the closing look began."""
    result = _changing(PUSH, scenes=[BEFORE, seen_at_start, PUSHED]).runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS


def test_a_push_that_the_first_look_belies_is_no_success() -> None:
    """At its subgoal's start the block was elsewhere, but where it is now it was at first."""
    result = _changing(PUSH, scenes=[PUSHED, BEFORE, PUSHED]).runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question is not None
    assert "moved(red block, left)" in result.question


def test_new_plans_leave_the_first_look_as_it_was() -> None:
    """The push failed but came about; the new plan starts from there, the goal does not."""
    scenes = [BEFORE, BEFORE, PUSHED]
    bench = _changing(PUSH, scenes=scenes, verdicts=[MISSED, MISSED, DONE])
    result = bench.runtime.run(COMMAND, 0)
    assert (result.outcome, result.replans) == (MissionOutcome.SUCCESS, 1)


@pytest.mark.parametrize(
    ("presses", "first", "last", "outcome"),
    [
        (1, DARK, LIT, MissionOutcome.SUCCESS),
        (1, LIT, DARK, MissionOutcome.SUCCESS),
        (2, DARK, DARK, MissionOutcome.SUCCESS),
        (1, DARK, DARK, MissionOutcome.NEEDS_HELP),
        (2, DARK, LIT, MissionOutcome.NEEDS_HELP),
    ],
)
def test_a_lamp_must_be_at_last_what_the_plan_makes_of_it(
    presses: int, first: Scene, last: Scene, outcome: MissionOutcome
) -> None:
    bench = _changing(*[PRESS] * presses, scenes=[first, first, last])
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is outcome
    wanted = "lit(button)" if (presses == 1) == (first is DARK) else "unlit(button)"
    assert outcome is MissionOutcome.SUCCESS or f"reached {wanted}" in str(result.question)


def test_a_button_that_was_pressed_unnoticed_is_not_pressed_back() -> None:
    """The press counts as failed, but the lamp has changed since: a new plan is made instead."""
    bench = _changing(PRESS, scenes=[DARK, DARK, LIT], verdicts=[MISSED, DONE])
    result = bench.runtime.run(COMMAND, 0)
    assert [r.attempts for r in result.results] == [1, 1]
    assert result.replans == 1


def test_a_drawer_and_what_lies_in_it_are_both_looked_for() -> None:
    shut = scene("drawer", "red block")
    stowed = scene("drawer", "red block", on={"red block": "drawer"})
    plan = (
        subgoal("open", object="drawer"),
        PICK,
        subgoal("place_in", object="red block", target="drawer"),
        subgoal("close", object="drawer"),
    )
    bench = _changing(*plan, scenes=[shut] * 2 + [stowed])
    assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.SUCCESS
    result = _changing(*plan, scenes=[shut]).runtime.run(COMMAND, 0)
    assert "in(red block, drawer)" in str(result.question)


def test_a_closing_look_that_fails_is_no_success() -> None:
    bench = Bench(verdicts=[DONE, DONE, LATE], scenes=WELL)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP


@pytest.mark.parametrize("value", list(VerdictValue))
def test_a_timer_is_never_success(value: VerdictValue) -> None:
    verdict = Verdict(value, Reason.TIMEOUT, 1.0)
    bench = Bench(verdicts=[verdict], scenes=lambda time_s: AFTER)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert {r.outcome for r in result.results} == {SubgoalOutcome.TIMEOUT}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.DONE])
def test_only_what_is_confirmed_as_done_is_success(reason: Reason) -> None:
    bench = Bench(verdicts=[Verdict(VerdictValue.CONFIRMED, reason, 1.0)])
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome in (MissionOutcome.NEEDS_HELP, MissionOutcome.STOPPED)


def test_three_bad_plans_ask_for_help_and_move_nothing() -> None:
    bench = Bench(plans=[BAD])
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question is not None
    assert "held(red block)" in result.question
    assert bench.robot.sent == []
    # The first plan, two repairs, and the call that may only ask.
    assert len(bench.planner.problems) == 4
    assert bench.planner.problems[0] == ()
    assert all("held(red block)" in told[0] for told in bench.planner.problems[1:])


def test_a_plan_mended_in_time_is_carried_out() -> None:
    bench = Bench(plans=[BAD, BAD, PLAN], scenes=WELL)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.SUCCESS
    assert result.plan == PLAN
    assert result.replans == 0


def test_bad_plans_on_the_way_ask_for_help() -> None:
    bench = Bench(plans=[PLAN, BAD], verdicts=[MISSED])
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert len(result.results) == 2
    # One plan at first; then another one, two repairs and the call that may only ask.
    assert len(bench.planner.histories) == 5


def test_a_question_asks_for_help_and_moves_nothing() -> None:
    bench = Bench(plans=[ASKS])
    result = bench.runtime.run(COMMAND, 0)
    assert (result.outcome, result.question) == (MissionOutcome.NEEDS_HELP, ASKS.question)
    assert bench.robot.sent == []


def test_a_question_on_the_way_asks_for_help() -> None:
    bench = Bench(plans=[PLAN, ASKS], verdicts=[MISSED])
    result = bench.runtime.run(COMMAND, 0)
    assert (result.outcome, result.question) == (MissionOutcome.NEEDS_HELP, ASKS.question)
    assert result.plan == PLAN


def test_a_dry_run_moves_nothing() -> None:
    bench = Bench()
    result = bench.runtime.run(COMMAND, 0, dry_run=True, approve=lambda plan: pytest.fail("asked"))
    assert (result.outcome, result.plan) == (MissionOutcome.PLANNED, PLAN)
    assert bench.robot.sent == []


def test_a_plan_that_is_not_wanted_moves_nothing() -> None:
    bench, shown = Bench(), []

    def refuse(plan: Plan) -> bool:
        shown.append(plan)
        return False

    assert bench.runtime.run(COMMAND, 0, approve=refuse).outcome is MissionOutcome.STOPPED
    assert shown == [PLAN]
    assert bench.robot.sent == []


@pytest.mark.parametrize("kind", [MissionStarted, SceneEstimated, Planned])
@pytest.mark.parametrize("plan", [PLAN, BAD, ASKS])
def test_a_stop_before_the_first_motion(kind: type, plan: Plan) -> None:
    robot = StillRobot()
    bench = Bench(plans=[plan], robot=robot, subscribers=[_Stopper(robot, kind)])
    assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.STOPPED
    assert robot.sent == []


def test_a_stop_while_it_is_asked_whether_the_plan_is_wanted() -> None:
    bench = Bench()

    def approve(plan: Plan) -> bool:
        bench.robot.stop()
        return True

    result = bench.runtime.run(COMMAND, 0, approve=approve)
    assert (result.outcome, result.results) == (MissionOutcome.STOPPED, ())
    assert bench.robot.sent == []


@pytest.mark.parametrize(
    ("kind", "nth"),
    [(SceneEstimated, n) for n in range(1, 6)]
    + [(SubgoalStarted, n) for n in range(1, 5)]
    + [(Ticked, n) for n in range(1, 9)]
    + [(SubgoalEnded, n) for n in range(1, 5)]
    + [(Planned, 2)],
)
def test_nothing_is_sent_after_a_stop(kind: type, nth: int) -> None:
    robot = StillRobot()
    stopper = _Stopper(robot, kind, nth)
    bench = Bench(
        verdicts=[DONE, DROPPED, DONE, DONE],
        scenes=[*WELL[:4], BEFORE, BEFORE, *WELL],
        robot=robot,
        subscribers=[stopper],
    )
    result = bench.runtime.run(COMMAND, 0)
    assert robot.stopped
    assert result.outcome is MissionOutcome.STOPPED
    assert len(robot.sent) == stopper.sent_by_then


def test_a_stop_from_another_thread_in_the_middle_of_a_subgoal() -> None:
    robot, moving, stopped = StillRobot(), threading.Event(), threading.Event()

    def answer(observation: Observation) -> ActionChunk:
        if len(robot.sent) == 5:
            moving.set()
            assert stopped.wait(10)
        return chunk()

    def stop() -> None:
        assert moving.wait(10)
        robot.stop()
        stopped.set()

    bench = Bench(
        policy=ScriptedPolicy(answer), robot=robot, monitor=ScriptedMonitor([DONE], ticks=1000)
    )
    thread = threading.Thread(target=stop)
    thread.start()
    result = bench.runtime.run(COMMAND, 0)
    thread.join()
    assert result.outcome is MissionOutcome.STOPPED
    assert len(robot.sent) == 5
    assert [r.outcome for r in result.results] == [SubgoalOutcome.STOPPED]
    assert result.results[0].verdict.reason is Reason.STOPPED
    assert [event.source for event in bench.recorder.of(Stopped)] == ["latch"]


def test_a_stop_wins_over_a_verdict_of_success() -> None:
    robot = StillRobot()

    def answer(observation: Observation) -> ActionChunk:
        robot.stop()
        return chunk()

    bench = Bench(
        policy=ScriptedPolicy(answer),
        robot=robot,
        monitor=ScriptedMonitor([DONE], ticks=0),
        scenes=lambda time_s: AFTER,
    )
    assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.STOPPED


def test_a_new_mission_clears_the_stop() -> None:
    bench = Bench(scenes=WELL)
    bench.robot.stop()
    assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.SUCCESS


def test_a_policy_that_answers_no_numbers_moves_nothing_and_is_no_success() -> None:
    broken = chunk(success=1.0, action=(float("nan"),) * 7)
    estimator = FixedEstimator(lambda time_s: AFTER)
    monitor = SubgoalMonitor(CONTRACTS, estimator, MonitorLimits())
    bench = Bench(policy=ScriptedPolicy([broken]), monitor=monitor, estimator=estimator)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.STOPPED
    assert [r.verdict.reason for r in result.results] == [Reason.POLICY_INVALID]
    assert result.question == "I hold still: policy invalid (largest_action: nan; success: 1.0)."
    assert bench.robot.stopped
    assert bench.robot.sent == []


def test_a_breach_of_the_shield_sets_the_latch() -> None:
    bench = Bench(policy=ScriptedPolicy([chunk(), chunk(action=(float("nan"),) * 7)]))
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.STOPPED
    assert result.results[0].verdict.reason is Reason.OUT_OF_LIMITS
    assert bench.robot.stopped
    assert len(bench.robot.sent) == 1
    assert [event.source for event in bench.recorder.of(Stopped)] == ["shield"]


class _BrokenMonitor:
    strain = None

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        pass

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        raise KeyError("success")


class _BrokenPlanner:
    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        raise TypeError


class _BrokenShield:
    def limit(self, observation: Observation, action: Vector) -> Vector:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("part", "broken", "error"),
    [
        ("monitor", _BrokenMonitor(), KeyError),
        ("planner", _BrokenPlanner(), TypeError),
        ("shield", _BrokenShield(), ZeroDivisionError),
    ],
)
def test_whatever_raises_stops_the_robot(part: str, broken: Any, error: type) -> None:
    bench = Bench(scenes=lambda time_s: AFTER, **{part: broken})
    with pytest.raises(error):
        bench.runtime.run(COMMAND, 0)
    assert bench.robot.stopped
    assert bench.robot.sent == []
    assert bench.recorder.of(MissionEnded) == []


def test_the_robot_is_not_stopped_at_the_end_of_a_mission() -> None:
    bench = Bench(scenes=WELL)
    bench.runtime.run(COMMAND, 0)
    assert not bench.robot.stopped


def test_a_monitor_that_never_answers_runs_out_of_the_missions_time() -> None:
    bench = Bench(
        monitor=ScriptedMonitor([DONE], ticks=10**9),
        scenes=lambda time_s: AFTER,
        budget=Budget(replans=5, attempts=5, seconds=3.0),
    )
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.seconds == pytest.approx(3.0)
    assert [r.verdict.reason for r in result.results] == [Reason.TIMEOUT]


@pytest.mark.parametrize("seed", range(150))
def test_no_mission_exceeds_its_budget_and_every_mission_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    verdicts = [
        [DONE, DROPPED, MISSED, UNSURE, LATE, ALONE][i]
        for i in rng.choice(6, size=200, p=[0.45, 0.15, 0.15, 0.1, 0.1, 0.05])
    ]
    seen = [[BEFORE, HELD, AFTER][i] for i in rng.integers(0, 3, 400)]
    plans = [[PLAN, BAD, ASKS][i] for i in rng.choice(3, size=40, p=[0.8, 0.18, 0.02])]
    budget = Budget(
        replans=int(rng.integers(0, 6)),
        attempts=int(rng.integers(1, 4)),
        seconds=float(rng.uniform(0.1, 8.0)),
    )
    bench = Bench(
        plans=plans,
        scenes=seen,
        budget=budget,
        monitor=ScriptedMonitor(verdicts, ticks=int(rng.integers(0, 6))),
    )
    result = bench.runtime.run(COMMAND, seed)
    assert result.outcome in (MissionOutcome.SUCCESS, MissionOutcome.NEEDS_HELP)
    assert result.replans <= budget.replans
    assert max((r.attempts for r in result.results), default=0) <= budget.attempts
    assert result.seconds <= budget.seconds + 0.1
    assert bool(result.question) == (result.outcome is MissionOutcome.NEEDS_HELP)
    assert all(r.outcome is not SubgoalOutcome.SUCCESS or r.verdict == DONE for r in result.results)
    if result.outcome is MissionOutcome.SUCCESS:
        assert bench.recorder.of(SceneEstimated)[-1].scene.objects is AFTER.objects
        assert bench.recorder.of(SubgoalEnded)[-1].result.subgoal == LOOK


def test_the_shield_breach_is_not_swallowed_elsewhere() -> None:
    class Breaching(ScriptedPolicy):
        def infer(self, observation: Observation) -> ActionChunk:
            raise ShieldBreach("A policy has no business here.")

    bench = Bench(policy=Breaching([chunk()]))
    with pytest.raises(ShieldBreach):
        bench.runtime.run(COMMAND, 0)
    assert bench.robot.stopped


class _LosingRobot(StillRobot):
    """Loses something in its nth action, which was sent by then, or before it is sent."""

    def __init__(self, lost: RobotStopped, nth: int, *, sent: bool) -> None:
        super().__init__()
        self._lost, self._left, self._sent = lost, nth, sent
        self._fault: RobotStopped | None = None

    @property
    def fault(self) -> RobotStopped | None:
        return self._fault

    def act(self, action: Vector) -> Vector:
        self._left -= 1
        taken = super().act(action) if self._left or self._sent else action
        if not self._left:
            self._fault = self._lost
            self.stop()
        return taken if self._left or self._sent else super().act(action)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (CameraLost("The camera 'front' is dark."), Reason.CAMERA_LOST),
        (RobotLost("Joint 3 is missing."), Reason.ROBOT_LOST),
    ],
)
def test_a_robot_that_stopped_itself_says_what_it_lost(
    lost: RobotStopped, reason: Reason, sent: bool
) -> None:
    robot = _LosingRobot(lost, 2, sent=sent)
    bench = Bench(robot=robot, monitor=ScriptedMonitor([DONE], ticks=9), scenes=WELL)
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.STOPPED
    [ended] = result.results
    assert ended.outcome is SubgoalOutcome.STOPPED
    assert ended.verdict.reason is reason
    assert ended.verdict.value is VerdictValue.INSUFFICIENT
    assert ended.verdict.evidence == {"fault": str(lost)}
    assert result.question is not None and str(lost).rstrip(".") in result.question
    assert len(robot.sent) == (2 if sent else 1)
    assert [event.source for event in bench.recorder.of(Stopped)] == [reason.value]


class _BlindFrom:
    """A monitor that finds a subgoal failed, and the look after it without a camera."""

    strain: Strain | None = None

    def __init__(self) -> None:
        self._skill = ""

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        self._skill = subgoal.skill

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        if self._skill == "look":
            return Verdict(VerdictValue.INSUFFICIENT, Reason.CAMERA_LOST, 1.0, {"camera": "front"})
        return Verdict(VerdictValue.INSUFFICIENT, Reason.OUT_OF_DISTRIBUTION, 1.0)


def test_a_robot_held_in_a_look_between_plans_says_why() -> None:
    bench = Bench(monitor=_BlindFrom())
    result = bench.runtime.run(COMMAND, 0)
    assert result.outcome is MissionOutcome.STOPPED
    assert [one.verdict.reason for one in result.results][-1] is Reason.CAMERA_LOST
    assert result.question is not None and "camera" in result.question
