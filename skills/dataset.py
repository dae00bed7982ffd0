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
target     () int8               index into `TARGET_NAMES`, -1 for none; a push's is its direction
progress   () float32            share of the demonstration done, 0..1; NaN where unknown
success    () bool               whether the subgoal is achieved, by the world's truth
present    (n,) bool             which of the n `OBJECT_NAMES` are there, in sight; see `in_sight`
position   (n, 3) float32        where they are, m, base frame
support    (n,) int8             what carries them, index into `SUPPORTS`
part       (n,) float32          how far a drawer is out, m, or 1 for a lit lamp; 0 for all else
mount      (9,) float64          how far the cameras are from where they belong; `world.mount`
goal       (3,) float32          where the thing was taken to, m; NaN where unknown. Only shards of
                                 logged runs have it: what was done in them stands, and no teacher
                                 is asked about it anew.
========== ===================== =======================================================
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import SkillError
from agent.types import HAND, TABLE, Observation, Scene, SceneObject
from agent.workspace import BUTTON, CAN, DIRECTIONS, DRAWER, FIXTURES, OBJECTS, ZONES

SKILLS = ("pick", "place_in", "place_on", "push", "open", "close", "press")
OBJECT_NAMES = tuple(OBJECTS)
CARRIERS = tuple(name for name, kind in OBJECTS.items() if kind not in (CAN, BUTTON))
"""What can carry a thing."""
TARGET_NAMES = (*CARRIERS, *ZONES, *DIRECTIONS)
SUPPORTS = (TABLE, HAND, *CARRIERS)
STATE_DIM = 15
CAMERAS = {"front": (120, 160), "wrist": (96, 96)}
"""Camera name -> height and width, px."""
_TRAY_SEEN_M = 0.035
"""From which opening of the drawer on the cameras see what lies in it, m."""
_TABLE_LOW, _TABLE_HIGH = np.array([-0.1, -0.6, -0.05]), np.array([1.0, 0.6, 0.6])
"""(3,) m: where things are that have not fallen off the table."""
LANDMARKS = tuple(ZONES)
"""What is seen in fixed places, so that it tells where the cameras are."""

Array = npt.NDArray[Any]
Shard = dict[str, Array]


def state_of(observation: Observation) -> npt.NDArray[np.float32]:
    """Return the (15,) proprioception a policy is given."""
    parts = (observation.ee_pose, np.array([observation.gripper]), observation.joint_pos)
    return np.concatenate(parts).astype(np.float32)


def call_of(skill: str, args: Mapping[str, str]) -> dict[str, np.int8]:
    """Return a skill call as the rows `skill`, `object` and `target`."""
    second = args.get("target") or args.get("direction")
    return {
        "skill": np.int8(SKILLS.index(skill)),
        "object": np.int8(OBJECT_NAMES.index(args["object"])),
        "target": np.int8(TARGET_NAMES.index(second) if second else -1),
    }


def call_at(shard: Shard, row: int) -> tuple[str, dict[str, str]]:
    """Return the skill and the arguments of a row's demonstration; the inverse of `call_of`."""
    skill, args = SKILLS[shard["skill"][row]], {"object": OBJECT_NAMES[shard["object"][row]]}
    if shard["target"][row] >= 0:
        second = "direction" if skill == "push" else "target"
        args[second] = TARGET_NAMES[shard["target"][row]]
    return skill, args


def in_sight(scene: Scene) -> Scene:
    """Return the scene without what lies in a drawer that is too far shut to look into."""
    shut = {
        name
        for name, thing in scene.objects.items()
        if thing.kind == DRAWER and (thing.articulation or 0.0) < _TRAY_SEEN_M
    }
    seen = {name: o for name, o in scene.objects.items() if o.support not in shut}
    return Scene(scene.time_s, seen)


def on_the_table(scene: Scene) -> bool:
    """Return whether nothing has fallen off the table; what lies on the floor is not seen."""
    positions = np.array([thing.position for thing in scene.objects.values()])
    return bool((positions > _TABLE_LOW).all() and (positions < _TABLE_HIGH).all())


def scene_labels(scene: Scene) -> dict[str, Array]:
    """Return what is in sight as the rows `present`, `position`, `support` and `part`."""
    objects = in_sight(scene).objects
    present = np.array([name in objects for name in OBJECT_NAMES])
    position = np.zeros((len(OBJECT_NAMES), 3), np.float32)
    support = np.zeros(len(OBJECT_NAMES), np.int8)
    part = np.zeros(len(OBJECT_NAMES), np.float32)
    for index, name in enumerate(OBJECT_NAMES):
        if name in objects:
            position[index] = objects[name].position
            support[index] = SUPPORTS.index(objects[name].support)
            part[index] = objects[name].articulation or 0.0
    return {"present": present, "position": position, "support": support, "part": part}


def scene_of(shard: Shard, row: int) -> Scene:
    """Return the scene that one row's labels describe; the inverse of `scene_labels`."""
    return Scene(
        0.0,
        {
            name: SceneObject(
                name,
                kind,
                shard["position"][row, index].astype(np.float64),
                support=SUPPORTS[shard["support"][row, index]],
                articulation=float(shard["part"][row, index]) if kind in FIXTURES else None,
            )
            for index, (name, kind) in enumerate(OBJECTS.items())
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
