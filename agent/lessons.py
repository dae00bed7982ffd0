"""Logged missions as demonstrations: what `bosun train policy` learns from beside its own data.

Episodes, and LeRobotDatasets, become shards as `skills.dataset` has them, in the same way: one
demonstration per successful run of a learned skill, one shard per mission.

Nobody who logs a mission knows the truth, so these labels are *believed*, not true. Where things
are is what the agent estimated at the decision point before the run. What a run handles, carries
or holds moves on from there unseen: it is known in the run's first frame and absent from then on.
Success is the monitor's verdict, and holds for the ticks that it rests on. Where a thing was picked
up and put down is where the hand closed and opened. How the cameras stand is not known.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from agent.episode.file import FILE_NAME
from agent.episode.lerobot.layout import ACTION, INFO, STATE, shape_of
from agent.episode.lerobot.reader import LeRobotFolder
from agent.episode.reader import read_episode
from agent.episode.runs import subgoal_runs
from agent.episode.trajectory import Trajectory, trajectory_of
from agent.errors import SkillError
from agent.sections import MonitorConfig
from agent.types import HAND, FloatArray, Scene, SubgoalOutcome
from agent.workspace import BUTTON, DIRECTIONS, DRAWER_TRAVEL, OBJECTS, PUSH_DISTANCE, ZONES
from skills.dataset import (
    CAMERAS,
    OBJECT_NAMES,
    SKILLS,
    STATE_DIM,
    SUPPORTS,
    ShardWriter,
    call_of,
    scene_labels,
    write_manifest,
)
from skills.phrases import calls, paraphrases

_PRESENT = 0.5
"""From which probability on a thing counts as there."""
_ACHIEVED_TICKS = MonitorConfig().confirm_ticks
"""How many ticks at the end of a confirmed run the verdict rests on."""
_OPEN = 0.5
"""Gripper command above which the hand opens."""

Call = tuple[str, dict[str, str]]


def training_folder(data: Path, out: Path) -> Path:
    """Return a folder of shards for a data folder: itself, or one in `out/data` made of it.

    What was made of the same files before is taken as it is.

    Args:
        data: A folder of shards, a LeRobotDataset v3.0, or a folder with episodes somewhere in it.
        out: Folder of the training run.

    Raises:
        SkillError: There is nothing in it to learn from, or it is of another robot.
        EpisodeError: A file in it cannot be read.
    """
    files = logged_files(data)
    if not files:
        return data
    folder = out / "data" / f"{data.resolve().name}-{_digest(files)}"
    if not folder.exists():
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _write_shards(data, _trajectories(data), partial)
        partial.rename(folder)
    return folder


def logged_files(data: Path) -> list[Path]:
    """Return the logs in a data folder, in order; none where it is one of shards, or nothing."""
    if (data / INFO).is_file():
        return sorted([data / INFO, *data.rglob("*.parquet")])
    if data.is_file() or any(data.glob("shard-*")):
        return []
    return sorted(data.rglob(FILE_NAME))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _trajectories(data: Path) -> Iterator[Trajectory]:
    """Yield every run that was logged, mission after mission.

    Raises:
        SkillError: They are of another robot.
    """
    if (data / INFO).is_file():
        folder = LeRobotFolder(data)
        state, action = (folder.features.get(name, {}) for name in (STATE, ACTION))
        dims = (state.get("shape") or [0])[0]
        _check(data, folder.cameras, dims, action.get("names") or ())
        yield from folder.trajectories()
        return
    for number, file in enumerate(logged_files(data)):
        episode = read_episode(file)
        for run in subgoal_runs(episode):
            if run.ticks:
                shape = shape_of(run.ticks[0], episode)
                _check(file, shape.cameras, len(shape.state), shape.action)
                yield trajectory_of(run, number)


def _check(
    source: Path, cameras: Mapping[str, tuple[int, ...]], state: int, action: Sequence[str]
) -> None:
    """Refuse what is logged of another robot.

    Args:
        source: Where it is.
        cameras: Camera name -> height and width, px.
        state: How many numbers its state has.
        action: A name per dimension of its action.

    Raises:
        SkillError: It is.
    """
    from agent.robots.tabletop.spaces import SPEC

    seen = {name: size[:2] for name, size in cameras.items()}
    fits = all(seen.get(name) == size for name, size in CAMERAS.items())
    if fits and state == STATE_DIM and tuple(action) == SPEC.names:
        return
    raise SkillError(
        f"The policy cannot learn from {source}: it has images {_sized(seen)}, a state of {state}"
        f" numbers and actions [{', '.join(map(str, action))}]; what is needed is images"
        f" {_sized(CAMERAS)}, a state of {STATE_DIM} (tool pose, gripper, joints) and actions"
        f" [{', '.join(SPEC.names)}]."
    )


def _sized(cameras: Mapping[str, Sequence[int]]) -> str:
    return ", ".join(f"{n} {size[0]}x{size[1]}" for n, size in cameras.items()) or "none"


def _write_shards(data: Path, trajectories: Iterator[Trajectory], folder: Path) -> None:
    """Write a shard per mission with something to learn from in it.

    Raises:
        SkillError: There is none.
    """
    counts: Counter[str] = Counter()
    for mission, runs in groupby(trajectories, key=lambda trajectory: trajectory.mission):
        writer, demo = ShardWriter(), 0
        for run in runs:
            call = _call(run)
            why = _left_out(run, call)
            counts[why or "learned from"] += 1
            if call is not None and not why:
                _add(writer, demo, run, *call)
                demo += 1
        if len(writer):
            writer.save(folder / f"shard-{mission:07d}")
    if not counts["learned from"]:
        found = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        raise SkillError(
            f"There is no successful run of a learned skill in {data} to learn from"
            f" ({found or 'nothing was logged'})."
        )
    write_manifest(folder, {"of": str(data), "runs": dict(counts)})


def _left_out(run: Trajectory, call: Call | None) -> str:
    """Return why nothing is learned from a run; empty where something is."""
    if run.subgoal.skill and run.subgoal.skill not in SKILLS:
        return "of skills that are not learned"
    if run.outcome not in (None, SubgoalOutcome.SUCCESS):
        return "without success"
    if any(len(run.images.get(name, ())) != len(run.state) for name in CAMERAS):
        return "with images missing"
    return "" if call else "of no known call"


def _call(run: Trajectory) -> Call | None:
    """Return the skill and arguments of a run, by its phrase where nothing else tells."""
    if not run.subgoal.skill:
        return _calls_by_phrase().get(run.subgoal.phrase.strip().lower().rstrip("."))
    call = run.subgoal.skill, dict(run.subgoal.args)
    return call if call in _calls_by_phrase().values() else None


@lru_cache(maxsize=1)
def _calls_by_phrase() -> dict[str, Call]:
    return {
        phrase.lower(): (skill, args)
        for skill, args in calls()
        for phrase in paraphrases(skill, args)
    }


def _add(
    writer: ShardWriter, demo: int, run: Trajectory, skill: str, args: Mapping[str, str]
) -> None:
    """Add the frames of a run as one demonstration."""
    scene, count = _known(run.scene), len(run.state)
    first = max(0, count - _ACHIEVED_TICKS)
    goals = _goals(skill, args, scene, run.state, run.action)
    at_first, later = scene_labels(scene), scene_labels(_still(scene, args["object"]))
    for index in range(count):
        writer.add(
            {
                **{name: run.images[name][index] for name in CAMERAS},
                "state": run.state[index],
                "action": run.action[index],
                "demo": np.int32(demo),
                **call_of(skill, args),
                "progress": np.float32(min(1.0, index / max(first, 1))),
                "success": index >= first,
                "mount": np.full(9, np.nan),
                "goal": goals[index],
                **(later if index else at_first),
            }
        )


def _known(scene: Scene | None) -> Scene:
    """Return what is likely there, of the things there are labels for."""
    things = scene.objects.items() if scene else ()
    return Scene(
        0.0,
        {
            name: thing
            for name, thing in things
            if name in OBJECT_NAMES and thing.support in SUPPORTS and thing.presence >= _PRESENT
        },
    )


def _still(scene: Scene, handled: str) -> Scene:
    """Return the scene without what a run moves; a button stays where it is."""
    moves = {handled, *(name for name, o in scene.objects.items() if o.support == HAND)}
    moves = {name for name in moves if OBJECTS.get(name) != BUTTON}
    kept = {n: o for n, o in scene.objects.items() if not moves & {n, o.support}}
    return Scene(scene.time_s, kept)


def _goals(
    skill: str, args: Mapping[str, str], scene: Scene, state: FloatArray, action: FloatArray
) -> FloatArray:
    """Return (n, 3) m where a run takes the thing to, or where what stays is; NaN where unknown."""
    goal: Any = np.full((len(state), 3), np.nan)
    thing, opened = scene.objects.get(args["object"]), (action[:, 6] > _OPEN).astype(np.int8)
    if skill == "pick":
        # Where the hand closed for good, and from then on with the hand.
        closes = np.flatnonzero(np.diff(opened) < 0)
        if len(closes):
            goal = state[:, :3].copy()
            goal[: closes[-1] + 1] = state[closes[-1] + 1, :3]
    elif skill in ("place_in", "place_on"):
        # Where the hand opened, at the height of the target's middle.
        opens = np.flatnonzero(np.diff(opened) > 0)
        target = scene.objects.get(args["target"])
        height = 0.0 if args["target"] in ZONES else target.position[2] if target else np.nan
        if len(opens):
            goal[:] = [*state[opens[-1] + 1, :2], height]
    elif thing is None:
        pass
    elif skill in ("open", "close"):
        opening = DRAWER_TRAVEL if skill == "open" else 0.0
        goal[:] = thing.position + np.array([opening - (thing.articulation or 0.0), 0.0, 0.0])
    elif skill == "push":
        goal[:] = thing.position + PUSH_DISTANCE * np.array([*DIRECTIONS[args["direction"]], 0.0])
    elif skill == "press":
        goal[:] = thing.position
    return np.asarray(goal, np.float32)
