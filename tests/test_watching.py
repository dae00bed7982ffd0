"""Three ways to watch the same unlucky mission, with the real agent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.config import load_config
from agent.mission import TruthBench, Watching
from agent.types import MissionOutcome, Reason
from skills.evaluate.commands import draw_stack
from skills.evaluate.missions import Record, mission_row

SEED = next(seed for seed in range(1_600_003, 1_600_100) if draw_stack(seed))
SETTINGS = ["robot.disturbances.drop_per_s=1", "budget.replans=0", "budget.attempts=1"]


@pytest.fixture(scope="module", params=list(Watching))
def watched(request: pytest.FixtureRequest) -> tuple[Watching, Record]:
    bench, command = TruthBench(load_config(None, SETTINGS), request.param), draw_stack(SEED)
    assert command is not None
    return request.param, bench(command.text, SEED, command.goals)


def test_only_who_watches_all_the_time_breaks_off(watched: tuple[Watching, Record]) -> None:
    way, record = watched
    assert (record.alarms > 0) is (way is Watching.CONTINUOUS)
    if way is Watching.CONTINUOUS:
        assert Reason.DROPPED in record.reasons


def test_who_never_looks_takes_all_for_done_but_the_last_look_tells(
    watched: tuple[Watching, Record],
) -> None:
    way, record = watched
    assert record.outcome is MissionOutcome.NEEDS_HELP
    if way is Watching.OPEN_LOOP:
        assert not record.world_success
        assert set(record.reasons) == {Reason.DONE}
    else:
        assert set(record.reasons) != {Reason.DONE}


def test_alarms_are_counted_by_subgoal() -> None:
    calm = Record(MissionOutcome.SUCCESS, True, 0, 10.0, 2.0, (Reason.DONE,) * 3)
    broken = replace(calm, reasons=(Reason.DROPPED, Reason.NO_PROGRESS, Reason.TIMEOUT), alarms=2)
    row = mission_row("drop=0/continuous", [(1, "stack", calm), (2, "stack", broken)])
    assert row.more["alarms"] == pytest.approx(2 / 6)
