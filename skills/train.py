"""Training the policy from demonstrations: behaviour cloning on chunks, through fixed eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from agent.errors import CheckpointError
from agent.spots import cost_in
from skills.batches import Batch, Batches, Frames, Room
from skills.checkpoint import load_checkpoint, weights_hash
from skills.perception.modeling import SceneConfig, SceneNet
from skills.phrases import calls, paraphrases
from skills.policy.configuration import VLAConfig
from skills.policy.language import build_vocabulary
from skills.policy.modeling import VLA, VLAOutput, scaled
from skills.policy.places import PITCH
from skills.training import Prefetch, Run, TrainSpec

_VALIDATION_FRAMES = 1024
_GRIPPER_WEIGHT, _SUCCESS_WEIGHT, _PROGRESS_WEIGHT = 0.3, 0.2, 0.3
_THING_WEIGHT, _GUESS_WEIGHT, _ODDS_WEIGHT = 0.25, 0.25, 0.3
_PLACE_M = 0.015
"""How far a place may be from the true one to be worth exp(-1/2) of it, m."""
_COST_M = 0.01
"""How much more may be against a place in a zone for it to be worth exp(-1) of another one, m."""
_HEAD_SHARE = 0.7
_SHARED_NOISE, _OWN_NOISE = 0.03, 0.02
"""Of positions, in the scene network's units: of all things in a frame alike, and of each."""


def vocabulary() -> list[str]:
    """Return every word that training sentences use."""
    return build_vocabulary(
        sentence for skill, args in calls() for sentence in paraphrases(skill, args)
    )


class PolicyTrainer:
    """Trains the policy on shards of demonstrations."""

    def __init__(
        self,
        roots: list[Path],
        out: Path,
        spec: TrainSpec,
        scene: Path,
        start: Path | None = None,
        shape: Mapping[str, Any] | None = None,
    ) -> None:
        """Open the data and take up the run in `out`, or begin one.

        Args:
            roots: Data folders.
            out: Folder of the run.
            spec: How to train.
            scene: Checkpoint of the scene network, which the policy sees through; it is not
                trained further, so that what it sees is worked out once for all frames.
            start: Checkpoint of a policy to begin with; the rest is random without one.
            shape: Hyperparameters of the policy that differ from the usual ones.
        """
        torch.set_num_threads(spec.threads)
        torch.manual_seed(spec.seed)
        chosen, words = dict(shape or {}), vocabulary()
        frames = Frames(roots, VLAConfig(**chosen).horizon)
        model = _seeing(scene, frames, words, chosen)
        if start is not None:
            _take_over(load_checkpoint(start, VLA, VLAConfig.model_type), model)
        self.config: VLAConfig = model.config
        self.run = Run(model, roots, out, spec)
        seen = frames.look(model, weights_hash(scene))
        self.batches = Batches(frames, seen, words, spec.batch, spec.seed + self.run.step)
        self._next_batch = Prefetch(self.batches.draw)

    def train(self) -> None:
        """Train to the last step."""
        self.run.loop(self._next_loss, self._validate, "train policy")

    def _next_loss(self) -> Tensor:
        batch = self._next_batch()
        output = self._predict(self.run.model, batch, noisy=True)
        return sum(self._losses(output, batch, bootstrap=True).values(), torch.zeros(()))

    def _validate(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        batches = self.batches.validation(_VALIDATION_FRAMES)
        for batch in batches:
            output = self._predict(self.run.average, batch, noisy=False)
            for name, term in self._losses(output, batch, bootstrap=False).items():
                sums[name] = sums.get(name, 0.0) + float(term) / len(batches)
        # The gripper's cross-entropy grows with confidence when its decisions do not change any
        # more.
        return {**sums, "score": sums["motion"]}

    def _predict(self, model: VLA, batch: Batch, *, noisy: bool) -> VLAOutput:
        seen, memory = batch.seen, batch.memory
        if noisy:
            # The scene network sees its own training images better than new ones, where a camera
            # taken to stand elsewhere moves everything one way, in every look.
            shared = self._drawn(len(seen), 1) * _SHARED_NOISE
            seen, began = (
                torch.cat([x[..., :3] + shared + own * _OWN_NOISE, x[..., 3:]], dim=-1)
                for x, own in ((x, self._drawn(*x.shape[:2])) for x in (seen, memory.began))
            )
            memory = replace(memory, began=began)
        return model.decide(
            seen, memory, batch.state, model.embed(batch.tokens), batch.goal if noisy else None
        )

    def _drawn(self, *shape: int) -> Tensor:
        return torch.randn((*shape, 3), generator=self.run.generator)

    def _losses(self, output: VLAOutput, batch: Batch, *, bootstrap: bool) -> dict[str, Tensor]:
        """Return the weighted terms of the loss."""
        scale = torch.tensor(self.config.action_scale)
        motion, opening = batch.action[..., :6] / scale, batch.action[..., 6].round()
        valid = batch.valid.float()
        heads = output.motion.shape[0]
        weight = valid.expand(heads, *valid.shape)
        if bootstrap:
            # Each head sees its own resampling of the batch, so that heads disagree off the data.
            draws = torch.rand(heads, len(valid), 1, generator=self.run.generator)
            weight = weight * (draws < _HEAD_SHARE) / _HEAD_SHARE
        total = weight.sum().clamp(min=1)
        error = (output.motion.float() - motion).abs().mean(-1)
        gripper = F.binary_cross_entropy_with_logits(
            output.gripper.float(), opening.expand(heads, *opening.shape), reduction="none"
        )
        known = ~batch.progress.isnan()
        seen = ~batch.thing.isnan()
        far = (output.thing.float() - scaled(batch.thing))[seen].abs().sum()
        thing = far / seen.sum().clamp(min=1)
        goal, odds = _goal_losses(output, batch.goal, batch.rooms)
        progress = F.binary_cross_entropy_with_logits(
            output.progress.float()[known], batch.progress[known]
        )
        success = F.binary_cross_entropy_with_logits(output.success.float(), batch.success)
        return {
            "motion": (error * weight).sum() / total,
            "gripper": _GRIPPER_WEIGHT * (gripper * weight).sum() / total,
            "thing": _THING_WEIGHT * thing,
            "guess": _GUESS_WEIGHT * goal,
            "odds": _ODDS_WEIGHT * odds,
            "progress": _PROGRESS_WEIGHT * progress,
            "success": _SUCCESS_WEIGHT * success,
        }


def _goal_losses(output: VLAOutput, goal: Tensor, rooms: Sequence[Room]) -> tuple[Tensor, Tensor]:
    """Return how far the guess is from where things should go, and how unlikely the place was said.

    Args:
        output: The network's.
        goal: (b, 3) m; NaN where unknown.
        rooms: Where in zones there is room: a place is worth what is for it, not only how near it
            is to the best one.
    """
    known = ~goal.isnan().any(-1)
    far = (output.guess.float()[known] - scaled(goal[known])).abs().sum() / 3
    off = (output.places - goal[:, None, :2].nan_to_num()).pow(2).sum(-1)
    # A place beyond the grid is none of those that are offered.
    within = known & (off.amin(-1) < PITCH**2)
    worth = -off / (2 * _PLACE_M**2)
    for room in rooms:
        spots = output.places[room.sample].numpy().astype(np.float64)
        against = cost_in(room.zone, room.about, spots, room.near)
        worth[room.sample] = torch.from_numpy(-against / _COST_M)
        within[room.sample] &= bool(np.isfinite(against).any())
    true = worth[within].softmax(-1)
    unlikely = F.cross_entropy(output.odds.float()[within], true, reduction="sum")
    return far / known.sum().clamp(min=1), unlikely / within.sum().clamp(min=1)


def _seeing(scene: Path, frames: Frames, words: list[str], shape: Mapping[str, Any]) -> VLA:
    """Return a network that sees through the scene network, held fixed; the rest is random."""
    eyes = load_checkpoint(scene, SceneNet, SceneConfig.model_type)
    state = frames.state[frames.training]
    model = VLA(
        VLAConfig(
            vocabulary=words,
            scene=eyes.config.to_diff_dict(),
            state_mean=state.mean(0).tolist(),
            state_std=np.maximum(state.std(0), 0.01).tolist(),
            **shape,
        )
    )
    model.scene.load_state_dict(eyes.state_dict())
    model.scene.requires_grad_(False)
    return model


def _take_over(start: VLA, model: VLA) -> None:
    """Give a network all weights of another one, but for its eyes.

    Raises:
        CheckpointError: They do not fit: vocabulary or sizes differ.
    """
    weights = {n: w for n, w in start.state_dict().items() if not n.startswith("scene.")}
    if start.config.vocabulary != model.config.vocabulary:
        raise CheckpointError("The policy to begin with knows other words; train one anew.")
    model.load_state_dict(weights, strict=False)
    model.config.state_mean, model.config.state_std = (
        start.config.state_mean,
        start.config.state_std,
    )
