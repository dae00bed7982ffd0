"""New labels on old demonstrations: a teacher answers states, so a better one needs no new data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from agent.types import HAND, Scene, Vector
from agent.workspace import MOVABLE
from skills.dataset import OBJECT_NAMES, SKILLS, TARGET_NAMES, Shard, open_shard, scene_of, shards
from skills.experts.place import PlaceExpert

_PLACING = [SKILLS.index(skill) for skill in ("place_in", "place_on")]


class RecordedWorld:
    """What a placing teacher asks of the world, answered from one recorded frame."""

    def __init__(self, shard: Shard, row: int) -> None:
        """Take up one row of a shard."""
        self._state = shard["state"][row].astype(np.float64)
        self._scene = scene_of(shard, row)

    @property
    def ee_pose(self) -> Vector:
        """(7,) tool pose, m and wxyz."""
        return np.asarray(self._state[:7])

    @property
    def gripper(self) -> float:
        """Opening, 0..1."""
        return float(self._state[7])

    def truth(self) -> Scene:
        """Return the recorded labels as a scene."""
        return self._scene

    def position(self, name: str) -> Vector:
        """Return where an object was: (3,) m, base frame."""
        return self._scene.objects[name].position

    def carried(self) -> str | None:
        """Return the block or can that was in the hand."""
        held = (o for o in self._scene.objects.values() if o.support == HAND and o.kind in MOVABLE)
        return next((o.name for o in held), None)


def relabel(root: Path) -> int:
    """Ask the present teacher again in every placing frame; return how many labels changed.

    The other teachers look at more than a frame holds: at how a drawer slides, or at how their
    subgoal began.
    """
    changed = 0
    for folder in tqdm(list(shards([root])), desc="relabel", unit="shard"):
        shard = open_shard(folder)
        actions = np.array(shard["action"])
        for row in np.flatnonzero(np.isin(shard["skill"], _PLACING)):
            name, target = shard["object"][row], shard["target"][row]
            expert = PlaceExpert(OBJECT_NAMES[name], TARGET_NAMES[target])
            actions[row] = expert.act(RecordedWorld(shard, int(row)))
        changed += int((np.abs(actions - shard["action"]).max(1) > 1e-3).sum())
        partial = folder / "action.partial"
        with partial.open("wb") as file:
            np.save(file, actions)
        partial.rename(folder / "action.npy")
    return changed
