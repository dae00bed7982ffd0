"""Training batches for the policy: what its trunks saw, once for all frames, and the sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from agent.errors import SkillError
from agent.types import TABLE, SceneObject, Vector
from agent.workspace import ZONES, Zone
from skills.dataset import (
    OBJECT_NAMES,
    TARGET_NAMES,
    Array,
    Shard,
    call_of,
    open_shard,
    scene_of,
    shards,
)
from skills.labels import VARIANTS, Labels, label
from skills.perception.modeling import STILL
from skills.phrases import calls, paraphrases
from skills.policy.language import MAX_WORDS, PAD, UNKNOWN, encode, words
from skills.policy.modeling import VLA, Memory
from skills.training import half_precision, normalised

_GRIPPER_WINDOW = 3
_GRIPPER_WEIGHT = 3.0
_CANONICAL_SHARE = 0.4
_WORD_DROPOUT, _AROUND_SHARE, _MOST_AROUND = 0.1, 0.3, 2
_LOOK_BATCH = 64


@dataclass
class Batch:
    """One batch of b samples.

    Attributes:
        seen: (b, things, features) from `VLA.look`.
        memory: What the policy would remember of its subgoal.
        state: (b, state_dim) float32, m, rad and wxyz.
        tokens: (b, MAX_WORDS) word numbers.
        action: (b, horizon, 7) float32.
        valid: (b, horizon) whether the action is real, not padding past the demonstration's end.
        thing: (b, 3) where what is handled is, m; NaN where unknown.
        goal: (b, 3) where it should go, m; NaN where unknown.
        progress: (b,) share done, NaN where unknown.
        success: (b,) 0 or 1.
        rooms: Of samples in which a thing goes to a zone, where in it there is room.
    """

    seen: Tensor
    memory: Memory
    state: Tensor
    tokens: Tensor
    action: Tensor
    valid: Tensor
    thing: Tensor
    goal: Tensor
    progress: Tensor
    success: Tensor
    rooms: Sequence[Room] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """Where in a zone there is room in one sample of a batch.

    Attributes:
        sample: Its number in the batch.
        zone: Where the thing goes.
        about: What stands on the table besides.
        near: (2,) m where the policy has said that it goes.
    """

    sample: int
    zone: Zone
    about: Sequence[SceneObject]
    near: Vector


class Frames:
    """The frames of all shards in memory, without their images, split by scene."""

    def __init__(self, roots: list[Path], horizon: int, validation_share: float = 0.03) -> None:
        """Read the shards; every n-th scene is kept for validation."""
        self.folders = list(shards(roots))
        self.shards: list[Shard] = [open_shard(folder) for folder in self.folders]
        self.horizon = horizon
        shard_of = np.repeat(np.arange(len(self.shards)), [len(s["demo"]) for s in self.shards])
        self.state = self._all("state")
        self.progress, self.success = self._all("progress"), self._all("success")
        self.call = np.stack([self._all(key) for key in ("skill", "object", "target")], axis=1)
        self.where = np.concatenate([np.arange(len(s["demo"])) for s in self.shards])
        self.shard_of = shard_of
        demo = self._all("demo")
        self.first, self.left = _place_in_demo(demo, shard_of)
        self.labels = Labels.joined(
            [label(shard, seed) for seed, shard in enumerate(tqdm(self.shards, "label"))]
        )
        every = round(1 / validation_share)
        held_out = _scenes(self._all("mount"), shard_of) % every == 0
        self.training, self.validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        if not len(self.training):
            raise SkillError("All data is of one scene; collect some more, to validate on others.")
        weight = self._weights()[self.training]
        self.weight = weight / weight.sum()

    def _all(self, key: str) -> Array:
        return np.concatenate([shard[key] for shard in self.shards])

    def _weights(self) -> npt.NDArray[np.float64]:
        """Oversample the few frames around a switch of the gripper, where grasps are decided."""
        opening = self.labels.action[0, :, 6]
        switch = np.append(np.abs(np.diff(opening)) > 0.5, False) & (self.left > 1)
        near = np.convolve(switch, np.ones(2 * _GRIPPER_WINDOW + 1), "same") > 0
        return np.where(near, _GRIPPER_WEIGHT, 1.0)

    def zone(self, frame: int) -> Zone | None:
        """Return the zone to which a thing goes in a frame, None where it goes elsewhere."""
        target = self.call[frame, 2]
        return ZONES.get(TARGET_NAMES[target]) if target >= 0 else None

    def about(self, frame: int) -> list[SceneObject]:
        """Return what stood on the table in a frame, but for what is handled."""
        scene = scene_of(self.shards[self.shard_of[frame]], int(self.where[frame]))
        handled = OBJECT_NAMES[self.call[frame, 1]]
        return [o for o in scene.objects.values() if o.support == TABLE and o.name != handled]

    def look(self, model: VLA, eyes: str) -> Tensor:
        """Return what the model's trunks see in every frame, half precision.

        It is kept beside each shard, so that a later run with the same eyes need not look again.

        Args:
            model: Sees through a scene network.
            eyes: Hash of that network's weights.
        """
        seen = []
        for shard, folder in zip(
            tqdm(self.shards, "look", unit="shard"), self.folders, strict=True
        ):
            path = folder / f"seen-{eyes}.npy"
            if not path.exists():
                partial = path.with_suffix(".partial")
                with partial.open("wb") as file:
                    np.save(file, _seen(model, shard))
                partial.rename(path)
            seen.append(torch.from_numpy(np.load(path)))
        return torch.cat(seen)


@torch.no_grad()
def _seen(model: VLA, shard: Shard) -> Array:
    """Return (frames, things, features) float16 from `VLA.look`."""
    seen = []
    for start in range(0, len(shard["demo"]), _LOOK_BATCH):
        rows = slice(start, start + _LOOK_BATCH)
        images = {
            name: normalised(torch.from_numpy(np.array(shard[name][rows])).permute(0, 3, 1, 2))
            for name in model.scene.config.cameras
        }
        with half_precision():
            state = torch.from_numpy(np.array(shard["state"][rows]))
            seen.append(model.look(images, state).half())
    return np.asarray(torch.cat(seen))


class Batches:
    """Training batches drawn at random, and the validation set once through."""

    def __init__(
        self, frames: Frames, seen: Tensor, vocabulary: list[str], size: int, seed: int
    ) -> None:
        """Tabulate the sentences of every skill call."""
        self.frames, self.seen, self.size = frames, seen, size
        self._rng = np.random.default_rng(seed)
        self._tokens = _token_table(vocabulary)

    def draw(self) -> Batch:
        """Return a training batch drawn anew, with sentences of all kinds."""
        frames = self._rng.choice(self.frames.training, self.size, p=self.frames.weight)
        return self.gather(frames, varied=True)

    def validation(self, limit: int) -> list[Batch]:
        """Return up to `limit` held-out frames, evenly spread, with canonical sentences."""
        chosen = self.frames.validation
        chosen = chosen[:: max(1, len(chosen) // limit)]
        return [
            self.gather(chosen[i : i + self.size], varied=False)
            for i in range(0, len(chosen), self.size)
        ]

    def gather(self, frames: npt.NDArray[np.int64], *, varied: bool) -> Batch:
        """Return the batch of some frames."""
        data, labels = self.frames, self.frames.labels
        steps = np.arange(data.horizon)
        valid = steps < data.left[frames, None]
        # Past the end of a demonstration its last action stands in, and does not count.
        rows = frames[:, None] + np.minimum(steps, data.left[frames, None] - 1)
        tokens = [self._sentence(tuple(map(int, call)), varied) for call in data.call[frames]]
        variant = self._rng.integers(VARIANTS, size=len(frames)) if varied else frames % VARIANTS
        return Batch(
            seen=self.seen[torch.from_numpy(frames)].float(),
            memory=Memory(
                began=self.seen[torch.from_numpy(data.first[frames]), :, :STILL].float(),
                goal=torch.from_numpy(labels.said[variant, frames]),
                haste=torch.from_numpy(labels.haste[variant, frames]),
            ),
            state=torch.from_numpy(data.state[frames]),
            tokens=torch.from_numpy(np.stack(tokens)),
            action=torch.from_numpy(labels.action[variant[:, None], rows]),
            valid=torch.from_numpy(valid),
            thing=torch.from_numpy(labels.thing[frames]),
            goal=torch.from_numpy(labels.goal[variant, frames]),
            progress=torch.from_numpy(data.progress[frames]),
            success=torch.from_numpy(data.success[frames]).float(),
            rooms=self._rooms(frames, variant),
        )

    def _rooms(self, frames: npt.NDArray[np.int64], variant: npt.NDArray[np.int64]) -> list[Room]:
        data, said = self.frames, self.frames.labels.said
        return [
            Room(sample, zone, data.about(int(frame)), _point(said[variant[sample], frame]))
            for sample, frame in enumerate(frames)
            if (zone := data.zone(int(frame))) is not None
        ]

    def _sentence(self, call: tuple[int, ...], varied: bool) -> npt.NDArray[np.int64]:
        sentences, naming = self._tokens[call]
        canonical = not varied or self._rng.random() < _CANONICAL_SHARE
        chosen = sentences[0 if canonical else self._rng.integers(len(sentences))]
        return self._garbled(chosen, naming) if varied and not canonical else chosen

    def _garbled(
        self, sentence: npt.NDArray[np.int64], naming: frozenset[int]
    ) -> npt.NDArray[np.int64]:
        """Replace some words by the unknown one, and put some more around; names stay.

        So a sentence of which a word was never trained on is still understood by the others.
        """
        known = sentence[sentence != PAD]
        names = np.isin(known, list(naming))
        known = np.where(~names & (self._rng.random(len(known)) < _WORD_DROPOUT), UNKNOWN, known)
        around = [np.full(self._rng.integers(0, 1 + _MOST_AROUND), UNKNOWN) for _ in range(2)]
        if self._rng.random() < _AROUND_SHARE:
            known = np.concatenate([around[0], known, around[1]])
        garbled = np.full(MAX_WORDS, PAD)
        garbled[: len(known)] = known[:MAX_WORDS]
        return garbled


def _point(place: Array) -> Vector:
    """Return (2,) m of (3,)."""
    return np.asarray(place[:2], dtype=np.float64)


def _place_in_demo(
    demo: Array, shard_of: Array
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return for every frame its demonstration's first frame, and how many are left of it."""
    change = np.flatnonzero((np.diff(demo) != 0) | (np.diff(shard_of) != 0)) + 1
    edges, rows = np.concatenate([[0], change, [len(demo)]]), np.arange(len(demo))
    index = np.searchsorted(edges, rows, side="right")
    return edges[index - 1], edges[index] - rows


def _scenes(mount: Array, shard_of: Array) -> npt.NDArray[np.int64]:
    """Return the number of every frame's scene: within a shard, cameras stand anew in each.

    Where they stand is unknown in a shard of logged runs, all of which are of one scene.
    """
    told = np.column_stack([shard_of, np.nan_to_num(mount)])
    return np.unique(told, axis=0, return_inverse=True)[1]


def _token_table(
    vocabulary: list[str],
) -> dict[tuple[int, ...], tuple[npt.NDArray[np.int64], frozenset[int]]]:
    """Tabulate (skill, object, target) -> (sentences, MAX_WORDS) word numbers, and the names'."""
    table: dict[tuple[int, ...], tuple[npt.NDArray[np.int64], frozenset[int]]] = {}
    for skill, args in calls():
        sentences = [encode(s, vocabulary) for s in paraphrases(skill, args)]
        naming = {word for name in args.values() for word in words(name)}
        numbers = frozenset(encode(" ".join(naming), vocabulary)) - {PAD, UNKNOWN}
        key = tuple(int(number) for number in call_of(skill, args).values())
        table[key] = np.array(sentences), numbers
    return table
