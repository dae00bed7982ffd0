"""Demonstrations on disk: folders of memory-mapped arrays, one folder per range of seeds.

Every array of a shard has one row per frame:

========== ===================== =======================================================
front      (120, 160, 3) uint8   RGB
wrist      (96, 96, 3) uint8     RGB
state      (15,) float32         tool pose (m, wxyz), gripper, joints in rad
action     (7,) float32          the teacher's action
demo       () int32              number of the demonstration within the shard
skill      () int8               index into `SKILLS`
object     () int8               index into `OBJECT_NAMES`
target     () int8               index into `TARGET_NAMES`, -1 for none
progress   () float32            share of the demonstration done, 0..1; NaN where unknown
success    () bool               whether the subgoal is achieved, by the world's truth
present    (7,) bool             which of `OBJECT_NAMES` are there
position   (7, 3) float32        where they are, m, base frame
support    (7,) int8             what carries them, index into `SUPPORTS`
mount      (9,) float64          how far the cameras are from where they belong; `world.mount`
========== ===================== =======================================================
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import SkillError
from agent.types import HAND, TABLE, Observation, Scene, SceneObject
from agent.workspace import BLOCK, OBJECTS, ZONES

SKILLS = ("pick", "place_in", "place_on")
OBJECT_NAMES = tuple(OBJECTS)
TARGET_NAMES = (*(n for n, k in OBJECTS.items() if k != BLOCK), *ZONES)
SUPPORTS = (TABLE, HAND, *(n for n, k in OBJECTS.items() if k != BLOCK))
STATE_DIM = 15
LANDMARKS = tuple(ZONES)
"""What is seen in fixed places, so that it tells where the cameras are."""

Array = npt.NDArray[Any]
Shard = dict[str, Array]


def state_of(observation: Observation) -> npt.NDArray[np.float32]:
    """Return the (15,) proprioception a policy is given."""
    parts = (observation.ee_pose, np.array([observation.gripper]), observation.joint_pos)
    return np.concatenate(parts).astype(np.float32)


def scene_labels(scene: Scene) -> dict[str, Array]:
    """Return the world's truth as the rows `present`, `position` and `support`."""
    present = np.array([name in scene.objects for name in OBJECT_NAMES])
    position = np.zeros((len(OBJECT_NAMES), 3), np.float32)
    support = np.zeros(len(OBJECT_NAMES), np.int8)
    for index, name in enumerate(OBJECT_NAMES):
        if name in scene.objects:
            position[index] = scene.objects[name].position
            support[index] = SUPPORTS.index(scene.objects[name].support)
    return {"present": present, "position": position, "support": support}


def scene_of(shard: Shard, row: int) -> Scene:
    """Return the scene that one row's labels describe; the inverse of `scene_labels`."""
    return Scene(
        0.0,
        {
            name: SceneObject(
                name,
                OBJECTS[name],
                shard["position"][row, index].astype(np.float64),
                support=SUPPORTS[shard["support"][row, index]],
            )
            for index, name in enumerate(OBJECT_NAMES)
            if shard["present"][row, index]
        },
    )


@dataclass
class ShardWriter:
    """Gathers frames in memory and writes a shard at once, so that a kill leaves none half done."""

    rows: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """Append one frame."""
        for key, value in row.items():
            self.rows.setdefault(key, []).append(value)

    def __len__(self) -> int:
        """Return the number of frames gathered."""
        return len(next(iter(self.rows.values()), []))

    def save(self, folder: Path) -> None:
        """Write the shard; the folder appears complete or not at all."""
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for key, values in self.rows.items():
            np.save(partial / f"{key}.npy", np.stack(values))
        partial.rename(folder)


def shards(roots: list[Path]) -> Iterator[Path]:
    """Return the finished shards under some data folders, in order.

    Raises:
        SkillError: A folder is missing or holds no shard.
    """
    for root in roots:
        found = sorted(p for p in root.glob("shard-*") if p.suffix != ".partial")
        if not found:
            raise SkillError(
                f"There are no demonstrations in {root}; make some with `bosun collect`."
            )
        yield from found


def open_shard(folder: Path) -> Shard:
    """Return a shard's arrays, mapped from disk."""
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}


def data_hash(roots: list[Path]) -> str:
    """Return a short hash over actions, states and labels of all shards, in order."""
    digest = hashlib.sha256()
    for folder in shards(roots):
        for key in ("action", "state", "skill", "object", "target"):
            path = folder / f"{key}.npy"
            if path.exists():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_manifest(root: Path, manifest: dict[str, Any]) -> None:
    """Note beside the shards how they were made.

    Raises:
        SkillError: The folder already holds data made another way.
    """
    path = root / "manifest.json"
    text = json.dumps(manifest, indent=1, sort_keys=True)
    if path.exists() and path.read_text() != text:
        raise SkillError(f"{root} holds data made with other settings; choose another folder.")
    root.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
