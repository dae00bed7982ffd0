"""An episode as a table: one row per tick, for a spreadsheet or pandas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.episode.reader import Episode
from agent.episode.runs import SubgoalRun, subgoal_runs
from agent.errors import EpisodeError
from agent.events import Ticked

_POSE = ("x_m", "y_m", "z_m", "qw", "qx", "qy", "qz")
_RUN = ("time_s", "run", "skill", "args", "phrase", "attempt")
_HEADS = ("spread_m", "progress", "success")
_END = ("outcome", "verdict", "reason", "confidence")

Cell = str | int | float


def export_csv(episode: Episode, file: Path) -> Path:
    """Write an episode as a CSV file and return it.

    Numbers are in full precision, in m, rad and s; a cell is empty where there is no such number.
    Outcome, verdict, reason and confidence are those of the whole subgoal run and stand in each of
    its rows; it is `unknown` where the run was cut off. Columns named `raw` are what the
    policy asked for, those named `sent` what the robot was sent.

    Raises:
        EpisodeError: The episode has no tick, or the file exists or cannot be written.
    """
    if not episode.tick_count:
        raise EpisodeError(f"{episode.path} holds no tick; there is no table of it.")
    try:
        with file.open("x", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            header: list[str] = []
            for run in subgoal_runs(episode):
                for tick in run.ticks:
                    if not header:
                        header = _header(tick)
                        writer.writerow(header)
                    writer.writerow(_row(run, tick))
    except FileExistsError as error:
        raise EpisodeError(f"{file} exists already; give another file for the table.") from error
    except OSError as error:
        raise EpisodeError(
            f"The table {file} cannot be written ({error.strerror}); give a file in a folder that"
            " you may write to."
        ) from error
    return file


def _header(tick: Ticked) -> list[str]:
    joints = (f"joint_{n}_rad" for n in range(1, len(tick.observation.joint_pos) + 1))
    numbers = range(1, len(tick.action) + 1)
    actions = (f"{kind}_{n}" for kind in ("raw", "sent") for n in numbers)
    return [*_RUN, *joints, *_POSE, "gripper", *actions, *_HEADS, *_END]


def _row(run: SubgoalRun, tick: Ticked) -> list[Cell]:
    seen, chunk = tick.observation, tick.chunk
    spread = None if chunk.spread is None else float(np.mean(chunk.spread))
    verdict = run.verdict
    ended = (
        (verdict.value.value, verdict.reason.value, verdict.confidence) if verdict else ("",) * 3
    )
    return [
        tick.time_s,
        run.number,
        run.subgoal.skill,
        run.args,
        run.subgoal.phrase,
        run.attempt,
        *_numbers(seen.joint_pos),
        *_numbers(seen.ee_pose),
        seen.gripper,
        *_numbers(tick.action),
        *(_numbers(tick.sent) if tick.sent is not None else [""] * len(tick.action)),
        *("" if head is None else head for head in (spread, chunk.progress, chunk.success)),
        run.outcome,
        *ended,
    ]


def _numbers(values: npt.NDArray[np.floating]) -> Iterator[float]:
    return (float(value) for value in values)
