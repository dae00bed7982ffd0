"""An episode for the Rerun viewer: images, curves and what was said, on the mission's own time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.episode.reader import Episode
from agent.errors import EpisodeError, MissingDependency
from agent.events import (
    Answered,
    Consulted,
    Corrected,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.pictures import png
from agent.types import Verdict, VerdictValue

if TYPE_CHECKING:
    from rerun import RecordingStream

TIMELINE = "mission_time"
"""Seconds since the mission began."""

_LEVELS = {
    VerdictValue.CONFIRMED: "INFO",
    VerdictValue.REFUTED: "ERROR",
    VerdictValue.INSUFFICIENT: "WARN",
}


def export_rerun(episode: Episode, file: Path) -> Path:
    """Write an episode as a Rerun recording and return its file.

    Raises:
        EpisodeError: The episode holds nothing, or the file exists or cannot be written.
        MissingDependency: The package rerun-sdk is not installed.
    """
    try:
        import rerun
    except ImportError as error:
        raise MissingDependency(
            "A Rerun recording needs rerun-sdk; run `pip install -c constraints.txt -e '.[rerun]'`."
        ) from error
    if file.exists():
        raise EpisodeError(f"{file} exists already; give another file for the recording.")
    if not episode.tick_count and not episode.decisions:
        raise EpisodeError(f"{episode.path} holds nothing; there is no recording of it.")
    stream = rerun.RecordingStream("bosun")
    try:
        stream.save(file)
        for event in episode.events():
            stream.set_time(TIMELINE, duration=event.time_s)
            _log(stream, event)
        stream.flush()
    except (OSError, RuntimeError) as error:
        raise EpisodeError(
            f"The recording {file} cannot be written ({error}); give a file in a folder that you"
            " may write to."
        ) from error
    finally:
        stream.disconnect()
    return file


def _log(stream: RecordingStream, event: Event) -> None:
    import rerun

    if isinstance(event, Ticked):
        for camera, image in event.observation.images.items():
            picture = rerun.EncodedImage(contents=png(image), media_type="image/png")
            stream.log(f"camera/{camera}", picture)
        for path, values in _curves(event):
            stream.log(path, rerun.Scalars(np.asarray(values, np.float64)))
    elif isinstance(event, SceneEstimated):
        objects = event.scene.objects.values()
        if objects:
            positions = [thing.position for thing in objects]
            names = [thing.name for thing in objects]
            stream.log("scene", rerun.Points3D(positions, labels=names, radii=0.02))
    else:
        for path, text, level in _texts(event):
            stream.log(path, rerun.TextLog(text, level=level))


def _curves(tick: Ticked) -> Iterator[tuple[str, Any]]:
    """Yield a path and the values of each curve at one tick; heads that are absent have none."""
    seen, chunk = tick.observation, tick.chunk
    yield "state/joints", seen.joint_pos
    yield "state/pose", seen.ee_pose
    yield "state/gripper", [seen.gripper]
    yield "action/raw", tick.action
    if tick.sent is not None:
        yield "action/sent", tick.sent
    if chunk.spread is not None:
        yield "policy/spread", [np.mean(chunk.spread)]
    for name, head in (("progress", chunk.progress), ("success", chunk.success)):
        if head is not None:
            yield f"policy/{name}", [head]


def _texts(event: Event) -> Iterator[tuple[str, str, str]]:
    """Yield path, text and level of what is said by one event."""
    match event:
        case MissionStarted():
            yield "mission", event.command, "INFO"
        case Planned():
            yield "plan", _planned(event), "WARN" if event.problems else "INFO"
        case Consulted():
            yield "model", event.reply, "ERROR" if event.fault else "INFO"
        case SubgoalStarted():
            yield "subgoal", f"{event.subgoal.phrase} (attempt {event.attempt})", "INFO"
        case VerdictGiven():
            yield "verdict", _judged(event.verdict), _LEVELS[event.verdict.value]
        case SubgoalEnded():
            result = event.result
            yield "subgoal", f"{result.subgoal.phrase}: {result.outcome.value}", "INFO"
        case Heard():
            yield "speech", event.text or f"({event.became})", "INFO"
        case Answered():
            yield "speech", f"{event.question} {event.answer}", "INFO"
        case Corrected():
            yield "speech", event.wish, "INFO"
        case Stopped():
            yield "mission", f"stopped: {event.source}", "ERROR"
        case MissionEnded():
            yield "mission", f"{event.result.outcome.value} after {event.time_s:.1f} s", "INFO"


def _planned(planned: Planned) -> str:
    plan = planned.plan
    if plan.question is not None:
        return f"question: {plan.question}"
    steps = "\n".join(f"{n}. {s.phrase}" for n, s in enumerate(plan.subgoals, 1))
    return steps if not planned.problems else f"{steps}\nrefused: {' '.join(planned.problems)}"


def _judged(verdict: Verdict) -> str:
    return f"{verdict.value.value}: {verdict.reason.value} ({verdict.confidence:.2f})"
