"""Training the scene network on the world's own labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from agent.workspace import DRAWER, DRAWER_TRAVEL, FIXTURES, OBJECTS, ZONES
from skills.checkpoint import load_checkpoint
from skills.dataset import LANDMARKS, OBJECT_NAMES, SUPPORTS, Array, open_shard, shards
from skills.perception.modeling import SceneConfig, SceneNet, SceneOutput
from skills.perception.projection import projections
from skills.training import Prefetch, Run, TrainSpec, half_precision, normalised
from skills.vision import Slots, cell_centres

_LOOKING_WEIGHT, _POSITION_WEIGHT, _SUPPORT_WEIGHT, _PART_WEIGHT = 0.3, 4.0, 0.7, 1.0
_BLUR_CELLS = 0.6
_VALIDATION_FRAMES = 800
_HELD_OUT_SHARDS = 4
_READ = ("front", "wrist", "state", "mount", "present", "position", "support", "part")


def tabletop_config(width: int = 48) -> SceneConfig:
    """Return the configuration of a network for the tabletop's objects and zones."""
    return SceneConfig(
        objects=list(OBJECT_NAMES),
        landmarks=list(LANDMARKS),
        places=[[*ZONES[name].centre.tolist(), 0.0] for name in LANDMARKS],
        supports=list(SUPPORTS),
        parts={
            name: DRAWER_TRAVEL if kind == DRAWER else 1.0
            for name, kind in OBJECTS.items()
            if kind in FIXTURES
        },
        width=width,
    )


class SceneTrainer:
    """Trains the scene network on demonstrations and still scenes."""

    def __init__(
        self, roots: list[Path], out: Path, spec: TrainSpec, start: Path | None = None
    ) -> None:
        """Open the data and take up the run in `out`, or begin one, with the weights of `start`."""
        torch.set_num_threads(spec.threads)
        torch.manual_seed(spec.seed)
        self.shards = [open_shard(folder) for folder in shards(roots)]
        sizes = [len(shard["present"]) for shard in self.shards]
        self.shard_of = np.repeat(np.arange(len(sizes)), sizes)
        self.row_of = np.concatenate([np.arange(size) for size in sizes])
        # Whole shards are held out: neighbouring frames of one shard show the same scene.
        every = max(2, len(sizes) // _HELD_OUT_SHARDS)
        held = self.shard_of % every == every - 1
        if len(sizes) == 1:
            held = self.row_of >= sizes[0] * 9 // 10
        self.training, self.held_out = np.flatnonzero(~held), np.flatnonzero(held)
        # Every folder counts alike: demonstrations have many frames of few scenes, and would be
        # learned by heart.
        root_of = np.repeat(np.arange(len(roots)), [len(list(shards([root]))) for root in roots])
        of_root = root_of[self.shard_of[self.training]]
        self.weight = (1 / np.bincount(of_root)[of_root]) / len(np.unique(of_root))
        model = (
            load_checkpoint(start, SceneNet, SceneConfig.model_type)
            if start
            else SceneNet(tabletop_config())
        )
        self.config = model.config
        self.places = torch.tensor(self.config.places)
        self.reach = torch.tensor([self.config.parts.get(n, 0.0) for n in self.config.objects])
        # Convolutions of images that lie channels last are a quarter faster with weights that do.
        for weight in model.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.run = Run(model, roots, out, spec)
        self.rng = np.random.default_rng([spec.seed, self.run.step])
        self._next_batch = Prefetch(self._draw)

    def train(self) -> None:
        """Train to the last step."""
        self.run.loop(self._next_loss, self._validate, "train scene")

    def _next_loss(self) -> Tensor:
        batch = self._next_batch()
        output, present = self._predict(self.run.model, batch), batch["present"]
        mean, std = (torch.tensor(v) for v in (self.config.position_mean, self.config.position_std))
        goal = (batch["position"] - mean) / std
        support = batch["support"].long()
        return (
            _looking(output.slots, batch, self.places)
            + F.binary_cross_entropy_with_logits(output.present, present.float())
            + _POSITION_WEIGHT * (output.position - goal).abs()[present].mean()
            + _SUPPORT_WEIGHT * F.cross_entropy(output.support[present], support[present])
            + _PART_WEIGHT * self._part_loss(output.part, batch)
        )

    def _part_loss(self, part: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Return the error of how far parts have gone; the cross-entropy moves it off the ends."""
        known = batch["present"] & (self.reach > 0)
        goal = self._shares(batch)[known]
        error = F.binary_cross_entropy_with_logits(part[known], goal, reduction="sum")
        error = error + (part[known].sigmoid() - goal).abs().sum()
        return error / known.sum().clamp(min=1)

    def _shares(self, batch: dict[str, Tensor]) -> Tensor:
        """Return (b, n) how far every part has gone, 0..1 of its way.

        A drawer that is pulled or pushed at its end gives a few millimetres, and the cross-entropy
        has no least value where its goal lies outside 0..1.
        """
        return (batch["part"] / self.reach.clamp(min=1e-6)).clamp(0, 1)

    def _draw(self) -> dict[str, Tensor]:
        frames = self.rng.choice(self.training, self.run.spec.batch, p=self.weight)
        return self._gather(frames, augment=True)

    def _gather(self, frames: Array, *, augment: bool) -> dict[str, Tensor]:
        rows: dict[str, list[Array]] = {}
        for frame in frames:
            shard, row = self.shards[self.shard_of[frame]], self.row_of[frame]
            for key in _READ:
                value = np.asarray(shard[key][row])
                if augment and key in ("front", "wrist"):
                    value = _varied(value, self.rng)
                rows.setdefault(key, []).append(value)
        return {key: torch.from_numpy(np.stack(values)) for key, values in rows.items()}

    def _predict(self, model: SceneNet, batch: dict[str, Tensor]) -> SceneOutput:
        images = {n: normalised(batch[n].permute(0, 3, 1, 2)) for n in self.config.cameras}
        with half_precision():
            output: SceneOutput = model(images, batch["state"])
        return output

    def _validate(self) -> dict[str, float]:
        """Return errors in plain units."""
        chosen = self.held_out[:: max(1, len(self.held_out) // _VALIDATION_FRAMES)]
        present_wrong, support_wrong, part_errors, errors = [], [], [], []
        for start in range(0, len(chosen), self.run.spec.batch):
            batch = self._gather(chosen[start : start + self.run.spec.batch], augment=False)
            output, present = self._predict(self.run.average, batch), batch["present"]
            present_wrong.append(((output.present > 0) != present).flatten())
            support_wrong.append((output.support.argmax(-1) != batch["support"])[present])
            known = present & (self.reach > 0)
            part_errors.append((output.part.sigmoid() - self._shares(batch)).abs()[known])
            offset = (self.run.average.metres(output.position) - batch["position"])[present]
            errors.append(offset.norm(dim=-1) * 1000)
        error, part_error = torch.cat(errors), torch.cat(part_errors)
        figures = {
            "presence_wrong": float(torch.cat(present_wrong).float().mean()),
            "support_wrong": float(torch.cat(support_wrong).float().mean()),
            "part_wrong": float(part_error.sum() / max(1, len(part_error))),
            "position_mm_median": float(error.median()),
            "position_mm_p95": float(error.quantile(0.95)),
        }
        wrong = sum(figures[f"{part}_wrong"] for part in ("presence", "support", "part"))
        return {**figures, "score": wrong + float(error.mean()) / 1000}


def _looking(slots: dict[str, Slots], batch: dict[str, Tensor], places: Tensor) -> Tensor:
    """Return how far attention is from where things are: a cross-entropy over cells.

    Regressing positions alone teaches where to look only slowly.
    """
    total, fixed = torch.zeros(()), places.expand(len(batch["state"]), -1, -1)
    position = torch.cat([batch["position"], fixed], dim=1)
    present = torch.cat([batch["present"], torch.ones_like(fixed[..., 0], dtype=torch.bool)], dim=1)
    for name, seen in projections(position, batch["state"], batch["mount"]).items():
        height, width = batch[name].shape[1] // 4, batch[name].shape[2] // 4
        cells = cell_centres(height, width) * torch.tensor([width / 2, height / 2])
        points = seen[..., :2] * torch.tensor([width / 2, height / 2])
        near = (-((points[..., None, :] - cells) ** 2).sum(-1) / (2 * _BLUR_CELLS**2)).softmax(-1)
        visible = (seen[..., 2:] > 0) & present[..., None]
        target = torch.cat([near * visible, (~visible).float()], dim=-1)
        total = total - (target * slots[name].logits.log_softmax(-1)).sum(-1).mean()
    return _LOOKING_WEIGHT * total


def _varied(image: Array, rng: np.random.Generator) -> Array:
    """Vary the light of an image. It is not shifted: where things appear is what is learned."""
    # One table look-up per pixel applies gain and offset without leaving uint8.
    gain, offset = rng.uniform(0.85, 1.15), rng.uniform(-12, 12)
    light = np.clip(np.arange(256) * gain + offset, 0, 255).astype(np.uint8)
    return np.asarray(light[image])
