"""Kept results: taken up after a kill, never mixed with those of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.types import MissionOutcome, Reason
from skills.evaluate.ledger import Ledger
from skills.evaluate.missions import Drawn, Record
from skills.evaluate.parallel import parallel

KIND = Drawn | None
RECORD = Record(MissionOutcome.NEEDS_HELP, False, 2, 31.5, 4.25, (Reason.DONE, Reason.DROPPED))


class Logged:
    """Squares its jobs and notes each one in a file."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, job: int) -> int | None:
        with self._log.open("a") as file:
            file.write(f"{job}\n")
        return None if job % 3 == 0 else job * job


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    ledger = Ledger(path, "stacks", KIND)
    ledger.add("drop=0/at_end", 7, (7, "stack it", RECORD))
    ledger.add("drop=0/at_end", 8, None)
    again = Ledger(path, "stacks", KIND)
    assert ("drop=0/at_end", 7) in again
    assert again["drop=0/at_end", 7] == (7, "stack it", RECORD)
    assert again["drop=0/at_end", 8] is None
    assert ("drop=0/at_end", 9) not in again
    assert ("drop=0/open_loop", 7) not in again


def test_what_a_kill_cut_off_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    ledger = Ledger(path, "stacks", KIND)
    ledger.add("a", 1, None)
    ledger.add("a", 2, (2, "stack it", RECORD))
    path.write_bytes(path.read_bytes()[:-20])
    again = Ledger(path, "stacks", KIND)
    assert ("a", 1) in again
    assert ("a", 2) not in again
    again.add("a", 2, (2, "stack it", RECORD))
    assert Ledger(path, "stacks", KIND)["a", 2] == (2, "stack it", RECORD)


def test_results_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    Ledger(path, "weights abc", KIND)
    with pytest.raises(UsageError, match="holds results of weights abc, but asked is for"):
        Ledger(path, "weights xyz", KIND)


@pytest.mark.parametrize("text", ["{}\n", "hello\n", '{"about": "stacks"}\n{"group": "a"}\n'])
def test_another_file_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"notes\.txt is not a file of results"):
        Ledger(path, "stacks", KIND)
    assert path.read_text() == text


def test_what_is_known_is_not_tried_again(tmp_path: Path) -> None:
    """A run that is asked for more goes on where the last one ended."""
    log, path = tmp_path / "log", tmp_path / "kept.jsonl"
    for wanted in (3, 5):
        ledger = Ledger(path, "squares", int | None)
        jobs = {"a": range(100), "b": range(10, 20)}
        found = parallel(Logged, (log,), jobs, {"a": wanted, "b": 1}, 1, "test", ledger)
    assert found == {"a": [1, 4, 16, 25, 49], "b": [100]}
    tried = [int(line) for line in log.read_text().split()]
    assert sorted(tried) == [0, 1, 2, 3, 4, 5, 6, 7, 10]
