"""Reads a LeRobotDataset v3.0 with cameras stored as PNG: Bosun's own, or one that is like it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from agent.episode.codec import decode
from agent.episode.lerobot.layout import (
    ACTION,
    DATA,
    IMAGES,
    INFO,
    STATE,
    TASKS,
    VERSION,
    Feature,
    require_pyarrow,
)
from agent.episode.schemas import SCENE
from agent.episode.trajectory import Trajectory
from agent.errors import EpisodeError
from agent.events import SceneEstimated
from agent.types import FloatArray, Image, Scene, Subgoal

if TYPE_CHECKING:
    import pyarrow as pa

_DAMAGED = (OSError, KeyError, ValueError, TypeError, IndexError)
"""What reading raises where a file is missing, cut, or not what `info.json` says; pyarrow's own
errors are of these."""


class LeRobotFolder:
    """A LeRobotDataset v3.0 on disk."""

    def __init__(self, folder: Path) -> None:
        """Read what it says of itself.

        Raises:
            EpisodeError: It is no such data set, or one of another version.
            MissingDependency: pyarrow is not installed.
        """
        require_pyarrow()
        self.path = folder
        try:
            about = json.loads((folder / INFO).read_text(encoding="utf-8"))
            version = about["codebase_version"]
            self.features: Mapping[str, Feature] = dict(about["features"])
            self._data = str(about.get("data_path") or DATA)
        except _DAMAGED as error:
            raise EpisodeError(
                f"{folder} is no LeRobotDataset that can be read ({INFO}: {error}); give the folder"
                " that holds `meta` and `data`."
            ) from error
        if version != VERSION:
            raise EpisodeError(
                f"{folder} is a LeRobotDataset {version}, and Bosun reads {VERSION}; convert it"
                " with LeRobot."
            )

    @property
    def cameras(self) -> dict[str, tuple[int, ...]]:
        """Camera name -> height, width and channels, of those stored as images."""
        return {
            key.removeprefix(IMAGES): tuple(feature["shape"])
            for key, feature in self.features.items()
            if key.startswith(IMAGES) and feature["dtype"] == "image"
        }

    def trajectories(self) -> Iterator[Trajectory]:
        """Yield its episodes, in order; the images of one are in memory at a time.

        Raises:
            EpisodeError: A file is missing or damaged.
        """
        import pyarrow.parquet as pq

        try:
            tasks = _tasks(pq.read_table(self.path / TASKS))
            for number, row in enumerate(self._episodes()):
                frames = self._frames(row)
                if not frames.num_rows or frames.num_rows != row["length"]:
                    raise ValueError(f"episode {number} has {frames.num_rows} frames")
                yield self._recording(number, row, frames, tasks)
        except _DAMAGED as error:
            raise EpisodeError(
                f"The LeRobotDataset {self.path} is damaged or not as its {INFO} says ({error})."
            ) from error

    def _episodes(self) -> list[dict[str, Any]]:
        import pyarrow.parquet as pq

        files = sorted((self.path / "meta/episodes").glob("*/*.parquet"))
        if not files:
            raise FileNotFoundError("meta/episodes holds no file")
        rows: list[dict[str, Any]] = []
        for file in files:
            names = [n for n in pq.read_schema(file).names if not n.startswith("stats/")]
            rows.extend(pq.read_table(file, columns=names).to_pylist())
        return sorted(rows, key=lambda row: int(row["episode_index"]))

    def _frames(self, row: Mapping[str, Any]) -> pa.Table:
        """Return the rows of the data that belong to one episode."""
        import pyarrow.parquet as pq

        file = self.path / self._data.format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        only = [("episode_index", "=", row["episode_index"])]
        columns = [*(IMAGES + name for name in self.cameras), STATE, ACTION, "task_index"]
        return pq.read_table(file, columns=columns, filters=only)

    def _recording(
        self, number: int, row: Mapping[str, Any], frames: pa.Table, tasks: Mapping[int, str]
    ) -> Trajectory:
        task = tasks[frames["task_index"][0].as_py()]
        skill, args = row.get("run/skill") or "", json.loads(row.get("run/args") or "{}")
        return Trajectory(
            mission=int(row.get("mission/index", number)),
            subgoal=Subgoal(skill=skill, args=args, phrase=task),
            outcome=row.get("run/outcome"),
            scene=_scene(row.get("run/scene")),
            images={
                name: [_image(cell) for cell in frames[IMAGES + name].to_pylist()]
                for name in self.cameras
            },
            state=_matrix(frames[STATE]),
            action=_matrix(frames[ACTION]),
        )


def _tasks(table: pa.Table) -> dict[int, str]:
    """Return number -> sentence; pandas may have called the sentences' column otherwise."""
    rows = table.to_pylist()
    name = "task" if "task" in table.column_names else "__index_level_0__"
    return {int(row["task_index"]): str(row[name]) for row in rows}


def _scene(text: str | None) -> Scene | None:
    if text is None:
        return None
    event = decode({SCENE: json.loads(text)})
    return event.scene if isinstance(event, SceneEstimated) else None


def _image(cell: Mapping[str, Any]) -> Image:
    with PillowImage.open(io.BytesIO(cell["bytes"])) as image:
        return np.array(image.convert("RGB"), np.uint8)


def _matrix(column: pa.ChunkedArray) -> FloatArray:
    return np.array(column.to_pylist(), np.float32)
