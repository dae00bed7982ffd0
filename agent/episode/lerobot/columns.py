"""What the frames of one run are, column by column, as LeRobot has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from agent.episode.codec import encode
from agent.episode.lerobot.layout import (
    ACTION,
    IMAGES,
    RAW,
    SENT,
    STATE,
    TIME,
    Shape,
    acted,
    state_of,
)
from agent.episode.runs import SubgoalRun
from agent.events import SceneEstimated
from agent.pictures import png

Columns = dict[str, list[Any]]
"""Column name -> a value per frame."""


def numeric_columns(run: SubgoalRun) -> dict[str, Any]:
    """Return the numeric columns that a run itself tells, each an array of (n, ...)."""
    ticks, count = run.ticks, len(run.ticks)
    spread = [t.chunk.spread for t in ticks]
    return {
        STATE: np.stack([state_of(t) for t in ticks]),
        ACTION: np.stack([acted(t) for t in ticks]),
        RAW: np.stack([t.action for t in ticks]).astype(np.float32),
        SENT: np.array([t.sent is not None for t in ticks]),
        "run_index": np.full(count, run.number),
        "attempt": np.full(count, run.attempt),
        TIME: _numbers(t.time_s for t in ticks),
        "policy_spread": _numbers(None if s is None else float(np.mean(s)) for s in spread),
        "policy_progress": _numbers(t.chunk.progress for t in ticks),
        "policy_success": _numbers(t.chunk.success for t in ticks),
    }


def _numbers(values: Iterator[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], np.float32)


def text_columns(run: SubgoalRun) -> Columns:
    """Return what a run is of and how it ended, in every frame."""
    verdict = run.verdict
    texts = {
        "skill": run.subgoal.skill,
        "outcome": run.outcome,
        "verdict": verdict.value.value if verdict else "",
        "reason": verdict.reason.value if verdict else "",
    }
    return {name: [text] * len(run.ticks) for name, text in texts.items()}


def picture_columns(run: SubgoalRun, shape: Shape) -> Columns:
    """Return the images of every camera as PNG."""
    return {
        IMAGES + camera: [
            {"bytes": png(tick.observation.images[camera]), "path": None} for tick in run.ticks
        ]
        for camera in shape.cameras
    }


def scene_text(run: SubgoalRun) -> str | None:
    """Return what was believed as a run began, as the episode's own message of it."""
    if run.scene is None:
        return None
    [(_, message)] = encode(SceneEstimated(run.scene.time_s, run.scene))
    return json.dumps(message)
