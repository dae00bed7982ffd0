"""Training: batches are the recorded data, a run can be killed, and what it exports loads."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from skills.batches import Batch, Batches, Frames, shifted
from skills.dataset import OBJECT_NAMES, SKILLS, TARGET_NAMES, data_hash
from skills.perception.estimator import NetworkEstimator
from skills.perception.train import SceneTrainer
from skills.phrases import paraphrases, phrase_for
from skills.policy.language import encode
from skills.policy.policy import VLAPolicy
from skills.train import PolicyTrainer, vocabulary
from skills.training import TrainSpec

SPEC = TrainSpec(steps=4, batch=8, threads=1, validate_every=2, warmup=2)
HORIZON = 6


@pytest.fixture(scope="module")
def batches(tiny_data: Path) -> Batches:
    """Return the tiny data as batches."""
    return Batches(Frames([tiny_data], HORIZON), vocabulary(), size=8, seed=0)


def everything(batches: Batches, *, augment: bool = False) -> Batch:
    """Return every frame as one batch."""
    rows = np.arange(len(batches.frames.row_of))
    return batches.gather(rows, np.random.default_rng(0), augment=augment)


def test_chunks_are_the_recorded_actions(batches: Batches) -> None:
    """Row k of a frame's chunk is what the teacher did k frames later, in that demonstration."""
    batch, (shard,) = everything(batches), batches.frames.shards
    action, demo = np.asarray(shard["action"]), np.asarray(shard["demo"])
    for k in range(HORIZON):
        later = np.arange(len(demo)) + k
        inside = later < len(demo)
        same = np.zeros(len(demo), bool)
        same[inside] = demo[later[inside]] == demo[inside]
        assert np.array_equal(batch.valid[:, k].numpy(), same)
        assert np.array_equal(batch.action[same, k].numpy(), action[later[same]])
    assert np.array_equal(batch.state.numpy(), shard["state"])
    assert np.array_equal(batch.success.numpy(), shard["success"])
    front = batch.images["front"].permute(0, 2, 3, 1).numpy()
    assert np.array_equal(front, shard["front"])


def test_sentences_name_what_is_done(batches: Batches) -> None:
    """Validation uses the canonical phrase; training any of that very skill call's."""
    plain, varied, (shard,) = (
        everything(batches),
        everything(batches, augment=True),
        batches.frames.shards,
    )
    words, other = vocabulary(), 0
    for row in range(0, len(shard["demo"]), 7):
        skill, target = SKILLS[shard["skill"][row]], int(shard["target"][row])
        args = {
            "object": OBJECT_NAMES[shard["object"][row]],
            "target": TARGET_NAMES[target] if target >= 0 else "",
        }
        assert plain.tokens[row].tolist() == encode(phrase_for(skill, args), words)
        options = [encode(sentence, words) for sentence in paraphrases(skill, args)]
        assert varied.tokens[row].tolist() in options
        other += varied.tokens[row].tolist() != plain.tokens[row].tolist()
    assert other > 0


def test_validation_is_held_out(batches: Batches) -> None:
    """No demonstration is both trained on and validated on, and both have some."""
    frames = batches.frames
    demo = np.asarray(frames.shards[0]["demo"])
    training, held = set(demo[frames.training]), set(demo[frames.validation])
    assert training
    assert held
    assert not training & held
    assert frames.weight.sum() == pytest.approx(1)
    switch = np.flatnonzero(np.abs(np.diff(frames.shards[0]["action"][:, 6])) > 0.5)
    inside = [row for row in switch if demo[row] == demo[row + 1] and demo[row] in training]
    weight = dict(zip(frames.training.tolist(), frames.weight, strict=True))
    assert all(weight[int(row)] == frames.weight.max() for row in inside)
    assert frames.weight.max() > 2 * frames.weight.min()


def test_shifting_keeps_shape_and_moves_a_little() -> None:
    """A shift of at most two pixels, the edge repeated; the input is left alone."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[10, 15] = 255
    places = set()
    for seed in range(40):
        moved = shifted(image, np.random.default_rng(seed), 2)
        assert moved.shape == image.shape
        assert moved.dtype == np.uint8
        row, column = np.unravel_index(int(moved[..., 0].argmax()), moved.shape[:2])
        places.add((int(row) - 10, int(column) - 15))
    assert max(max(abs(dy), abs(dx)) for dy, dx in places) == 2
    assert len(places) > 10
    assert image.sum() == 3 * 255


def test_padding_does_not_count(tiny_data: Path, tmp_path: Path) -> None:
    """Whatever stands past a demonstration's end, the loss is the same; before it, it is not."""
    trainer = PolicyTrainer([tiny_data], tmp_path, SPEC)
    frames = trainer.batches.frames
    ends = np.flatnonzero(frames.left < HORIZON)
    batch = trainer.batches.gather(ends, np.random.default_rng(0), augment=False)
    assert not batch.valid.all()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = trainer._predict(trainer.run.model, batch, augment=False)

    def losses(where: torch.Tensor) -> dict[str, float]:
        action = torch.where(where[..., None], batch.action + 3.0, batch.action)
        terms = trainer._losses(output, replace(batch, action=action), bootstrap=False)
        return {name: float(term) for name, term in terms.items()}

    nothing = losses(torch.zeros_like(batch.valid))
    assert losses(~batch.valid) == nothing
    assert losses(batch.valid)["motion"] > nothing["motion"] + 1
    assert losses(batch.valid)["gripper"] != nothing["gripper"]


def logged_steps(out: Path) -> list[int]:
    """Return the steps in a run's log, all of whose figures must be finite."""
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(math.isfinite(value) for row in rows for value in row.values())
    return [row["step"] for row in rows]


def test_a_policy_run_resumes_and_exports(tiny_data: Path, tmp_path: Path) -> None:
    """Two steps, then two more from where it was; the export loads and says what made it."""
    out = tmp_path / "run"
    first = PolicyTrainer([tiny_data], out, replace(SPEC, steps=2))
    loss = first._next_loss()
    assert math.isfinite(loss.item())
    first.train()
    assert first.run.step == 2
    assert logged_steps(out) == [2]
    second = PolicyTrainer([tiny_data], out, SPEC)
    assert second.run.step == 2
    assert second.run.best == first.run.best
    for ours, saved in zip(
        second.run.model.parameters(), first.run.model.parameters(), strict=True
    ):
        assert torch.equal(ours, saved)
    assert second.run.optimiser.state_dict()["state"]
    second.train()
    assert second.run.step == 4
    assert logged_steps(out) == [2, 4]
    policy = VLAPolicy.from_checkpoint(out / "best")
    assert policy.config.vocabulary == vocabulary()
    assert policy.config.horizon == HORIZON
    record = json.loads((out / "best" / "training.json").read_text())
    assert record["data_hash"] == data_hash([tiny_data])
    assert record["step"] in (2, 4)
    assert record["spec"]["batch"] == SPEC.batch
    third = PolicyTrainer([tiny_data], out, SPEC)
    third.train()
    assert logged_steps(out) == [2, 4]


def test_a_round_begins_from_a_checkpoint(tiny_data: Path, tmp_path: Path) -> None:
    """A later round takes over weights and statistics, and begins at step 0."""
    trainer = PolicyTrainer([tiny_data], tmp_path / "a", replace(SPEC, steps=2))
    trainer.train()
    best = tmp_path / "a" / "best"
    later = PolicyTrainer([tiny_data], tmp_path / "b", SPEC, start_from=best)
    assert later.run.step == 0
    assert later.config.state_mean == pytest.approx(trainer.config.state_mean)
    exported = dict(trainer.run.average.named_parameters())
    for name, weight in later.run.model.named_parameters():
        assert torch.equal(weight, exported[name].half().float())


def test_a_scene_run_exports(tiny_data: Path, tmp_path: Path) -> None:
    """The scene network trains on the same frames, and its export loads."""
    trainer = SceneTrainer([tiny_data, tiny_data], tmp_path, replace(SPEC, batch=64))
    trainer.train()
    assert logged_steps(tmp_path) == [2, 4]
    NetworkEstimator.from_checkpoint(tmp_path / "best")
