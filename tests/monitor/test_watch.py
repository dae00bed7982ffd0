from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.errors import CheckpointError
from agent.events import Strain
from agent.monitor.calibration import Calibration, SkillCalibration, calibrated
from agent.monitor.signals import LEAST, NAMES, Tick, all_signals
from agent.monitor.watch import Watch, reason
from agent.timing import Timing
from agent.types import ActionChunk, Reason
from tests.parts import observation

BUDGET_S = 8.0


def _ticks(rng: np.random.Generator, count: int, spread: float = 0.002) -> list[Tick]:
    """Return an arm that goes ahead for so many ticks, its heads disagreeing by about so much."""
    ticks = []
    for number in range(count):
        steps = np.zeros((6, 7), dtype=np.float32)
        steps[:, 0] = 0.01 + rng.normal(0, 0.001)
        heads = np.full(6, spread * rng.gamma(20, 1 / 20), dtype=np.float32)
        answer = ActionChunk(steps, 0.1, spread=heads, progress=number / count)
        seen = observation(0.1 * number, (0.3 + 0.01 * number, 0.0, 0.3))
        ticks.append(Tick(0.1 * number, BUDGET_S, seen, answer, steps[:, :3]))
    return ticks


def _usual() -> SkillCalibration:
    rng, runs = np.random.default_rng(3), []
    signals = all_signals()
    for _ in range(180):
        for signal in signals:
            signal.reset()
        ticks = _ticks(rng, int(rng.integers(25, 35)))
        runs.append(np.array([[signal.read(tick) for signal in signals] for tick in ticks]))
    return calibrated(LEAST, runs, rng)


@pytest.fixture(scope="module")
def watch() -> Watch:
    usual = _usual()
    of = Calibration(
        checkpoint="abc", data="def", skills={"pick": usual}, others={"push": usual, "pick": usual}
    )
    return Watch(of, alpha=0.05)


def _watched(watch: Watch, ticks: list[Tick], skill: str = "pick") -> Strain | None:
    watch.reset(skill, BUDGET_S)
    strains = (watch.look(tick.observation, tick.chunk, tick.steps) for tick in ticks)
    return next((strain for strain in strains if strain is not None and strain.alarming), None)


def test_success_is_let_pass_and_each_subgoal_is_watched_anew(watch: Watch) -> None:
    rng = np.random.default_rng(11)
    alarms = [_watched(watch, _ticks(rng, 30)) for _ in range(200)]
    assert sum(alarm is not None for alarm in alarms) / 200 < 0.10


@pytest.mark.parametrize("skill", ["pick", "push"])
def test_heads_that_disagree_are_out_of_distribution(watch: Watch, skill: str) -> None:
    """A skill that was never calibrated is held against all others."""
    alarm = _watched(watch, _ticks(np.random.default_rng(12), 30, spread=0.02), skill)
    assert alarm is not None
    assert reason(alarm) is Reason.OUT_OF_DISTRIBUTION
    assert alarm.score > alarm.limit
    assert alarm.signals["spread"] == max(alarm.signals.values())


def test_every_tick_is_told_of_alarming_or_not(watch: Watch) -> None:
    watch.reset("pick", BUDGET_S)
    usual = [
        watch.look(t.observation, t.chunk, t.steps) for t in _ticks(np.random.default_rng(1), 20)
    ]
    assert all(strain is not None and not strain.alarming for strain in usual)
    assert all(strain is not None and set(strain.signals) <= set(NAMES) for strain in usual)
    assert len({strain.limit for strain in usual if strain is not None}) == 1


def test_what_is_no_number_is_alarming() -> None:
    assert Strain(float("nan"), 1.8, {}).alarming


def test_an_arm_that_stands_makes_no_progress(watch: Watch) -> None:
    ticks = _ticks(np.random.default_rng(13), 12)
    last = ticks[-1]
    ticks += [
        replace(
            last, elapsed_s=t, observation=observation(t, last.observation.ee_pose[:3].tolist())
        )
        for t in np.arange(1.2, 8.0, 0.1)
    ]
    alarm = _watched(watch, ticks)
    assert alarm is not None
    assert reason(alarm) is Reason.NO_PROGRESS


def test_a_skill_of_which_nothing_is_known_is_let_pass(watch: Watch) -> None:
    watch.reset("look", BUDGET_S)
    ticks = _ticks(np.random.default_rng(14), 30, spread=1.0)
    assert {watch.look(tick.observation, tick.chunk, tick.steps) for tick in ticks} == {None}


def test_too_few_runs_for_a_rate_are_refused() -> None:
    of = Calibration(checkpoint="abc", data="def", skills={"pick": _usual()}, others={})
    with pytest.raises(CheckpointError, match=r"'pick'.*at least 999.*--calibrate"):
        Watch(of, alpha=0.001)


def test_a_subgoal_that_has_raised_its_alarm_raises_no_other(watch: Watch) -> None:
    """It still tells how far it strays."""
    wild = _ticks(np.random.default_rng(5), 30, spread=0.05)
    alarm = _watched(watch, wild)
    assert alarm is not None
    watch.reset("pick", BUDGET_S, spent=True)
    strains = [watch.look(tick.observation, tick.chunk, tick.steps) for tick in wild]
    assert not any(strain is None or strain.alarming for strain in strains)
    assert max(strain.score for strain in strains if strain is not None) > alarm.limit


def _delayed(ticks: list[Tick], delay: int, every: int, wait_s: float) -> list[Tick]:
    """Return the same arm, told what to do by heads that are older, after it was kept waiting."""
    told = []
    for number, tick in enumerate(ticks):
        inferred = max(0, (number - delay) // every * every)
        began_s = 0.0 if inferred == 0 else wait_s
        timing = Timing(ticks[inferred].observation.time_s + began_s, 0.2)
        now_s = tick.observation.time_s + (wait_s if number else 0.0)
        answer = replace(ticks[inferred].chunk, timing=timing)
        seen = replace(tick.observation, time_s=now_s)
        told.append(replace(tick, observation=seen, chunk=answer))
    return told


def test_an_arm_that_waits_for_its_policy_is_as_usual_as_one_that_need_not(watch: Watch) -> None:
    rng = np.random.default_rng(11)
    runs = [_delayed(_ticks(rng, 30), delay=2, every=2, wait_s=0.3) for _ in range(200)]
    assert sum(_watched(watch, run) is not None for run in runs) / 200 < 0.10


def test_heads_that_disagree_are_found_late_but_found(watch: Watch) -> None:
    ticks = _delayed(_ticks(np.random.default_rng(12), 30, spread=0.02), 2, 2, 0.3)
    alarm = _watched(watch, ticks)
    assert alarm is not None and reason(alarm) is Reason.OUT_OF_DISTRIBUTION
