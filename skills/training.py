"""A training run: model, averaged weights, optimiser and step, saved and taken up again."""

from __future__ import annotations

import copy
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from skills.dataset import data_hash

ModelT = TypeVar("ModelT", bound=PreTrainedModel)
BatchT = TypeVar("BatchT")


_HALF = torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")
"""Whether to compute in bfloat16: with AVX-512 that more than doubles the speed of training, and
without it takes six times as long."""


def half_precision() -> torch.autocast:
    """Return a context that computes in bfloat16 where the CPU is fast at it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=_HALF)


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

    steps: int = 4500
    batch: int = 128
    learning_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 1e-4
    ema: float = 0.998
    seed: int = 0
    validate_every: int = 250
    threads: int = 2


class Run(Generic[ModelT]):
    """Descends on losses and keeps a moving average of the weights; resumable at validations."""

    def __init__(self, model: ModelT, roots: list[Path], out: Path, spec: TrainSpec) -> None:
        """Take up the run in `out`, or begin one."""
        self.out, self.spec, self.roots = out, spec, roots
        self.model = model
        self.average = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), spec.learning_rate, weight_decay=spec.weight_decay
        )
        self.generator = torch.Generator().manual_seed(spec.seed)
        self.step, self.best = 0, math.inf
        self._resume()

    def loop(
        self,
        loss_of_next: Callable[[], Tensor],
        validate: Callable[[], Mapping[str, float]],
        label: str,
    ) -> None:
        """Train to the last step; `validate` returns its figures, the one to beat as `score`."""
        bar = tqdm(total=self.spec.steps, initial=self.step, desc=label, unit="step")
        with bar:
            while self.step < self.spec.steps:
                loss = self._descend(loss_of_next())
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()
                if self.step % self.spec.validate_every == 0 or self.step == self.spec.steps:
                    with torch.no_grad():
                        self._keep(validate())

    def _descend(self, loss: Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.spec.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.model.parameters()), 1 - decay
            )
        return loss.item()

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self.spec.warmup)
        share = self.step / self.spec.steps
        return self.spec.learning_rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)

    def _keep(self, figures: Mapping[str, float]) -> None:
        """Log the figures, export the averaged weights when best, and save the run."""
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": self.step, "time": time.time(), **figures}) + "\n")
        if figures["score"] < self.best:
            self.best = figures["score"]
            self._export(figures)
        partial = self.out / "run.partial"
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "best": self.best,
                "generator": self.generator.get_state(),
            },
            partial,
        )
        partial.rename(self.out / "run.pt")

    def _export(self, figures: Mapping[str, float]) -> None:
        """Write the averaged weights in half precision, with what made them."""
        best = self.out / "best"
        copy.deepcopy(self.average).half().save_pretrained(best)
        record: dict[str, Any] = {
            "spec": asdict(self.spec),
            "step": self.step,
            "validation": dict(figures),
            "data": [root.name for root in self.roots],
            "data_hash": data_hash(self.roots),
        }
        (best / "training.json").write_text(json.dumps(record, indent=1) + "\n")

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


class Prefetch(Generic[BatchT]):
    """Makes batches in a background thread, a few ahead of the one that is trained on."""

    def __init__(self, make: Callable[[], BatchT], ahead: int = 4) -> None:
        """Set what makes a batch; the thread starts with the first call."""
        self._make = make
        self._queue: queue.Queue[BatchT] = queue.Queue(ahead)
        self._thread: threading.Thread | None = None

    def __call__(self) -> BatchT:
        """Return the next batch."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._fill, daemon=True)
            self._thread.start()
        return self._queue.get()

    def _fill(self) -> None:
        while True:
            self._queue.put(self._make())


def normalised(image: Tensor) -> Tensor:
    """(b, 3, h, w) uint8 -> -1..1, for `half_precision`, laid out for fast convolution."""
    exact = image.to(torch.bfloat16 if _HALF else torch.float32)
    return exact.contiguous(memory_format=torch.channels_last).div_(127.5).sub_(1)
