"""Training batches for the policy, drawn from mapped shards by a background thread."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from agent.workspace import ZONES
from skills.dataset import OBJECT_NAMES, SKILLS, TARGET_NAMES, Array, Shard, open_shard, shards
from skills.phrases import paraphrases
from skills.policy.language import encode

_SHIFT_PIXELS = 2
_GRIPPER_WINDOW = 3
_GRIPPER_WEIGHT = 3.0
_CANONICAL_SHARE = 0.4
_STATE_DROPOUT = 0.05
_QUEUE = 4


@dataclass
class Batch:
    """One batch of b samples.

    Attributes:
        images: Camera name -> (b, 3, h, w) uint8.
        state: (b, state_dim) float32, m, rad and wxyz.
        tokens: (b, MAX_WORDS) word numbers.
        action: (b, horizon, 7) float32.
        valid: (b, horizon) whether the action is real, not padding past the demonstration's end.
        aim: (b, 2, 3) where the block and its target are, m; NaN without a target.
        progress: (b,) share done, NaN where unknown.
        success: (b,) 0 or 1.
    """

    images: dict[str, Tensor]
    state: Tensor
    tokens: Tensor
    action: Tensor
    valid: Tensor
    aim: Tensor
    progress: Tensor
    success: Tensor


class Frames:
    """The frames of all shards, split by demonstration into training and validation."""

    def __init__(self, roots: list[Path], horizon: int, validation_share: float = 0.03) -> None:
        """Map the shards; every n-th demonstration is kept for validation."""
        self.shards: list[Shard] = [open_shard(folder) for folder in shards(roots)]
        self.horizon = horizon
        sizes = [len(shard["demo"]) for shard in self.shards]
        self.shard_of = np.repeat(np.arange(len(sizes)), sizes)
        self.row_of = np.concatenate([np.arange(size) for size in sizes])
        demo = np.concatenate([shard["demo"] for shard in self.shards])
        action = np.concatenate([shard["action"] for shard in self.shards])
        self.state = np.concatenate([shard["state"] for shard in self.shards])
        self.left = self._frames_left(demo)
        every = round(1 / validation_share)
        held_out = (demo.astype(np.int64) * 7919 + self.shard_of) % every == 0
        self.training = np.flatnonzero(~held_out)
        self.validation = np.flatnonzero(held_out)
        self.weight = self._weights(action[:, 6])[self.training]
        self.weight /= self.weight.sum()

    def _frames_left(self, demo: Array) -> npt.NDArray[np.int64]:
        """Return for every frame how many frames its demonstration has from there on."""
        change = np.flatnonzero((np.diff(demo) != 0) | (np.diff(self.shard_of) != 0)) + 1
        ends = np.append(change, len(demo))
        return np.asarray(
            ends[np.searchsorted(ends, np.arange(len(demo)), side="right")] - np.arange(len(demo))
        )

    def _weights(self, gripper: Array) -> npt.NDArray[np.float64]:
        """Oversample the few frames around a switch of the gripper, where grasps are decided."""
        switch = np.append(np.abs(np.diff(gripper)) > 0.5, False) & (self.left > 1)
        near = np.convolve(switch, np.ones(2 * _GRIPPER_WINDOW + 1), "same") > 0
        return np.where(near, _GRIPPER_WEIGHT, 1.0)


class Batches:
    """An endless stream of training batches, and the validation set once through."""

    def __init__(self, frames: Frames, vocabulary: list[str], size: int, seed: int) -> None:
        """Tabulate the sentences of every skill call and start the loading thread."""
        self.frames = frames
        self.size = size
        self._rng = np.random.default_rng(seed)
        self._tokens = _token_table(vocabulary)
        self._queue: queue.Queue[Batch] = queue.Queue(_QUEUE)
        self._thread: threading.Thread | None = None

    def next(self) -> Batch:
        """Return the next training batch."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._fill, daemon=True)
            self._thread.start()
        return self._queue.get()

    def validation(self, limit: int) -> list[Batch]:
        """Return up to `limit` held-out frames, evenly spread, without augmentation."""
        chosen = self.frames.validation
        chosen = chosen[:: max(1, len(chosen) // limit)]
        rng = np.random.default_rng(0)
        return [
            self.gather(chosen[i : i + self.size], rng, augment=False)
            for i in range(0, len(chosen), self.size)
        ]

    def _fill(self) -> None:
        while True:
            rows = self._rng.choice(self.frames.training, self.size, p=self.frames.weight)
            self._queue.put(self.gather(rows, self._rng, augment=True))

    def gather(
        self, rows: npt.NDArray[np.int64], rng: np.random.Generator, *, augment: bool
    ) -> Batch:
        """Return the batch of some frames."""
        samples = [self._sample(row, rng, augment=augment) for row in rows]
        stacked = {key: np.stack([s[key] for s in samples]) for key in samples[0]}
        return Batch(
            images={
                name: torch.from_numpy(stacked[name]).permute(0, 3, 1, 2)
                for name in ("front", "wrist")
            },
            state=torch.from_numpy(stacked["state"]),
            tokens=torch.from_numpy(stacked["tokens"]),
            action=torch.from_numpy(stacked["action"]),
            valid=torch.from_numpy(stacked["valid"]),
            aim=torch.from_numpy(stacked["aim"]),
            progress=torch.from_numpy(stacked["progress"]),
            success=torch.from_numpy(stacked["success"]).float(),
        )

    def _sample(self, frame: int, rng: np.random.Generator, *, augment: bool) -> dict[str, Array]:
        frames = self.frames
        shard, row = frames.shards[frames.shard_of[frame]], int(frames.row_of[frame])
        count = min(frames.horizon, int(frames.left[frame]))
        action = np.asarray(shard["action"][row : row + count])
        padded = np.concatenate([action, np.repeat(action[-1:], frames.horizon - count, axis=0)])
        options = self._tokens[shard["skill"][row], shard["object"][row], shard["target"][row]]
        canonical = not augment or rng.random() < _CANONICAL_SHARE
        images = {name: np.asarray(shard[name][row]) for name in ("front", "wrist")}
        if augment:
            images = {name: shifted(image, rng, _SHIFT_PIXELS) for name, image in images.items()}
        return {
            **images,
            "state": shard["state"][row],
            "action": padded,
            "valid": np.arange(frames.horizon) < count,
            "tokens": options[0 if canonical else rng.integers(len(options))],
            "aim": _aim(shard, row),
            "progress": shard["progress"][row],
            "success": shard["success"][row],
        }


def _aim(shard: Shard, row: int) -> npt.NDArray[np.float32]:
    """Return (2, 3) m: where the block and its target are, by the world's labels."""
    position = shard["position"][row]
    aim = np.full((2, 3), np.nan, np.float32)
    aim[0] = position[shard["object"][row]]
    index = int(shard["target"][row])
    if index >= 0:
        name = TARGET_NAMES[index]
        if name in ZONES:
            aim[1] = [*ZONES[name].centre, 0.0]
        else:
            aim[1] = position[OBJECT_NAMES.index(name)]
    return aim


def _token_table(vocabulary: list[str]) -> dict[tuple[int, int, int], npt.NDArray[np.int64]]:
    """Tabulate (skill, object, target) -> (sentences, MAX_WORDS) word numbers."""
    table = {}
    for skill_index, skill in enumerate(SKILLS):
        for object_index, name in enumerate(OBJECT_NAMES):
            for target_index, target in [(-1, ""), *enumerate(TARGET_NAMES)]:
                sentences = paraphrases(skill, {"object": name, "target": target})
                key = (skill_index, object_index, target_index)
                table[key] = np.array([encode(s, vocabulary) for s in sentences])
    return table


def shifted(image: Array, rng: np.random.Generator, pixels: int) -> Array:
    """Shift an image by up to so many pixels, repeating its edge, and vary its light."""
    dy, dx = rng.integers(-pixels, pixels + 1, 2)
    height, width = image.shape[:2]
    rows = np.clip(np.arange(height) + dy, 0, height - 1)
    columns = np.clip(np.arange(width) + dx, 0, width - 1)
    # One table look-up per pixel applies gain and offset without leaving uint8.
    gain, offset = rng.uniform(0.85, 1.15), rng.uniform(-12, 12)
    light = np.clip(np.arange(256) * gain + offset, 0, 255).astype(np.uint8)
    return np.asarray(light[image[rows][:, columns]])


def drop_state(state: Tensor, generator: torch.Generator) -> Tensor:
    """Zero the (normalised) state of a few samples, so that the policy looks at its images."""
    keep = torch.rand(len(state), 1, generator=generator) >= _STATE_DROPOUT
    return state * keep
