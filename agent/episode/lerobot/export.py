"""Writes episodes as one LeRobotDataset v3.0; see `layout` for how."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.episode.lerobot.columns import (
    Columns,
    numeric_columns,
    picture_columns,
    scene_text,
    text_columns,
)
from agent.episode.lerobot.language import event_rows, persistent_rows
from agent.episode.lerobot.layout import (
    DATA,
    DATA_FILE_MB,
    EPISODES,
    EVENTS,
    FILES_PER_CHUNK,
    IMAGES,
    INFO,
    PERSISTENT,
    STATS,
    TASKS,
    Shape,
    data_schema,
    information,
    require_pyarrow,
    shape_of,
    whole_rate,
)
from agent.episode.lerobot.stats import (
    Counts,
    Statistics,
    histogram,
    image_statistics,
    vector_statistics,
)
from agent.episode.reader import Episode
from agent.episode.runs import SubgoalRun, subgoal_runs
from agent.errors import EpisodeError

if TYPE_CHECKING:
    import pyarrow.parquet as pq


def export_lerobot(episodes: Sequence[Episode], folder: Path, *, language: bool = True) -> Path:
    """Write episodes as a LeRobotDataset v3.0 and return its folder, which appears complete.

    Frames are PNG, pixel for pixel the episodes'. `action` is what was sent, and where nothing was,
    as in the last frame of a run, what the policy asked for; `sent` tells which, and `raw_action`
    is always what it asked for. A run of which no frame was logged is not in the data set, and of
    an episode that was cut there is what the file still holds.

    Args:
        episodes: At least one of them with a frame; all of the same cameras, joints, actions and
            rate.
        folder: Where to; missing or empty.
        language: Whether to write LeRobot's language columns, which its versions before 0.6 refuse
            to read.

    Raises:
        EpisodeError: The folder is not empty or cannot be written, the episodes do not fit
            together, or there is no frame in them.
        MissingDependency: pyarrow is not installed.
    """
    require_pyarrow()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EpisodeError(f"{folder} is not empty; give a new folder for the data set.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
            unfinished = Path(beside) / folder.name
            (unfinished / "meta").mkdir(parents=True)
            _DatasetWriter(unfinished, language).write(episodes)
            if folder.exists():
                folder.rmdir()
            unfinished.rename(folder)
    except OSError as error:
        raise EpisodeError(
            f"The data set {folder} cannot be written ({error.strerror or error});"
            " free some space or give another folder."
        ) from error
    return folder


@dataclass
class _Totals:
    """What all frames of a data set add up to, for its statistics."""

    vectors: dict[str, list[Any]] = field(default_factory=dict)
    pixels: dict[str, Counts] = field(default_factory=dict)

    def add(self, vectors: Mapping[str, Any], pixels: Mapping[str, Counts]) -> None:
        """Add the frames of one run."""
        for name, values in vectors.items():
            self.vectors.setdefault(name, []).append(values)
        for name, counts in pixels.items():
            self.pixels[name] = self.pixels.get(name, np.zeros_like(counts)) + counts

    def statistics(self, frames: int) -> dict[str, Statistics]:
        """Return those of every feature."""
        vectors = {name: np.concatenate(values) for name, values in self.vectors.items()}
        return _statistics(vectors, self.pixels, frames)


class _DatasetWriter:
    """Writes run after run; the images of one are in memory at a time."""

    def __init__(self, root: Path, language: bool) -> None:
        self._root, self._language = root, language
        self._first: tuple[Shape, Episode] | None = None
        self._tasks: dict[str, int] = {}
        self._rows: Columns = {}
        self._totals = _Totals()
        self._frames = self._runs = self._file = 0
        self._sink: pq.ParquetWriter | None = None

    def write(self, episodes: Sequence[Episode]) -> None:
        """Write the whole data set."""
        try:
            for number, episode in enumerate(episodes):
                for run in subgoal_runs(episode):
                    if run.ticks:
                        self._write_run(episode, number, run)
        finally:
            if self._sink is not None:
                self._sink.close()
        if self._first is None:
            raise EpisodeError("No frame was logged in these episodes; there is nothing to export.")
        self._write_meta(self._first[0])

    def _write_run(self, episode: Episode, mission: int, run: SubgoalRun) -> None:
        import pyarrow as pa

        shape = self._fitting(episode, run)
        task = self._tasks.setdefault(run.subgoal.phrase, len(self._tasks))
        frames = numeric_columns(run)
        count = len(run.ticks)
        frames |= {
            "mission_index": np.full(count, mission),
            "timestamp": (np.arange(count) / shape.fps).astype(np.float32),
            "frame_index": np.arange(count),
            "episode_index": np.full(count, self._runs),
            "index": self._frames + np.arange(count),
            "task_index": np.full(count, task),
        }
        pixels = {
            IMAGES + name: histogram([tick.observation.images[name] for tick in run.ticks])
            for name in shape.cameras
        }
        self._totals.add(frames, pixels)
        columns = {name: values.tolist() for name, values in frames.items()}
        columns |= text_columns(run) | picture_columns(run, shape)
        if self._language:
            held = persistent_rows(run, episode.command, columns["timestamp"][-1])
            columns |= {PERSISTENT: [held] * count, EVENTS: event_rows(run)}
        schema = data_schema(shape, language=self._language)
        self._open_sink(schema).write_table(pa.Table.from_pydict(columns, schema))
        self._describe(episode, mission, run, _statistics(frames, pixels, count))
        self._frames, self._runs = self._frames + count, self._runs + 1

    def _fitting(self, episode: Episode, run: SubgoalRun) -> Shape:
        """Return what all frames are like, once those of a run are known to be."""
        if self._first is None:
            shape = shape_of(run.ticks[0], episode)
            whole_rate(shape)
            self._first = shape, episode
        shape, first = self._first
        for tick in run.ticks:
            if (found := shape_of(tick, episode)) != shape:
                raise EpisodeError(
                    f"{first.path} and {episode.path} do not fit in one data set: the first has"
                    f" {shape}; the other, at {tick.time_s:.1f} s, {found}."
                )
        return shape

    def _open_sink(self, schema: Any) -> pq.ParquetWriter:
        """Return the file to write the next run to: a new one where the last one is full."""
        import pyarrow.parquet as pq

        if self._sink is not None:
            if self._path(DATA).stat().st_size < DATA_FILE_MB * 1_000_000:
                return self._sink
            self._sink.close()
            self._file += 1
        path = self._path(DATA)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = pq.ParquetWriter(path, schema)
        return self._sink

    def _path(self, template: str) -> Path:
        chunk, file = divmod(self._file, FILES_PER_CHUNK)
        return self._root / template.format(chunk_index=chunk, file_index=file)

    def _describe(
        self, episode: Episode, mission: int, run: SubgoalRun, statistics: dict[str, Statistics]
    ) -> None:
        """Note what `meta/episodes` says of a run."""
        chunk, file = divmod(self._file, FILES_PER_CHUNK)
        row = {
            "episode_index": self._runs,
            "tasks": [run.subgoal.phrase],
            "length": len(run.ticks),
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": self._frames,
            "dataset_to_index": self._frames + len(run.ticks),
            "mission/index": mission,
            "mission/command": episode.command,
            "mission/plan": None if run.plan is None else run.plan.model_dump_json(),
            "mission/replans": run.replans,
            "run/index": run.number,
            "run/skill": run.subgoal.skill,
            "run/args": run.args,
            "run/attempt": run.attempt,
            "run/outcome": run.outcome,
            "run/scene": scene_text(run),
            **{
                f"stats/{feature}/{name}": values
                for feature, found in statistics.items()
                for name, values in found.items()
            },
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)

    def _write_meta(self, shape: Shape) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._root / EPISODES.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pydict(self._rows), path)
        pq.write_table(_task_table(self._tasks), self._root / TASKS)
        told = information(
            shape,
            language=self._language,
            episodes=self._runs,
            frames=self._frames,
            tasks=len(self._tasks),
        )
        _write_json(self._root / INFO, told)
        _write_json(self._root / STATS, self._totals.statistics(self._frames))


def _statistics(
    frames: Mapping[str, Any], pixels: Mapping[str, Counts], count: int
) -> dict[str, Statistics]:
    vectors = {
        name: vector_statistics(values.reshape(len(values), -1)) for name, values in frames.items()
    }
    return vectors | {name: image_statistics(counts, count) for name, counts in pixels.items()}


def _task_table(tasks: Mapping[str, int]) -> Any:
    """Return the tasks as pandas writes them with the sentence as index, which LeRobot reads back.

    As an ordinary column it would load, too, and every frame's task then be a number.
    """
    import pyarrow as pa

    table = pa.table({"task_index": list(tasks.values()), "task": list(tasks)})
    column = {"metadata": None, "field_name": "task", "name": "task"}
    about = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {**column, "name": "task_index", "field_name": "task_index"}
            | {"pandas_type": "int64", "numpy_type": "int64"},
            {**column, "pandas_type": "unicode", "numpy_type": "object"},
        ],
    }
    return table.replace_schema_metadata({b"pandas": json.dumps(about).encode()})


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
