"""What the policy is to learn of every frame: where things go, and what the teacher does about it.

What is recorded is states, and the teachers answer them anew: a better teacher needs no new data.
Only what the agent itself has logged stands as it was done: nobody knows where things really were.
Those who place things do so several times over, told of another place to put the thing down near
and of another age of the subgoal. So the policy learns to go where it has said that it would, which
no recording alone can teach: in those the thing always went to one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from agent.types import HAND, Scene, Vector
from agent.workspace import DIRECTIONS, DRAWER_TRAVEL, MOVABLE, PUSH_DISTANCE, ZONES
from skills.dataset import SKILLS, TARGET_NAMES, Array, Shard, call_at, scene_of
from skills.experts import PlaceExpert, expert_for
from skills.patience import haste

VARIANTS = 3
_DT_S = 0.1
_KEPT, _BEGUN = 0.5, 0.25
"""Share of variants in which the policy has said a place near the teacher's, and in which it has
not spoken yet: it begins where the thing is. In the others it has said any place on the target."""
_KEPT_M, _BEGUN_M, _ANY_M = 0.01, 0.02, 0.06
"""How far from those places what it has said may lie, m."""
_LATER, _LATER_S = 0.4, 8.0
"""Share of variants in which the subgoal is older than was recorded, and by how much at most, s."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What to learn of n frames, in v variants.

    Attributes:
        thing: (n, 3) m: where what is handled is; NaN where unknown.
        said: (v, n, 3) m: where the policy has said that it goes.
        goal: (v, n, 3) m: where the teacher, told so, takes it to; for what is taken nowhere, where
            it is; NaN where unknown.
        haste: (v, n) 0..1, see `skills.patience`.
        action: (v, n, 7) the teacher's action.
    """

    thing: npt.NDArray[np.float32]
    said: npt.NDArray[np.float32]
    goal: npt.NDArray[np.float32]
    haste: npt.NDArray[np.float32]
    action: npt.NDArray[np.float32]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the labels of all the frames of some parts, in order."""
        along = {"thing": 0, "said": 1, "goal": 1, "haste": 1, "action": 1}
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts], axis)
                for name, axis in along.items()
            }
        )


class RecordedWorld:
    """What teachers ask of the world, answered from one recorded frame."""

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

    def opening(self, name: str) -> float:
        """Return how far a drawer was out, m."""
        return self._scene.objects[name].articulation or 0.0

    def lamp(self, name: str) -> float:
        """Return whether a button's lamp was lit, 0 or 1."""
        return self._scene.objects[name].articulation or 0.0

    def carried(self) -> str | None:
        """Return the block or can that was in the hand."""
        held = (o for o in self._scene.objects.values() if o.support == HAND and o.kind in MOVABLE)
        return next((o.name for o in held), None)


def label(shard: Shard, seed: int) -> Labels:
    """Return what to learn of a shard; a seed decides what the policy has said in each variant."""
    arrays = {key: np.asarray(array) for key, array in shard.items() if array.ndim < 4}
    rng = np.random.default_rng(seed)
    demo = arrays["demo"]
    edges = [0, *(np.flatnonzero(np.diff(demo)) + 1).tolist(), len(demo)]
    parts = [_demonstration(arrays, *span, rng) for span in pairwise(edges)]
    return Labels.joined(parts)


def _demonstration(shard: Shard, first: int, end: int, rng: np.random.Generator) -> Labels:
    """Return what to learn of one demonstration's rows."""
    rows, index = np.arange(first, end), shard["object"][first]
    present = shard["present"][rows, index]
    thing = np.where(present[:, None], shard["position"][rows, index], np.nan)
    later = np.where(rng.random(VARIANTS) < _LATER, rng.uniform(0, _LATER_S, VARIANTS), 0.0)
    logged = "goal" in shard
    if logged:
        # Nobody can be asked what would have been done later.
        later[:] = 0.0
    hasty = haste(later[:, None] + _DT_S * np.arange(len(rows)))
    worlds = [RecordedWorld(shard, int(row)) for row in rows]
    expert = expert_for(*call_at(shard, first))
    # What is not in sight cannot be asked about; what was done then stands.
    action = np.repeat(shard["action"][None, rows], VARIANTS, axis=0)
    asked = np.flatnonzero(present)
    if isinstance(expert, PlaceExpert) and not logged:
        said, goal = _placing(expert, worlds, asked, hasty, action, rng)
    else:
        if present[0] and not logged:
            expert.reset(worlds[0])
            for row in asked:
                action[:, row] = expert.act(worlds[row])
        going = shard["goal"][rows] if logged else _going(shard, rows, thing)
        goal = np.repeat(going[None], VARIANTS, axis=0)
        begun = rng.random((VARIANTS, 1, 1)) >= _KEPT + _BEGUN
        near = np.where(begun, thing[0] + rng.normal(0, _BEGUN_M, (VARIANTS, 1, 3)), goal)
        said = near + rng.normal(0, _KEPT_M, (VARIANTS, 1, 3))
    told = (thing, np.nan_to_num(said), goal, hasty, action)
    return Labels(*(array.astype(np.float32) for array in told))


def _going(shard: Shard, rows: Array, thing: Array) -> Array:
    """Return (n, 3) m where a drawer's handle or what is pushed goes; else where the thing is."""
    skill = SKILLS[shard["skill"][rows[0]]]
    if skill in ("open", "close"):
        opening = DRAWER_TRAVEL if skill == "open" else 0.0
        way = opening - shard["part"][rows, shard["object"][rows[0]]]
        return np.asarray(thing + way[:, None] * np.array([1.0, 0.0, 0.0]))
    if skill == "push":
        way = np.array([*DIRECTIONS[TARGET_NAMES[shard["target"][rows[0]]]], 0.0])
        return np.tile(thing[0] + PUSH_DISTANCE * way, (len(rows), 1))
    return thing


def _placing(
    expert: PlaceExpert,
    worlds: Sequence[RecordedWorld],
    asked: Array,
    hasty: Array,
    action: Array,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return what the policy has said and where things go; write the teacher's answers to it."""
    shape = (VARIANTS, len(worlds), 3)
    said, goal = np.zeros(shape), np.full(shape, np.nan)
    for variant in range(VARIANTS):
        near = _near(expert, worlds[0].truth(), rng)
        expert.near = near[:2]
        said[variant] = near
        for row in asked:
            expert.haste = float(hasty[variant, row])
            spot = expert.spot(worlds[row].truth())
            action[variant, row] = expert.act_towards(worlds[row], spot)
            if spot is not None:
                goal[variant, row] = [*spot, _height(expert, worlds[row].truth())]
    return said, goal


def _near(expert: PlaceExpert, scene: Scene, rng: np.random.Generator) -> Vector:
    """Draw (3,) m where the policy has said that a thing goes."""
    thing, target = scene.objects.get(expert.name), scene.objects.get(expert.target)
    height = _height(expert, scene)
    begun = thing.position if thing else np.zeros(3)
    draw = rng.random()
    if draw < _KEPT:
        expert.near = begun[:2]
        spot = expert.spot(scene)
        return np.array([*(begun[:2] if spot is None else spot), height]) + _noise(rng, _KEPT_M)
    if draw < _KEPT + _BEGUN:
        return np.asarray(begun + _noise(rng, _BEGUN_M))
    if expert.target in ZONES:
        zone = ZONES[expert.target]
        return np.array([*rng.uniform(zone.low, zone.high), height]) + _noise(rng, _BEGUN_M)
    centre = target.position if target else begun
    return np.asarray(centre + rng.uniform(-_ANY_M, _ANY_M, 3) * [1, 1, 0])


def _height(expert: PlaceExpert, scene: Scene) -> float:
    """Return the height of the target's middle, 0 for a zone, m."""
    target = scene.objects.get(expert.target)
    return float(target.position[2]) if target else 0.0


def _noise(rng: np.random.Generator, size: float) -> Vector:
    return rng.normal(0, size, 3)
