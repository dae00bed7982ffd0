"""What is done about failures, by reason and by what helped before."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.doubles import FixedEstimator
from agent.events import SubgoalStarted
from agent.memory import Case, FailureMemory
from agent.recoverer import Recoverer
from agent.recovery import Recovery
from agent.types import (
    ActionChunk,
    MissionOutcome,
    Observation,
    Reason,
    Scene,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Verdict,
    VerdictValue,
)
from tests.parts import (
    AFTER,
    BEFORE,
    COMMAND,
    DONE,
    DROPPED,
    HELD,
    LATE,
    MISSED,
    PICK,
    PLACE,
    UNSURE,
    Bench,
)


def failed(verdict: Verdict = MISSED) -> SubgoalResult:
    return SubgoalResult(PICK, SubgoalOutcome.FAILED, verdict, attempts=1, ticks=10)


def chosen(memory: FailureMemory, verdict: Verdict = MISSED, **may: bool) -> Recovery:
    allowed = {"may_retry": True, "may_replan": True, **may}
    return Recoverer(memory).choose(failed(verdict), **allowed)


def test_every_reason_has_something_to_try_first() -> None:
    """And when nothing may be tried any more, someone is asked."""
    for reason in Reason:
        verdict = Verdict(VerdictValue.REFUTED, reason, 0.9)
        assert chosen(FailureMemory(), verdict) is not Recovery.ASK
        assert chosen(FailureMemory(), verdict, may_retry=False) is Recovery.REPLAN
        nothing = chosen(FailureMemory(), verdict, may_retry=False, may_replan=False)
        assert nothing is Recovery.ASK
    assert chosen(FailureMemory(), MISSED) is Recovery.AGAIN
    assert chosen(FailureMemory(), LATE) is Recovery.FROM_HOME
    assert chosen(FailureMemory(), UNSURE) is Recovery.FROM_HOME
    assert chosen(FailureMemory(), DROPPED) is Recovery.REPLAN


def test_what_helped_before_is_tried_first(tmp_path: Path) -> None:
    """For this skill, this kind of thing and this reason only."""
    memory = FailureMemory(tmp_path / "memory.sqlite")
    for _ in range(6):
        memory.note(Case.of(failed()), Recovery.AGAIN, worked=False)
        memory.note(Case.of(failed()), Recovery.REPLAN, worked=True)
    assert chosen(memory) is Recovery.REPLAN
    assert chosen(memory, may_replan=False) is Recovery.FROM_HOME
    assert chosen(memory, LATE) is Recovery.FROM_HOME
    other = SubgoalResult(PLACE, SubgoalOutcome.FAILED, MISSED, attempts=1, ticks=10)
    assert Recoverer(memory).choose(other, may_retry=True, may_replan=True) is Recovery.AGAIN


@pytest.mark.parametrize(("verdict", "worked"), [(DONE, 1), (MISSED, 0)])
def test_what_came_of_it_is_remembered_once(tmp_path: Path, verdict: Verdict, worked: int) -> None:
    memory = FailureMemory(tmp_path / "memory.sqlite")
    recoverer = Recoverer(memory)
    recovery = recoverer.choose(failed(), may_retry=True, may_replan=True)
    good = verdict is DONE
    outcome = SubgoalOutcome.SUCCESS if good else SubgoalOutcome.FAILED
    for _ in range(2):
        recoverer.learn(SubgoalResult(PICK, outcome, verdict, attempts=2, ticks=5))
    (tally,) = memory.tallies()
    assert (tally.case, tally.recovery) == (Case.of(failed()), recovery)
    assert (tally.tries, tally.successes) == (1, worked)
    recoverer.choose(failed(), may_retry=True, may_replan=True)
    recoverer.reset()
    recoverer.learn(failed())
    assert memory.tallies() == [tally]


def test_a_mission_learns_and_later_ones_do_better(tmp_path: Path) -> None:
    """Grasping again never helps here, looking from home does: in time that comes first."""
    memory = FailureMemory(tmp_path / "memory.sqlite")
    first_tries = []
    for _ in range(12):
        bench = _grasps_only_after_a_new_plan(memory)
        assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.SUCCESS
        first_tries.append(_second_begun(bench))
    assert first_tries[0] == "pick"
    assert first_tries[-1] == "look"


def test_a_damaged_memory_stops_no_mission(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    path.write_bytes(b"no database at all" * 100)
    memory = FailureMemory(path)
    bench = _grasps_only_after_a_new_plan(memory)
    assert bench.runtime.run(COMMAND, 0).outcome is MissionOutcome.SUCCESS
    assert memory.fault is not None
    assert path.read_bytes().startswith(b"no database")


class _NewPlansHelp:
    """A world as its monitor sees it, in which the first plan's grasps fail."""

    strain = None

    def __init__(self) -> None:
        self.scene = BEFORE
        self.begun: list[str] = []

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        self.begun.append(subgoal.skill)

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        replanned = self.begun.count("look") > 0
        skill = self.begun[-1]
        if skill == "pick" and not (replanned and self.begun.count("pick") > 1):
            return MISSED
        self.scene = {"pick": HELD, "place_in": AFTER}.get(skill, self.scene)
        return DONE


def _grasps_only_after_a_new_plan(memory: FailureMemory) -> Bench:
    monitor = _NewPlansHelp()
    return Bench(
        memory=memory, monitor=monitor, estimator=FixedEstimator(lambda time_s: monitor.scene)
    )


def _second_begun(bench: Bench) -> str:
    """Return the skill of the second subgoal that was begun."""
    return bench.recorder.of(SubgoalStarted)[1].subgoal.skill
