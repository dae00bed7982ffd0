"""Training the scene network on the world's own labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from skills.batches import shifted
from skills.dataset import OBJECT_NAMES, SUPPORTS, Array, open_shard, shards
from skills.perception.modeling import SceneConfig, SceneNet, SceneOutput
from skills.training import Run, TrainSpec, normalised

_POSITION_WEIGHT, _SUPPORT_WEIGHT = 4.0, 0.7
_VALIDATION_FRAMES = 1500
_HELD_OUT_SHARDS = 4


class SceneTrainer:
    """Trains the scene network on demonstrations and still scenes."""

    def __init__(self, roots: list[Path], out: Path, spec: TrainSpec) -> None:
        """Open the data and take up the run in `out`, or begin one."""
        torch.set_num_threads(spec.threads)
        torch.manual_seed(spec.seed)
        self.shards = [open_shard(folder) for folder in shards(roots)]
        sizes = [len(shard["present"]) for shard in self.shards]
        self.shard_of = np.repeat(np.arange(len(sizes)), sizes)
        self.row_of = np.concatenate([np.arange(size) for size in sizes])
        # Whole shards are held out: neighbouring frames of one shard show the same scene.
        every = max(2, len(sizes) // _HELD_OUT_SHARDS)
        held = self.shard_of % every == every - 1
        self.training, self.held_out = np.flatnonzero(~held), np.flatnonzero(held)
        self.config = SceneConfig(objects=list(OBJECT_NAMES), supports=list(SUPPORTS))
        self.mean = torch.tensor(self.config.position_mean)
        self.std = torch.tensor(self.config.position_std)
        self.run = Run(SceneNet(self.config), roots, out, spec)
        self.rng = np.random.default_rng([spec.seed, self.run.step])

    def train(self) -> None:
        """Train to the last step."""
        self.run.loop(self._next_loss, self._validate, "train scene")

    def _next_loss(self) -> Tensor:
        frames = self.rng.choice(self.training, self.run.spec.batch)
        batch = self._gather(frames, augment=True)
        output, present = self._predict(self.run.model, batch), batch["present"]
        goal = (batch["position"] - self.mean) / self.std
        support = batch["support"].long()
        return (
            F.binary_cross_entropy_with_logits(output.present, present.float())
            + _POSITION_WEIGHT * (output.position - goal).abs()[present].mean()
            + _SUPPORT_WEIGHT * F.cross_entropy(output.support[present], support[present])
        )

    def _gather(self, frames: Array, *, augment: bool) -> dict[str, Tensor]:
        rows: dict[str, list[Array]] = {}
        for frame in frames:
            shard, row = self.shards[self.shard_of[frame]], self.row_of[frame]
            for key in ("front", "wrist", "state", "present", "position", "support"):
                value = np.asarray(shard[key][row])
                if augment and key in ("front", "wrist"):
                    value = shifted(value, self.rng, pixels=1)
                rows.setdefault(key, []).append(value)
        return {key: torch.from_numpy(np.stack(values)) for key, values in rows.items()}

    def _predict(self, model: SceneNet, batch: dict[str, Tensor]) -> SceneOutput:
        front, wrist = (normalised(batch[n].permute(0, 3, 1, 2)) for n in ("front", "wrist"))
        with torch.autocast("cpu", torch.bfloat16):
            output: SceneOutput = model(front, wrist, batch["state"])
        return output

    def _validate(self) -> dict[str, float]:
        """Return errors in plain units."""
        chosen = self.held_out[:: max(1, len(self.held_out) // _VALIDATION_FRAMES)]
        present_wrong, support_wrong, errors = [], [], []
        for start in range(0, len(chosen), self.run.spec.batch):
            batch = self._gather(chosen[start : start + self.run.spec.batch], augment=False)
            output, present = self._predict(self.run.average, batch), batch["present"]
            present_wrong.append(((output.present > 0) != present).flatten())
            support_wrong.append((output.support.argmax(-1) != batch["support"])[present])
            offset = (output.position * self.std + self.mean - batch["position"])[present]
            errors.append(offset.norm(dim=-1) * 1000)
        error = torch.cat(errors)
        figures = {
            "presence_wrong": float(torch.cat(present_wrong).float().mean()),
            "support_wrong": float(torch.cat(support_wrong).float().mean()),
            "position_mm_median": float(error.median()),
            "position_mm_p95": float(error.quantile(0.95)),
        }
        score = figures["presence_wrong"] + figures["support_wrong"] + float(error.mean()) / 1000
        return {**figures, "score": score}
