"""Training the scene network on the world's own labels."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from skills.batches import shifted
from skills.dataset import OBJECT_NAMES, SUPPORTS, Array, open_shard, shards
from skills.perception.modeling import SceneConfig, SceneNet, SceneOutput

_POSITION_WEIGHT, _SUPPORT_WEIGHT = 4.0, 0.7


@dataclass(frozen=True, slots=True)
class SceneTrainSpec:
    """How to train the scene network; the fields are those of `TrainSpec`."""

    steps: int = 4000
    batch: int = 128
    learning_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 1e-4
    ema: float = 0.998
    seed: int = 0
    validate_every: int = 500
    threads: int = 2


class SceneTrainer:
    """Holds a run: model, average, optimiser and step, all of which are saved and restored."""

    def __init__(self, roots: list[Path], out: Path, spec: SceneTrainSpec) -> None:
        """Open the data and take up the run in `out`, or begin one."""
        torch.set_num_threads(spec.threads)
        torch.manual_seed(spec.seed)
        self.out, self.spec = out, spec
        self.folders = [open_shard(folder) for folder in shards(roots)]
        sizes = [len(shard["present"]) for shard in self.folders]
        self.frame = [(i, row) for i, size in enumerate(sizes) for row in range(size)]
        # Whole shards are held out: neighbouring frames of one shard show the same scene.
        every = max(2, len(sizes) // 3)
        held = np.repeat([i % every == every - 1 for i in range(len(sizes))], sizes)
        self.training, self.held_out = np.flatnonzero(~held), np.flatnonzero(held)
        self.rng = np.random.default_rng(spec.seed)
        self.config = SceneConfig(objects=list(OBJECT_NAMES), supports=list(SUPPORTS))
        self.model = SceneNet(self.config).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), spec.learning_rate,
                                           weight_decay=spec.weight_decay)
        self.mean = torch.tensor(self.config.position_mean)
        self.std = torch.tensor(self.config.position_std)
        self.step = 0
        self._resume()

    def run(self) -> None:
        """Train to the last step, validating and saving on the way."""
        bar = tqdm(total=self.spec.steps, initial=self.step, desc="train scene", unit="step")
        with bar:
            while self.step < self.spec.steps:
                loss = self._train_step(self._gather(
                    self.rng.choice(self.training, self.spec.batch), augment=True))
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()
                if self.step % self.spec.validate_every == 0 or self.step == self.spec.steps:
                    self._validate()

    def _gather(self, frames: Array, *, augment: bool) -> dict[str, Tensor]:
        rows: dict[str, list[Array]] = {}
        for frame in frames:
            shard, row = self.frame[frame]
            for key in ("front", "wrist", "state", "present", "position", "support"):
                value = np.asarray(self.folders[shard][key][row])
                if augment and key in ("front", "wrist"):
                    value = shifted(value, self.rng, pixels=1)
                rows.setdefault(key, []).append(value)
        return {key: torch.from_numpy(np.stack(values)) for key, values in rows.items()}

    def _predict(self, model: SceneNet, batch: dict[str, Tensor]) -> SceneOutput:
        images = [(batch[name].permute(0, 3, 1, 2).float() / 127.5 - 1)
                  .contiguous(memory_format=torch.channels_last) for name in ("front", "wrist")]
        with torch.autocast("cpu", torch.bfloat16):
            output: SceneOutput = model(images[0], images[1], batch["state"])
        return output

    def _losses(self, output: SceneOutput, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        present = batch["present"]
        goal = (batch["position"] - self.mean) / self.std
        support = batch["support"].long()
        return {
            "present": F.binary_cross_entropy_with_logits(output.present, present.float()),
            "position": _POSITION_WEIGHT * (output.position - goal).abs()[present].mean(),
            "support": _SUPPORT_WEIGHT * F.cross_entropy(output.support[present], support[present]),
        }

    def _train_step(self, batch: dict[str, Tensor]) -> float:
        share = self.step / self.spec.steps
        warm = min(1.0, (self.step + 1) / self.spec.warmup)
        rate = self.spec.learning_rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        terms = self._losses(self._predict(self.model, batch), batch)
        loss = sum(terms.values(), torch.zeros(()))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.spec.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()),
                                 list(self.model.parameters()), 1 - decay)
        return float(loss)

    @torch.no_grad()
    def _validate(self) -> None:
        """Print errors in plain units, and save."""
        chosen = self.held_out[:: max(1, len(self.held_out) // 1500)]
        wrong_present = wrong_support = count = objects = 0
        errors: list[Tensor] = []
        for start in range(0, len(chosen), self.spec.batch):
            batch = self._gather(chosen[start:start + self.spec.batch], augment=False)
            output, present = self._predict(self.average, batch), batch["present"]
            wrong_present += int(((output.present > 0) != present).sum())
            wrong_support += int((output.support.argmax(-1) != batch["support"])[present].sum())
            count += present.numel()
            objects += int(present.sum())
            offset = (output.position * self.std + self.mean - batch["position"])[present]
            errors.append(offset.norm(dim=-1))
        error = torch.cat(errors) * 1000
        record = {
            "step": self.step, "time": time.time(), "presence_wrong": wrong_present / count,
            "support_wrong": wrong_support / objects, "position_mm_median": float(error.median()),
            "position_mm_p95": float(error.quantile(0.95)),
        }
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        best = self.out / "best"
        copy.deepcopy(self.average).half().save_pretrained(best)
        (best / "training.json").write_text(
            json.dumps({"spec": asdict(self.spec), "validation": record}, indent=1))
        self._save()

    def _save(self) -> None:
        partial = self.out / "run.partial"
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "step": self.step}, partial)
        partial.rename(self.out / "run.pt")

    def _resume(self) -> None:
        path = self.out / "run.pt"
        if path.exists():
            saved = torch.load(path, weights_only=True)
            self.model.load_state_dict(saved["model"])
            self.average.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step = saved["step"]
