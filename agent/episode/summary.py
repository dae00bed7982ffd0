"""What came of a mission as plain data, as `--json` prints it and `summary.json` keeps it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from agent.errors import EpisodeError
from agent.types import MissionResult

SUMMARY = "summary.json"


def summarise(
    result: MissionResult,
    world_success: bool | None,
    episode: Path | None,
    chunks: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a mission's result as plain data.

    Args:
        result: What came of it.
        world_success: Whether its goals hold in truth; None where nobody knows.
        episode: Folder of its log.
        chunks: What `agent.chunks.meter` measured; None where each tick waited for its inference.
    """
    return {
        "outcome": result.outcome.value,
        "command": result.plan.command,
        "plan": [
            {"skill": s.skill, "args": s.args, "phrase": s.phrase} for s in result.plan.subgoals
        ],
        "subgoals": [
            {
                "skill": r.subgoal.skill,
                "phrase": r.subgoal.phrase,
                "outcome": r.outcome.value,
                "reason": r.verdict.reason.value,
                "attempts": r.attempts,
                "ticks": r.ticks,
            }
            for r in result.results
        ],
        "replans": result.replans,
        "question": result.question,
        "seconds": result.seconds,
        "chunks": chunks,
        "world_success": world_success,
        "episode": None if episode is None else str(episode),
    }


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Put a summary beside its episode, all of it or nothing.

    Raises:
        EpisodeError: The folder cannot be written to, or the disk is full.
    """
    path = folder / SUMMARY
    draft = path.with_suffix(".part")
    try:
        draft.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise EpisodeError(f"{path} cannot be written: {error.strerror}.") from error
