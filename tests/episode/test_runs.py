"""An episode is cut into its subgoal runs, and what was said goes with the run it was said in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.episode.reader import Episode
from agent.episode.runs import UNKNOWN, subgoal_runs
from agent.events import Heard, Planned, SubgoalStarted, Ticked
from tests.episode.logs import run, tick, written
from tests.episode.samples import FAILURE, MISSED, PLAN, SUCCESS, mission, same


def test_runs_hold_what_happened_in_them(tmp_path: Path) -> None:
    episode = written(tmp_path, mission(np.random.default_rng(0), ticks=5))
    first, second = subgoal_runs(episode)
    assert (first.number, first.attempt, first.before) == (0, 1, ())
    assert (second.number, second.attempt, second.replans) == (1, 2, 1)
    assert first.plan == second.plan == PLAN
    assert same(first.ticks, list(episode.ticks()))
    assert second.ticks == []
    assert first.verdict == MISSED
    assert (first.outcome, second.outcome) == ("failed", "success")
    assert same(first.result, FAILURE) and same(second.before, (FAILURE,))
    assert same(second.result, SUCCESS)
    assert first.scene is not None and same(first.scene, episode.scenes[0])
    assert [type(said) for said in first.said[:4]] == [Heard, Heard, Planned, Planned]
    assert [said.replans for said in second.said if isinstance(said, Planned)] == [1]


def test_a_run_that_was_cut_off_ends_unknown(tmp_path: Path) -> None:
    episode = written(tmp_path, run([tick(0), tick(1)]))
    [cut] = subgoal_runs(episode)
    assert (cut.outcome, len(cut.ticks)) == (UNKNOWN, 2)
    assert (cut.verdict, cut.result, cut.scene, cut.plan) == (None, None, None, None)


def test_real_missions_lose_no_tick_and_no_run(logged: list[Episode]) -> None:
    for episode in logged:
        runs = list(subgoal_runs(episode))
        started = [event for event in episode.decisions if isinstance(event, SubgoalStarted)]
        ticks: list[Ticked] = [tick for run in runs for tick in run.ticks]
        assert [run.subgoal for run in runs] == [event.subgoal for event in started]
        assert same(ticks, list(episode.ticks()))
        assert {run.outcome for run in runs} == {"success"}
        assert runs[-1].attempt == 0 and runs[0].scene is not None
