"""Training the policy from demonstrations: behaviour cloning on chunks, resumable at any step."""

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

from agent.errors import SkillError
from skills.batches import Batch, Batches, Frames, drop_state
from skills.dataset import OBJECT_NAMES, SKILLS, TARGET_NAMES, data_hash
from skills.phrases import paraphrases
from skills.policy.configuration import VLAConfig
from skills.policy.language import build_vocabulary
from skills.policy.modeling import VLA, VLAOutput

_VALIDATION_FRAMES = 1024
_GRIPPER_WEIGHT, _SUCCESS_WEIGHT, _PROGRESS_WEIGHT = 0.3, 0.2, 0.3


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """How to train.

    Attributes:
        steps: Optimiser steps.
        batch: Samples per step.
        learning_rate: Peak of the cosine schedule.
        warmup: Steps to the peak.
        weight_decay: AdamW's.
        ema: Decay of the averaged weights, which are what is kept.
        seed: Of weights, batches and augmentation.
        validate_every: Steps between validations, each of which also saves.
        threads: CPU threads.
    """

    steps: int = 4000
    batch: int = 128
    learning_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 1e-4
    ema: float = 0.998
    seed: int = 0
    validate_every: int = 250
    threads: int = 2


def vocabulary() -> list[str]:
    """Return every word that training sentences use."""
    return build_vocabulary(
        sentence for skill in SKILLS for name in OBJECT_NAMES for target in TARGET_NAMES
        for sentence in paraphrases(skill, {"object": name, "target": target})
    )


def normalised(images: dict[str, Tensor]) -> dict[str, Tensor]:
    """(b, 3, h, w) uint8 -> bfloat16 in -1..1, laid out for fast convolution."""
    return {name: image.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
            .div_(127.5).sub_(1) for name, image in images.items()}


class Trainer:
    """Holds a run: model, average, optimiser and step, all of which are saved and restored."""

    def __init__(self, roots: list[Path], out: Path, spec: TrainSpec,
                 start_from: Path | None = None) -> None:
        """Open the data and take up the run in `out`, or begin one, from a checkpoint if given."""
        torch.set_num_threads(spec.threads)
        torch.manual_seed(spec.seed)
        self.out, self.spec, self.roots = out, spec, roots
        frames = Frames(roots, VLAConfig().horizon)
        words = vocabulary()
        state = frames.state[frames.training]
        self.config = VLAConfig(
            vocabulary=words, state_mean=state.mean(0).tolist(),
            state_std=np.maximum(state.std(0), 0.01).tolist(),
        )
        self.batches = Batches(frames, words, spec.batch, spec.seed)
        self.model = VLA(self.config)
        if start_from is not None:
            self._take_weights(start_from)
        self.model.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), spec.learning_rate,
                                           weight_decay=spec.weight_decay)
        self.generator = torch.Generator().manual_seed(spec.seed)
        self.mean = torch.tensor(self.config.state_mean)
        self.std = torch.tensor(self.config.state_std)
        self.step, self.best = 0, math.inf
        self._resume()

    def _take_weights(self, checkpoint: Path) -> None:
        """Begin a DAgger round from the last one's weights, with its statistics and words."""
        before = VLA.from_pretrained(checkpoint)
        if before.config.vocabulary != self.config.vocabulary:
            raise SkillError(f"{checkpoint} was trained on other words; train anew without --from.")
        self.config.state_mean = before.config.state_mean
        self.config.state_std = before.config.state_std
        self.model.load_state_dict(before.state_dict())

    def run(self) -> None:
        """Train to the last step, validating and saving on the way."""
        bar = tqdm(total=self.spec.steps, initial=self.step, desc="train", unit="step")
        with bar:
            while self.step < self.spec.steps:
                loss = self._train_step(self.batches.next())
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()
                if self.step % self.spec.validate_every == 0 or self.step == self.spec.steps:
                    self._validate()

    def _train_step(self, batch: Batch) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        with torch.autocast("cpu", torch.bfloat16):
            output = self._predict(self.model, batch, augment=True)
        loss = sum(self._losses(output, batch, bootstrap=True).values(), torch.zeros(()))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.spec.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()),
                                 list(self.model.parameters()), 1 - decay)
        return loss.item()

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self.spec.warmup)
        share = self.step / self.spec.steps
        return self.spec.learning_rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)

    def _predict(self, model: VLA, batch: Batch, *, augment: bool) -> VLAOutput:
        state = (batch.state - self.mean) / self.std
        if augment:
            state = drop_state(state, self.generator)
        output: VLAOutput = model(normalised(batch.images), state, model.embed(batch.tokens))
        return output

    def _losses(self, output: VLAOutput, batch: Batch, *, bootstrap: bool) -> dict[str, Tensor]:
        """Return the weighted terms of the loss."""
        scale = torch.tensor(self.config.action_scale)
        motion, opening = batch.action[..., :6] / scale, batch.action[..., 6].round()
        valid = batch.valid.float()
        heads = output.motion.shape[0]
        weight = valid.expand(heads, *valid.shape)
        if bootstrap:
            # Each head sees its own resampling of the batch, so that heads disagree off the data.
            draws = torch.rand(heads, len(valid), 1, generator=self.generator)
            weight = weight * (draws < 0.7) / 0.7
        total = weight.sum().clamp(min=1)
        error = (output.motion.float() - motion).abs().mean(-1)
        gripper = F.binary_cross_entropy_with_logits(
            output.gripper.float(), opening.expand(heads, *opening.shape), reduction="none")
        known = ~batch.progress.isnan()
        progress = F.binary_cross_entropy_with_logits(
            output.progress.float()[known], batch.progress[known])
        success = F.binary_cross_entropy_with_logits(output.success.float(), batch.success)
        return {
            "motion": (error * weight).sum() / total,
            "gripper": _GRIPPER_WEIGHT * (gripper * weight).sum() / total,
            "progress": _PROGRESS_WEIGHT * progress,
            "success": _SUCCESS_WEIGHT * success,
        }

    @torch.no_grad()
    def _validate(self) -> None:
        """Score the averaged weights, keep them when best, and save the run."""
        sums: dict[str, float] = {}
        batches = self.batches.validation(_VALIDATION_FRAMES)
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16):
                output = self._predict(self.average, batch, augment=False)
            for name, term in self._losses(output, batch, bootstrap=False).items():
                sums[name] = sums.get(name, 0.0) + float(term) / len(batches)
        score = sums["motion"] + sums["gripper"]
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": self.step, "time": time.time(), **sums}) + "\n")
        if score < self.best:
            self.best = score
            self._export(sums)
        self._save()

    def _export(self, sums: dict[str, float]) -> None:
        """Write the averaged weights in half precision, with what made them."""
        best = self.out / "best"
        copy.deepcopy(self.average).half().save_pretrained(best)
        record = {
            "spec": asdict(self.spec), "step": self.step, "validation": sums,
            "data": [root.name for root in self.roots], "data_hash": data_hash(self.roots),
        }
        (best / "training.json").write_text(json.dumps(record, indent=1))

    def _save(self) -> None:
        partial = self.out / "run.partial"
        torch.save({
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "step": self.step, "best": self.best,
            "generator": self.generator.get_state(),
        }, partial)
        partial.rename(self.out / "run.pt")

    def _resume(self) -> None:
        path = self.out / "run.pt"
        if not path.exists():
            return
        saved = torch.load(path, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.generator.set_state(saved["generator"])
        self.step, self.best = saved["step"], saved["best"]
