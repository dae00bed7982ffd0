"""What is wrong with an episode, as one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an episode.

    Attributes:
        path: The file it is in.
        what: The topics or the record it is about, such as `/action` or `chunk index`.
        problem: What is wrong with it, as the end of a sentence that begins with `what`.
        time_s: Time of the mission, s; None where it has none.
        tick: Which tick it is, from 0; None where it is none.
        offset: Of the first byte of its record; None where it is none of the MCAP file.
    """

    path: Path
    what: str
    problem: str
    time_s: float | None = None
    tick: int | None = None
    offset: int | None = None

    def __str__(self) -> str:
        """Return it as a sentence."""
        where = [
            "" if self.tick is None else f"tick {self.tick}",
            "" if self.time_s is None else f"at {self.time_s:.1f} s",
            "" if self.offset is None else f"byte {self.offset}",
        ]
        placed = ", ".join(part for part in where if part)
        return f"{self.path}: {self.what}{f' ({placed})' if placed else ''} {self.problem}."
