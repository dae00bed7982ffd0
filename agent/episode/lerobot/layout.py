"""How a LeRobotDataset v3.0 of Bosun's episodes is laid out: files, columns, and `info.json`.

A LeRobot "episode" is one subgoal run, and its task the phrase that the policy was given: that is
what a vision-language-action policy learns from, one sentence and what was done about it. What it
was part of is not lost: `meta/episodes` says of every run which mission it belongs to, with the
command, the plan, what was believed and what came of it, and every frame says which run it is of
and how that ended, so that only the successful ones can be chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.episode.reader import Episode
from agent.errors import EpisodeError, MissingDependency
from agent.events import Ticked

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "v3.0"
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
FILES_PER_CHUNK, DATA_FILE_MB = 1000, 100

IMAGES, STATE, ACTION = "observation.images.", "observation.state", "action"
RAW, SENT = "raw_action", "sent"
PERSISTENT, EVENTS = "language_persistent", "language_events"

COUNTERS = ("frame_index", "episode_index", "index", "task_index")
RUN_NUMBERS = ("mission_index", "run_index", "attempt")
RUN_TEXTS = ("skill", "outcome", "verdict", "reason")
HEADS = ("policy_spread", "policy_progress", "policy_success")
"""What the policy told in each frame; NaN where it did not."""
TIME = "mission_time"
"""Seconds since the mission began."""

Feature = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What all frames of a data set have in common.

    Attributes:
        cameras: Camera name -> height and width in px, in order.
        joints: How many joints there are.
        action: A name per dimension of the action.
        fps: Frames a second.
    """

    cameras: Mapping[str, tuple[int, int]]
    joints: int
    action: tuple[str, ...]
    fps: float

    def __str__(self) -> str:
        """Return it in words."""
        cameras = ", ".join(f"{n} {h}x{w}" for n, (h, w) in self.cameras.items()) or "none"
        return (
            f"cameras {cameras}; {self.joints} joints; {len(self.action)}-d actions;"
            f" {self.fps:g} Hz"
        )

    @property
    def state(self) -> tuple[str, ...]:
        """A name per dimension of the state."""
        pose = ("x [m]", "y [m]", "z [m]", "qw", "qx", "qy", "qz")
        joints = (f"joint {number} [rad]" for number in range(1, self.joints + 1))
        return (*pose, "gripper [0..1]", *joints)

    @property
    def features(self) -> dict[str, Feature]:
        """What `info.json` says of every column but those of language."""
        images = {
            IMAGES + name: _feature("image", (*size, 3), ["height", "width", "channels"])
            for name, size in self.cameras.items()
        }
        return {
            **images,
            STATE: _feature("float32", (len(self.state),), list(self.state)),
            ACTION: _feature("float32", (len(self.action),), list(self.action)),
            RAW: _feature("float32", (len(self.action),), list(self.action)),
            SENT: _feature("bool"),
            **{name: _feature("int64") for name in RUN_NUMBERS},
            **{name: _feature("string") for name in RUN_TEXTS},
            **{name: _feature("float32") for name in (TIME, *HEADS)},
            "timestamp": _feature("float32"),
            **{name: _feature("int64") for name in COUNTERS},
        }


def shape_of(tick: Ticked, episode: Episode) -> Shape:
    """Return what the frames of an episode are like, by one of its ticks."""
    metadata = episode.metadata
    names = metadata.get("action") or [f"action {n}" for n in range(1, len(tick.action) + 1)]
    return Shape(
        cameras={name: image.shape[:2] for name, image in tick.observation.images.items()},
        joints=len(tick.observation.joint_pos),
        action=tuple(names),
        fps=float(metadata.get("rate_hz") or 1 / tick.chunk.dt_s),
    )


def state_of(tick: Ticked) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return (8 + joints,) float32: tool pose in m and wxyz, gripper 0..1, joints in rad."""
    seen = tick.observation
    return np.concatenate([seen.ee_pose, [seen.gripper], seen.joint_pos]).astype(np.float32)


def acted(tick: Ticked) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return (dim,) float32: what was sent, or what the policy asked for where nothing was."""
    return (tick.action if tick.sent is None else tick.sent).astype(np.float32)


def data_schema(shape: Shape, *, language: bool) -> pa.Schema:
    """Return the columns of the frames, as they lie in the Parquet files."""
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    numbers = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}
    columns = []
    for name, feature in shape.features.items():
        if feature["dtype"] == "image":
            kind = image
        elif feature["dtype"] == "string":
            kind = pa.string()
        elif name in (STATE, ACTION, RAW):
            kind = pa.list_(pa.float32(), feature["shape"][0])
        else:
            kind = numbers[feature["dtype"]]
        columns.append((name, kind))
    if language:
        said = [("role", pa.string()), ("content", pa.string()), ("style", pa.string())]
        rest = [("camera", pa.string()), ("tool_calls", pa.list_(pa.string()))]
        columns.append(
            (PERSISTENT, pa.list_(pa.struct([*said, ("timestamp", pa.float32()), *rest])))
        )
        columns.append((EVENTS, pa.list_(pa.struct([*said, *rest]))))
    return pa.schema(columns)


def information(
    shape: Shape, *, language: bool, episodes: int, frames: int, tasks: int
) -> dict[str, Any]:
    """Return `info.json`."""
    spoken = {name: _feature("language") for name in (PERSISTENT, EVENTS)} if language else {}
    return {
        "codebase_version": VERSION,
        "robot_type": "bosun",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": DATA_FILE_MB,
        "video_files_size_in_mb": 2 * DATA_FILE_MB,
        "fps": int(shape.fps),
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA,
        "video_path": None,
        "features": {**shape.features, **spoken},
    }


def whole_rate(shape: Shape) -> None:
    """Refuse a rate that `info.json` cannot say.

    Raises:
        EpisodeError: The rate is no whole number of frames a second.
    """
    if shape.fps != int(shape.fps) or shape.fps < 1:
        raise EpisodeError(
            f"LeRobot counts whole frames a second, and these were recorded at {shape.fps:g} Hz;"
            " there is no such data set of them."
        )


def require_pyarrow() -> None:
    """Say how to install pyarrow where it is missing.

    Raises:
        MissingDependency: It is.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingDependency(
            "LeRobot data sets need pyarrow; run `pip install -c constraints.txt -e '.[lerobot]'`."
        ) from error


def _feature(dtype: str, shape: tuple[int, ...] = (1,), names: list[str] | None = None) -> Feature:
    return {"dtype": dtype, "shape": list(shape), "names": names}
