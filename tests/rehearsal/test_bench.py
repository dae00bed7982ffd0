from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from agent.config import load_config
from agent.errors import UsageError
from agent.monitor.signals import all_signals
from agent.planner.verify import PlanVerifier
from agent.rehearsal.bench import RehearsalBench, lesson
from agent.rehearsal.calibrate import learned
from agent.types import Plan, Reason
from skills.evaluate.commands import initial_scene
from skills.evaluate.skills import SUITE
from skills.registry import load_contracts

SEED = 1_500_000


@pytest.fixture(scope="module")
def bench() -> Iterator[RehearsalBench]:
    calm = load_config(None)
    jammed = load_config(None, ["robot.disturbances.jam=1"])
    made = RehearsalBench(calm, jammed)
    yield made
    made.close()


def _first(bench: RehearsalBench, skill: str, which: int) -> tuple[Reason, bool, np.ndarray]:
    found = next(run for s in range(SEED, SEED + 40) if (run := bench((skill, s, which))))
    assert found.skill == skill
    assert len(found.readings) == len(found.elapsed_s) == len(found.read_ms)
    return found.reason, found.success, found.readings


@pytest.mark.parametrize("skill", ["open", "place_in"])
def test_a_success_is_written_down(bench: RehearsalBench, skill: str) -> None:
    """Placing is come to by picking up, as in a mission."""
    reason, success, readings = _first(bench, skill, 0)
    assert success
    assert reason is Reason.DONE
    assert readings.shape[1] == len(all_signals())
    assert (np.diff(readings[:, 0]) > 0).all()
    assert np.isfinite(readings[1:]).all()


def test_a_jammed_drawer_is_a_failure(bench: RehearsalBench) -> None:
    reason, success, readings = _first(bench, "open", 1)
    assert not success
    assert reason is not Reason.DONE
    assert len(readings) > 30


@pytest.mark.parametrize("skill", SUITE)
def test_lessons_end_with_their_skill_and_can_be_run(skill: str) -> None:
    """Some begin with it, some come to it in the middle of things; things are picked up first."""
    contracts, verifier, lengths = load_contracts(), PlanVerifier(), set()
    for seed in range(SEED, SEED + 60):
        subgoals = lesson(skill, seed, contracts)
        assert subgoals == lesson(skill, seed, contracts)
        if subgoals is None:
            continue
        assert subgoals[-1].skill == skill
        plan = Plan(command="rehearse", subgoals=subgoals)
        assert not verifier.problems(plan, initial_scene(seed), contracts)
        lengths.add(len(subgoals))
    assert min(lengths) == (2 if skill.startswith("place") else 1)
    assert max(lengths) > 3


def test_too_few_successes_give_no_calibration() -> None:
    with pytest.raises(UsageError, match=r"2 successes of 'open'.*--episodes"):
        learned({"open": [np.zeros((20, len(all_signals())))] * 2}, "abc")
