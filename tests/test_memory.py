from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.memory import Case, FailureMemory
from agent.recovery import Recovery, usual
from agent.types import Reason

MISSED = Case("pick", "block", Reason.GRASP_MISSED)
STUCK = Case("pick", "block", Reason.STUCK)
USUAL = [Recovery.AGAIN, Recovery.FROM_HOME, Recovery.REPLAN]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "memory.sqlite3"


def test_without_memory_the_usual_order_holds(path: Path) -> None:
    for memory in (FailureMemory(None), FailureMemory(path)):
        assert memory.ordered(MISSED, USUAL) == USUAL
        assert memory.tallies() == []
    assert not path.exists()


def test_what_helped_comes_first_and_stays(path: Path) -> None:
    memory = FailureMemory(path)
    for _ in range(4):
        memory.note(MISSED, Recovery.AGAIN, worked=False)
        memory.note(MISSED, Recovery.FROM_HOME, worked=True)
    again = FailureMemory(path)
    assert again.ordered(MISSED, USUAL)[0] is Recovery.FROM_HOME
    assert [(t.recovery, t.tries, t.successes) for t in again.tallies()] == [
        (Recovery.AGAIN, 4, 0),
        (Recovery.FROM_HOME, 4, 4),
    ]


def test_one_case_says_nothing_of_another(path: Path) -> None:
    memory = FailureMemory(path)
    for _ in range(9):
        memory.note(STUCK, Recovery.AGAIN, worked=False)
    assert memory.ordered(MISSED, USUAL) == USUAL
    assert memory.ordered(STUCK, USUAL)[-1] is Recovery.AGAIN


def test_one_failure_does_not_turn_the_order(path: Path) -> None:
    memory = FailureMemory(path)
    memory.note(MISSED, Recovery.AGAIN, worked=False)
    assert memory.ordered(MISSED, USUAL) == USUAL


def test_clearing_forgets(path: Path) -> None:
    memory = FailureMemory(path)
    memory.note(MISSED, Recovery.AGAIN, worked=True)
    assert memory.clear() == 1
    assert memory.tallies() == []
    assert memory.clear() == 0
    memory.note(MISSED, Recovery.AGAIN, worked=True)
    assert len(FailureMemory(path).tallies()) == 1


def _rubbish(path: Path) -> None:
    path.write_bytes(b"This is no database, however long it goes on. " * 50)


def _other_table(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE recoveries (something TEXT)")
        file.execute("INSERT INTO recoveries VALUES ('else')")
    file.close()


def _other_words(path: Path) -> None:
    FailureMemory(path).note(MISSED, Recovery.AGAIN, worked=True)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE recoveries SET reason = 'bad_luck'")
    file.close()


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("damage", [_rubbish, _other_table, _other_words, _folder])
def test_a_damaged_file_is_said_and_does_not_matter(
    path: Path, damage: Callable[[Path], None]
) -> None:
    path.parent.mkdir()
    damage(path)
    memory = FailureMemory(path)
    assert memory.ordered(MISSED, USUAL) == USUAL
    assert memory.fault is not None
    assert str(path) in memory.fault
    memory.note(MISSED, Recovery.AGAIN, worked=True)


def test_a_damaged_file_can_be_cleared(path: Path) -> None:
    path.parent.mkdir()
    _rubbish(path)
    memory = FailureMemory(path)
    memory.clear()
    memory.note(MISSED, Recovery.AGAIN, worked=True)
    assert memory.fault is None
    assert len(memory.tallies()) == 1


def test_a_file_another_process_writes_is_not_waited_for(path: Path) -> None:
    memory = FailureMemory(path)
    memory.note(MISSED, Recovery.AGAIN, worked=True)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    memory.note(MISSED, Recovery.AGAIN, worked=True)
    assert memory.fault is not None
    other.rollback()
    other.close()


def _note_often(path: Path) -> None:
    for _ in range(20):
        memory = FailureMemory(path)
        memory.note(MISSED, Recovery.AGAIN, worked=True)
        assert memory.fault is None


def test_several_processes_lose_nothing(path: Path) -> None:
    FailureMemory(path).note(MISSED, Recovery.AGAIN, worked=True)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_note_often, [path, path])
    assert [t.tries for t in FailureMemory(path).tallies()] == [41]


def test_every_reason_has_something_to_try() -> None:
    for reason in Reason:
        assert usual(reason)
        assert len(set(usual(reason))) == len(usual(reason))
