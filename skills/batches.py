"""Training batches for the policy: what its trunks saw, once for all frames, and the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from agent.spots import free_spot
from skills.dataset import (
    OBJECT_NAMES,
    SKILLS,
    TARGET_NAMES,
    Array,
    Shard,
    open_shard,
    scene_of,
    shards,
)
from skills.phrases import paraphrases
from skills.policy.language import encode
from skills.policy.modeling import VLA
from skills.training import normalised

_GRIPPER_WINDOW = 3
_GRIPPER_WEIGHT = 3.0
_CANONICAL_SHARE = 0.4
_LOOK_BATCH = 64


@dataclass
class Batch:
    """One batch of b samples.

    Attributes:
        seen: (b, things, features) from `VLA.look`.
        state: (b, state_dim) float32, m, rad and wxyz.
        tokens: (b, MAX_WORDS) word numbers.
        action: (b, horizon, 7) float32.
        valid: (b, horizon) whether the action is real, not padding past the demonstration's end.
        aim: (b, 2, 3) where the block is and where it should go, m; NaN without a target.
        progress: (b,) share done, NaN where unknown.
        success: (b,) 0 or 1.
    """

    seen: Tensor
    state: Tensor
    tokens: Tensor
    action: Tensor
    valid: Tensor
    aim: Tensor
    progress: Tensor
    success: Tensor


class Frames:
    """The frames of all shards in memory, without their images, split by demonstration."""

    def __init__(self, roots: list[Path], horizon: int, validation_share: float = 0.03) -> None:
        """Read the shards; every n-th demonstration is kept for validation."""
        self.shards: list[Shard] = [open_shard(folder) for folder in shards(roots)]
        self.horizon = horizon
        shard_of = np.repeat(np.arange(len(self.shards)), [len(s["demo"]) for s in self.shards])
        self.state, self.action = self._all("state"), self._all("action")
        self.progress, self.success = self._all("progress"), self._all("success")
        self.call = np.stack([self._all(key) for key in ("skill", "object", "target")], axis=1)
        self.aim = np.concatenate([_aims(shard) for shard in self.shards])
        demo = self._all("demo")
        self.left = _frames_left(demo, shard_of)
        every = round(1 / validation_share)
        held_out = (demo.astype(np.int64) * 7919 + shard_of) % every == 0
        self.training, self.validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        weight = self._weights()[self.training]
        self.weight = weight / weight.sum()

    def _all(self, key: str) -> Array:
        return np.concatenate([shard[key] for shard in self.shards])

    def _weights(self) -> npt.NDArray[np.float64]:
        """Oversample the few frames around a switch of the gripper, where grasps are decided."""
        switch = np.append(np.abs(np.diff(self.action[:, 6])) > 0.5, False) & (self.left > 1)
        near = np.convolve(switch, np.ones(2 * _GRIPPER_WINDOW + 1), "same") > 0
        return np.where(near, _GRIPPER_WEIGHT, 1.0)

    @torch.no_grad()
    def look(self, model: VLA) -> Tensor:
        """Return what the model's trunks see in every frame, half precision."""
        seen = []
        for shard in tqdm(self.shards, desc="look", unit="shard"):
            for start in range(0, len(shard["demo"]), _LOOK_BATCH):
                images = {
                    name: normalised(
                        torch.from_numpy(
                            np.array(shard[name][start : start + _LOOK_BATCH])
                        ).permute(0, 3, 1, 2)
                    )
                    for name in model.scene.config.cameras
                }
                state = torch.from_numpy(np.array(shard["state"][start : start + _LOOK_BATCH]))
                with torch.autocast("cpu", torch.bfloat16):
                    seen.append(model.look(images, state).half())
        return torch.cat(seen)


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
        data, steps = self.frames, np.arange(self.frames.horizon)
        valid = steps < data.left[frames, None]
        # Past the end of a demonstration its last action stands in, and does not count.
        rows = frames[:, None] + np.minimum(steps, data.left[frames, None] - 1)
        tokens = [self._sentence(tuple(map(int, call)), varied) for call in data.call[frames]]
        return Batch(
            seen=self.seen[torch.from_numpy(frames)].float(),
            state=torch.from_numpy(data.state[frames]),
            tokens=torch.from_numpy(np.stack(tokens)),
            action=torch.from_numpy(data.action[rows]),
            valid=torch.from_numpy(valid),
            aim=torch.from_numpy(data.aim[frames]),
            progress=torch.from_numpy(data.progress[frames]),
            success=torch.from_numpy(data.success[frames]).float(),
        )

    def _sentence(self, call: tuple[int, ...], varied: bool) -> npt.NDArray[np.int64]:
        options = self._tokens[call]
        canonical = not varied or self._rng.random() < _CANONICAL_SHARE
        return np.asarray(options[0 if canonical else self._rng.integers(len(options))])


def _frames_left(demo: Array, shard_of: Array) -> npt.NDArray[np.int64]:
    """Return for every frame how many frames its demonstration has from there on."""
    change = np.flatnonzero((np.diff(demo) != 0) | (np.diff(shard_of) != 0)) + 1
    ends = np.append(change, len(demo))
    rows = np.arange(len(demo))
    return np.asarray(ends[np.searchsorted(ends, rows, side="right")] - rows)


def _aims(shard: Shard) -> npt.NDArray[np.float32]:
    """Return (frames, 2, 3) m: where the block is, and the place its teacher takes it to."""
    position, rows = np.asarray(shard["position"]), np.arange(len(shard["demo"]))
    aims = np.full((len(rows), 2, 3), np.nan, np.float32)
    aims[:, 0] = position[rows, shard["object"]]
    for row in np.flatnonzero(np.asarray(shard["target"]) >= 0):
        scene, name = scene_of(shard, int(row)), OBJECT_NAMES[shard["object"][row]]
        target = TARGET_NAMES[shard["target"][row]]
        spot = free_spot(target, scene, name, scene.objects[name].position[:2])
        if spot is not None:
            height = scene.objects[target].position[2] if target in scene.objects else 0.0
            aims[row, 1] = [*spot, height]
    return aims


def _token_table(vocabulary: list[str]) -> dict[tuple[int, ...], npt.NDArray[np.int64]]:
    """Tabulate (skill, object, target) -> (sentences, MAX_WORDS) word numbers."""
    table: dict[tuple[int, ...], npt.NDArray[np.int64]] = {}
    for skill_index, skill in enumerate(SKILLS):
        for object_index, name in enumerate(OBJECT_NAMES):
            for target_index, target in [(-1, ""), *enumerate(TARGET_NAMES)]:
                sentences = paraphrases(skill, {"object": name, "target": target})
                key = (skill_index, object_index, target_index)
                table[key] = np.array([encode(s, vocabulary) for s in sentences])
    return table
