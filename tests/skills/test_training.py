"""Training: batches are the recorded data, a run can be killed, and what it exports loads."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agent.errors import CheckpointError
from skills.batches import Batch, Batches
from skills.dataset import OBJECT_NAMES, SKILLS, TARGET_NAMES, data_hash
from skills.perception.estimator import NetworkEstimator
from skills.perception.train import SceneTrainer, _varied
from skills.phrases import paraphrases, phrase_for
from skills.policy.language import encode
from skills.policy.policy import VLAPolicy
from skills.train import PolicyTrainer, vocabulary
from skills.training import TrainSpec

SPEC = TrainSpec(steps=4, batch=8, threads=1, validate_every=2, warmup=2)
HORIZON = 6


@pytest.fixture(scope="module")
def trainer(
    tiny_data: Path, tiny_scene: Path, tmp_path_factory: pytest.TempPathFactory
) -> PolicyTrainer:
    """Return a trainer on the tiny data that has not trained; do not train it."""
    return PolicyTrainer([tiny_data], tmp_path_factory.mktemp("run"), SPEC, tiny_scene)


@pytest.fixture
def batches(trainer: PolicyTrainer) -> Batches:
    """Return the tiny data as batches."""
    return trainer.batches


def everything(batches: Batches, *, varied: bool = False) -> Batch:
    """Return every frame as one batch."""
    return batches.gather(np.arange(len(batches.frames.state)), varied=varied)


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


def test_sentences_name_what_is_done(batches: Batches) -> None:
    """Validation uses the canonical phrase; training any of that very skill call's."""
    plain, varied, (shard,) = (
        everything(batches),
        everything(batches, varied=True),
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


def test_varying_changes_the_light_and_nothing_else() -> None:
    """No pixel moves: where things appear is what is learned; the input is left alone."""
    image = np.full((20, 30, 3), 60, np.uint8)
    image[10, 15], image[:, :2] = 200, 120
    kept, lights = image.copy(), set()
    for seed in range(60):
        varied = _varied(image, np.random.default_rng(seed))
        assert varied.shape == image.shape
        assert varied.dtype == np.uint8
        assert divmod(int(varied[..., 0].argmax()), 30) == (10, 15)
        assert len(np.unique(varied)) == 3
        lights.add(int(varied[0, 5, 0]))
    assert len(lights) > 10
    assert max(lights) - min(lights) > 15
    assert np.array_equal(image, kept)


def test_what_was_seen_belongs_to_its_frame(trainer: PolicyTrainer) -> None:
    """A frame's row is what the network sees in that frame's images, and in no other's."""
    (shard,), model = trainer.batches.frames.shards, trainer.run.model
    rows = np.array([0, 1, 63, 64, 65, len(shard["demo"]) - 1])
    images = {
        name: torch.from_numpy(np.array(shard[name][rows])).permute(0, 3, 1, 2) / 127.5 - 1
        for name in model.scene.config.cameras
    }
    with torch.inference_mode():
        wanted = model.look(images, torch.from_numpy(np.array(shard["state"][rows])))
    for seen in (
        trainer.batches.seen[rows].float(),
        trainer.batches.gather(rows, varied=False).seen,
    ):
        apart = (seen[:, None] - wanted[None]).abs().flatten(2)
        assert apart.diagonal().max() < 0.1
        mean = apart.mean(-1)
        assert mean.diagonal().max() < 0.01
        assert (mean + torch.eye(len(rows))).min() > 3 * mean.diagonal().max()
    assert trainer.batches.seen.shape == (len(shard["demo"]), *wanted.shape[1:])


def test_padding_does_not_count(trainer: PolicyTrainer) -> None:
    """Whatever stands past a demonstration's end, the loss is the same; before it, it is not."""
    frames = trainer.batches.frames
    ends = np.flatnonzero(frames.left < HORIZON)
    batch = trainer.batches.gather(ends, varied=False)
    assert not batch.valid.all()
    with torch.no_grad():
        output = trainer._predict(trainer.run.model, batch, noisy=False)

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


def test_a_policy_run_resumes_and_exports(
    tiny_data: Path, tiny_scene: Path, tmp_path: Path
) -> None:
    """Two steps, then two more from where it was; the export loads and says what made it."""
    out = tmp_path / "run"
    first = PolicyTrainer([tiny_data], out, replace(SPEC, steps=2), tiny_scene)
    loss = first._next_loss()
    assert math.isfinite(loss.item())
    first.train()
    assert first.run.step == 2
    assert logged_steps(out) == [2]
    second = PolicyTrainer([tiny_data], out, SPEC, tiny_scene)
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
    third = PolicyTrainer([tiny_data], out, SPEC, tiny_scene)
    third.train()
    assert logged_steps(out) == [2, 4]


def test_the_eyes_are_left_as_they_were(tiny_data: Path, tiny_scene: Path, tmp_path: Path) -> None:
    """Training moves every other part; how it sees is the scene network's, bit for bit."""
    trainer = PolicyTrainer([tiny_data], tmp_path, SPEC, tiny_scene)
    before = {name: weight.clone() for name, weight in trainer.run.model.state_dict().items()}
    trainer.train()
    given = load_file(tiny_scene / "model.safetensors")
    exported = load_file(tmp_path / "best" / "model.safetensors")
    assert len(given) > 20
    seeing = {f"scene.{name}": weight for name, weight in given.items()}
    assert set(seeing) == {name for name in exported if name.startswith("scene.")}
    for name, weight in seeing.items():
        assert torch.equal(exported[name], weight)
    for name, weight in trainer.run.model.state_dict().items():
        assert torch.equal(weight, before[name]) == (name in seeing), name
        if name in seeing:
            assert torch.equal(weight, seeing[name].float())
            assert torch.equal(trainer.run.average.state_dict()[name], weight)


def test_eyes_that_are_none_are_refused(
    trainer: PolicyTrainer, tiny_data: Path, tmp_path: Path
) -> None:
    """A missing folder and another kind of network are named; nothing is trained."""
    with pytest.raises(CheckpointError, match="no checkpoint"):
        PolicyTrainer([tiny_data], tmp_path / "run", SPEC, tmp_path / "nowhere")
    trainer.run.average.save_pretrained(tmp_path / "policy")
    with pytest.raises(CheckpointError, match=r"'bosun_vla'.*'bosun_scene'"):
        PolicyTrainer([tiny_data], tmp_path / "run", SPEC, tmp_path / "policy")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("copies", [1, 2])
def test_a_scene_run_exports(tiny_data: Path, tmp_path: Path, copies: int) -> None:
    """It trains on the same frames, be they one shard only, and its export loads."""
    trainer = SceneTrainer([tiny_data] * copies, tmp_path, replace(SPEC, batch=16))
    frames = len(trainer.shard_of)
    together = np.concatenate([trainer.training, trainer.held_out])
    assert np.array_equal(np.sort(together), np.arange(frames))
    assert trainer.held_out.max() == frames - 1
    share = len(trainer.held_out) / frames
    assert share == pytest.approx(0.1 if copies == 1 else 0.5, abs=1 / frames)
    assert trainer.training.max() < trainer.held_out.min()
    trainer.train()
    assert logged_steps(tmp_path) == [2, 4]
    NetworkEstimator.from_checkpoint(tmp_path / "best")
