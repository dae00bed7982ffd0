"""`bosun memory`: what helped after which failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import main
from agent.memory import Case, FailureMemory
from agent.recovery import Recovery
from agent.types import Reason


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FailureMemory:
    """Return the memory of the working directory, which is empty."""
    monkeypatch.chdir(tmp_path)
    return FailureMemory(Path("runs/memory.sqlite"))


def test_it_shows_and_forgets(kept: FailureMemory, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory"]) == 0
    assert capsys.readouterr().out == "Nothing is remembered yet: no subgoal has failed.\n"
    case = Case("pick", "block", Reason.GRASP_MISSED)
    for worked in (True, False, True):
        kept.note(case, Recovery.AGAIN, worked=worked)
    assert main(["memory"]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "pick" in row]
    assert line.split() == ["pick", "block", "grasp_missed", "again", "2", "of", "3"]
    assert main(["memory", "--json"]) == 0
    (tally,) = json.loads(capsys.readouterr().out)
    assert (tally["case"]["reason"], tally["tries"], tally["successes"]) == ("grasp_missed", 3, 2)
    assert main(["memory", "--clear"]) == 0
    assert capsys.readouterr().out == "Forgotten: 1 entry.\n"
    assert kept.tallies() == []


def test_a_damaged_memory_is_one_sentence(
    kept: FailureMemory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs" / "memory.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    assert main(["memory"]) != 0
    error = capsys.readouterr().err
    assert error.startswith("bosun: The failure memory runs/memory.sqlite cannot be used")
    assert error.count("\n") == 1
    assert main(["memory", "--clear"]) == 0
    assert not path.exists()
