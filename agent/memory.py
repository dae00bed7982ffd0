"""Which recovery worked after which failure, kept over missions in a small SQLite file.

A mission never depends on it: where the file cannot be read or written, what is usual is tried.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agent.recovery import Recovery
from agent.types import Reason, SubgoalResult
from agent.workspace import kind_of

_TABLE = """
CREATE TABLE IF NOT EXISTS recoveries (
    skill TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, recovery TEXT NOT NULL,
    tries INTEGER NOT NULL, successes INTEGER NOT NULL,
    PRIMARY KEY (skill, kind, reason, recovery)
)
"""
_NOTE = """
INSERT INTO recoveries VALUES (?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET tries = tries + 1, successes = successes + excluded.successes
"""
_KEEP = "INSERT INTO recoveries VALUES (?, ?, ?, ?, ?, ?)"
_TRIES_OF_DOUBT = 4
"""Tries that the usual order weighs as much as."""
_WAIT_S = 0.5
"""How long another process may be writing, s; the loop does not wait for it longer."""


@dataclass(frozen=True, slots=True)
class Case:
    """What went wrong: a skill, with what kind of object, and why."""

    skill: str
    kind: str
    reason: Reason

    @classmethod
    def of(cls, failed: SubgoalResult) -> Self:
        """Return the case of a subgoal that failed."""
        named = failed.subgoal.args.get("object", "")
        return cls(failed.subgoal.skill, kind_of(named) or "", failed.verdict.reason)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one recovery was tried in one case, and how often the subgoal then succeeded."""

    case: Case
    recovery: Recovery
    tries: int
    successes: int


class FailureMemory:
    """Remembers what helped.

    Attributes:
        fault: One sentence that says why nothing is remembered; None while all is well.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Keep the memory in a file, which is made with the first note; None remembers nothing."""
        self._path = path
        self.fault: str | None = None

    def ordered(self, case: Case, options: Sequence[Recovery]) -> list[Recovery]:
        """Return recoveries by how likely they help, the usual order counting as some tries.

        Args:
            case: What went wrong.
            options: What can be tried, in the usual order.
        """
        known = {t.recovery: t for t in self.tallies() if t.case == case}

        def likely(recovery: Recovery) -> float:
            expected = 1 - (1 + options.index(recovery)) / (1 + len(options))
            tally = known.get(recovery)
            tries, successes = (tally.tries, tally.successes) if tally else (0, 0)
            return (successes + _TRIES_OF_DOUBT * expected) / (tries + _TRIES_OF_DOUBT)

        return sorted(options, key=likely, reverse=True)

    def note(self, case: Case, recovery: Recovery, *, worked: bool) -> None:
        """Remember one more try."""
        if self._path is None:
            return
        key = (case.skill, case.kind, case.reason.value, recovery.value)
        self._run(self._path, _TABLE)
        self._run(self._path, _NOTE, (*key, int(worked)))

    def tallies(self) -> list[Tally]:
        """Return all that is remembered, by skill, kind, reason and recovery."""
        if self._path is None or not self._path.exists():
            return []
        rows = self._run(self._path, "SELECT * FROM recoveries ORDER BY 1, 2, 3, 4")
        try:
            return [
                Tally(Case(skill, kind, Reason(reason)), Recovery(recovery), tries, successes)
                for skill, kind, reason, recovery, tries, successes in rows
            ]
        except ValueError as error:
            # Another version of Bosun knew other words, or the table is someone else's.
            self._blame(self._path, error)
            return []

    def restore(self, tallies: Sequence[Tally]) -> None:
        """Add what another memory holds to this one, which has nothing yet."""
        if self._path is None:
            return
        self._run(self._path, _TABLE)
        for tally in tallies:
            values = (tally.recovery.value, tally.tries, tally.successes)
            case = tally.case
            self._run(self._path, _KEEP, (case.skill, case.kind, case.reason.value, *values))

    def clear(self) -> int:
        """Forget everything, a damaged file included; return how many tallies there were."""
        tallies = self.tallies()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.fault = None
        return len(tallies)

    def _run(self, path: Path, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Run one statement and return its rows; nothing, and a fault, where that fails."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, timeout=_WAIT_S)) as file, file:
                return file.execute(statement, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._blame(path, error)
            return []

    def _blame(self, path: Path, error: Exception) -> None:
        self.fault = (
            f"The failure memory {path} cannot be used ({error}); `bosun memory --clear` begins "
            "a new one."
        )
