"""Episodes decided anew over what was recorded, unchanged and with one thing changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from agent.cli import main
from agent.episode.reader import read_episode
from agent.replay.decisions import Decisions, Reviewer
from agent.replay.forced import Kind
from agent.resources import resource
from agent.skilled import POLICY_CHECKPOINT
from tests.replay.conftest import Recorded


def decided(path: Path, *overrides: str) -> Decisions:
    reviewer = Reviewer(overrides)
    found = reviewer(read_episode(path))
    reviewer.close()
    return found


def test_with_nothing_changed_nothing_is_decided_otherwise(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = (recorded.lamp, recorded.drawer, recorded.stopped, recorded.asked)
    assert main(["replay", str(recorded.lamp.parent), "--decisions", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["episodes"]
    assert len(told) == len(folders)
    for one in told:
        assert (one["differences"], one["changed"]) == ([], [])
        assert one["ticks"] == read_episode(Path(one["episode"])).tick_count


def test_another_threshold_shows_in_the_verdicts(recorded: Recorded) -> None:
    found = decided(recorded.lamp, "monitor.confirm_ticks=9")
    first = found.differences[0]
    assert first.kind is Kind.VERDICT
    assert (first.then, first.now) == ("confirmed: done", "goes on")
    assert first.subgoal == "press the button"
    assert first.cause == "monitor.confirm_ticks was 3, is 9"
    assert found.ticks == read_episode(recorded.lamp).tick_count


def test_another_checkpoint_shows_in_the_actions(recorded: Recorded, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(resource(POLICY_CHECKPOINT), weights)
    tensors = load_file(weights / "model.safetensors")
    changed = {key: (1.05 * value).to(value.dtype) for key, value in tensors.items()}
    save_file(changed, weights / "model.safetensors")
    found = decided(recorded.lamp, f"policy.checkpoint={weights}", "monitor.alpha=null")
    first = found.differences[0]
    assert first.kind is Kind.ACTION
    assert first.cause.startswith("policy was ")
    assert {"policy", "config.monitor.alpha"} <= {change.name for change in found.changed}


def test_another_setting_of_the_planner_shows_in_the_plan(recorded: Recorded) -> None:
    found = decided(recorded.lamp, "monitor.presence_threshold=1.0")
    first = found.differences[0]
    assert first.kind is Kind.PLAN and first.tick == 0
    assert first.then == "press the button"
    assert "no button" in first.now or "see" in first.now
    assert first.cause.startswith("monitor.presence_threshold was 0.5, is 1.0")


def test_a_smaller_budget_shows_in_the_loop(recorded: Recorded) -> None:
    found = decided(recorded.lamp, "budget.seconds=1.0")
    assert any(one.kind is Kind.PROBLEMS or one.kind is Kind.LOOP for one in found.differences)
    assert [one for one in found.differences if not one.cause] == []


def test_the_table_names_the_first_and_why(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--decisions", "--set", "monitor.confirm_ticks=9"]
    assert main(["replay", str(recorded.lamp), *words]) == 1
    told = capsys.readouterr().out
    assert "since monitor.confirm_ticks was 3, is 9." in told
    assert told.index("First at tick") < told.index("press the button")
