"""Training: batches are the recorded data, a run can be killed, and what it exports loads."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from agent.errors import CheckpointError
from agent.types import TABLE, SceneObject
from agent.workspace import BLOCK, DRAWER_TRAVEL, ZONES
from skills.batches import Batch, Batches, Room
from skills.dataset import OBJECT_NAMES, TARGET_NAMES, data_hash
from skills.labels import VARIANTS
from skills.perception.estimator import NetworkEstimator
from skills.perception.modeling import SceneNet, SceneOutput
from skills.perception.train import SceneTrainer, _varied
from skills.policy.modeling import VLAOutput, scaled
from skills.policy.places import PITCH
from skills.policy.policy import VLAPolicy
from skills.train import PolicyTrainer, _goal_losses, vocabulary
from skills.training import TrainSpec

SPEC = TrainSpec(steps=4, batch=8, threads=1, validate_every=2, warmup=2)
HORIZON = 6


@pytest.fixture(scope="module")
def trainer(
    made_data: Path, tiny_scene: Path, tmp_path_factory: pytest.TempPathFactory
) -> PolicyTrainer:
    """Return a trainer on the made-up data that has not trained; do not train it."""
    return PolicyTrainer([made_data], tmp_path_factory.mktemp("run"), SPEC, tiny_scene)


@pytest.fixture
def batches(trainer: PolicyTrainer) -> Batches:
    """Return the made-up data as batches."""
    return trainer.batches


def everything(batches: Batches, *, varied: bool = False) -> Batch:
    """Return every frame as one batch."""
    return batches.gather(np.arange(len(batches.frames.state)), varied=varied)


def test_chunks_are_the_labelled_actions(batches: Batches) -> None:
    """Row k of a frame's chunk is what the teacher did k frames later, in that demonstration."""
    batch, (shard,) = everything(batches), batches.frames.shards
    demo = np.asarray(shard["demo"])
    variant = np.arange(len(demo)) % VARIANTS
    for k in range(HORIZON):
        later = np.arange(len(demo)) + k
        inside = later < len(demo)
        same = np.zeros(len(demo), bool)
        same[inside] = demo[later[inside]] == demo[inside]
        assert np.array_equal(batch.valid[:, k].numpy(), same)
        assert np.array_equal(
            batch.action[same, k].numpy(), batches.frames.labels.action[variant[same], later[same]]
        )
    assert np.array_equal(batch.state.numpy(), shard["state"])
    assert np.array_equal(batch.success.numpy(), shard["success"])


def test_validation_is_held_out(batches: Batches) -> None:
    """No scene is both trained on and validated on, and both have some."""
    frames = batches.frames
    demo = np.asarray(frames.shards[0]["demo"])
    assert len(np.unique(frames.shards[0]["mount"], axis=0)) == len(set(demo))
    training, held = set(demo[frames.training]), set(demo[frames.validation])
    assert training
    assert held
    assert not training & held
    assert frames.weight.sum() == pytest.approx(1)
    switch = np.flatnonzero(np.abs(np.diff(frames.labels.action[0, :, 6])) > 0.5)
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


def test_a_camera_that_stands_elsewhere_moves_every_look_alike(
    trainer: PolicyTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a thing did since the beginning stays the same, and so does all that is no position."""
    heard: list[tuple[Any, ...]] = []
    monkeypatch.setattr(trainer.run.model, "decide", lambda *parts: heard.append(parts))
    monkeypatch.setattr("skills.train._OWN_NOISE", 0.0)
    batch = trainer.batches.gather(np.arange(5, 50, 3), varied=False)
    trainer._predict(trainer.run.model, batch, noisy=True)
    ((seen, memory, _, _, taught),) = heard
    began, kept = memory.began, batch.memory.began
    moved = seen[..., :3] - batch.seen[..., :3]
    assert torch.allclose(moved, began[..., :3] - kept[..., :3], atol=1e-5)
    assert torch.allclose(moved, moved[:, :1].expand_as(moved), atol=1e-5)
    assert (moved[:, 0].norm(dim=-1) > 0.001).all()
    assert torch.equal(seen[..., 3:], batch.seen[..., 3:])
    assert torch.equal(began[..., 3:], kept[..., 3:])
    assert torch.equal(memory.goal, batch.memory.goal)
    assert taught is batch.goal


def _answer(places: Tensor, odds: Tensor, guess: Tensor) -> VLAOutput:
    """Return an output of which only the places count."""
    none = torch.zeros(0)
    return VLAOutput(
        motion=none,
        gripper=none,
        thing=none,
        guess=guess,
        places=places,
        odds=odds,
        goal=none,
        progress=none,
        success=none,
    )


def test_the_places_about_the_true_one_gain() -> None:
    """The nearer the more; the guess is drawn there; unknown goals and far ones teach nothing."""
    goal = torch.tensor([[0.50, 0.01, 0.02], [math.nan] * 3, [0.9, 0.9, 0.02]])
    row = torch.arange(-2, 3) * PITCH
    places = torch.stack([0.50 + row, torch.zeros(5)], dim=-1).expand(3, 5, 2)
    odds = torch.zeros(3, 5, requires_grad=True)
    guess = torch.zeros(3, 3, requires_grad=True)
    output = _answer(places, odds, guess)
    far, unlikely = _goal_losses(output, goal, [])
    (far + unlikely).backward()
    assert odds.grad is not None
    assert guess.grad is not None
    gain = -odds.grad[0]
    assert gain[2] > 0 > max(gain[0], gain[4])
    assert gain[1] == pytest.approx(gain[3].item(), abs=1e-6)
    assert gain[2] > gain[1] > gain[0]
    assert not odds.grad[1:].any()
    assert guess.grad[0].any()
    assert not guess.grad[1].any()
    assert far.item() == pytest.approx(scaled(goal[[0, 2]]).abs().mean().item())


@pytest.mark.parametrize("side", [-1, 1])
def test_a_place_without_room_is_worth_nothing(side: int) -> None:
    """Also where it is the nearest to what was said; one with room is worth more the nearer."""
    zone = ZONES["centre zone"]
    x, y = zone.centre
    places = torch.tensor([[[x, y + 0.07 * side], [x, y - 0.03 * side], [x, y - 0.06 * side]]])
    block = SceneObject("red block", BLOCK, np.array([x, y + 0.09 * side, 0.02]))
    near = np.array([x, y + 0.06 * side])
    odds = torch.zeros(1, 3, requires_grad=True)
    output = _answer(places, odds, torch.zeros(1, 3))
    goal = torch.tensor([[x, y - 0.02 * side, 0.0]])
    _, unlikely = _goal_losses(output, goal, [Room(0, zone, [block], near)])
    unlikely.backward()
    assert odds.grad is not None
    gain = -odds.grad[0]
    assert gain[1] > 0 > gain[0]
    assert gain[1] > gain[2] > gain[0]


def test_where_no_place_has_room_nothing_is_learned() -> None:
    zone = ZONES["centre zone"]
    odds = torch.zeros(1, 2, requires_grad=True)
    output = _answer(torch.tensor([[[0.1, 0.1], [0.2, 0.1]]]), odds, torch.zeros(1, 3))
    far, unlikely = _goal_losses(
        output, torch.tensor([[0.1, 0.1, 0.0]]), [Room(0, zone, [], np.array([0.1, 0.1]))]
    )
    (far + unlikely).backward()
    assert odds.grad is None or not odds.grad.any()
    assert math.isfinite(unlikely.item())


def test_rooms_are_of_what_goes_to_a_zone(batches: Batches) -> None:
    batch = everything(batches)
    frames = batches.frames
    zones = {room.sample for room in batch.rooms}
    names = [TARGET_NAMES[target] if target >= 0 else "" for target in frames.call[:, 2]]
    assert zones == {row for row, name in enumerate(names) if name in ZONES}
    assert zones
    for room in batch.rooms:
        assert room.zone == ZONES[names[room.sample]]
        assert np.allclose(room.near, batch.memory.goal[room.sample, :2].numpy())
        handled = OBJECT_NAMES[frames.call[room.sample, 1]]
        assert handled not in {thing.name for thing in room.about}
        assert all(thing.support == TABLE for thing in room.about)


def logged_steps(out: Path) -> list[int]:
    """Return the steps in a run's log, all of whose figures must be finite."""
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(math.isfinite(value) for row in rows for value in row.values())
    return [row["step"] for row in rows]


def test_a_policy_run_resumes_and_exports(
    made_data: Path, tiny_scene: Path, tmp_path: Path
) -> None:
    """Two steps, then two more from where it was; the export loads and says what made it."""
    out = tmp_path / "run"
    first = PolicyTrainer([made_data], out, replace(SPEC, steps=2), tiny_scene)
    loss = first._next_loss()
    assert math.isfinite(loss.item())
    first.train()
    assert first.run.step == 2
    assert logged_steps(out) == [2]
    second = PolicyTrainer([made_data], out, SPEC, tiny_scene)
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
    assert record["data_hash"] == data_hash([made_data])
    assert record["step"] in (2, 4)
    assert record["spec"]["batch"] == SPEC.batch
    third = PolicyTrainer([made_data], out, SPEC, tiny_scene)
    third.train()
    assert logged_steps(out) == [2, 4]


def test_the_eyes_are_left_as_they_were(made_data: Path, tiny_scene: Path, tmp_path: Path) -> None:
    """Training moves every other part; how it sees is the scene network's, bit for bit."""
    trainer = PolicyTrainer([made_data], tmp_path, SPEC, tiny_scene)
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
    trainer: PolicyTrainer, made_data: Path, tmp_path: Path
) -> None:
    """A missing folder and another kind of network are named; nothing is trained."""
    with pytest.raises(CheckpointError, match="no checkpoint"):
        PolicyTrainer([made_data], tmp_path / "run", SPEC, tmp_path / "nowhere")
    trainer.run.average.save_pretrained(tmp_path / "policy")
    with pytest.raises(CheckpointError, match=r"'bosun_vla'.*'bosun_scene'"):
        PolicyTrainer([made_data], tmp_path / "run", SPEC, tmp_path / "policy")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("copies", [1, 2])
def test_a_scene_run_exports(made_data: Path, tmp_path: Path, copies: int) -> None:
    """It trains on the same frames, be they one shard only, and its export loads."""
    trainer = SceneTrainer([made_data] * copies, tmp_path, replace(SPEC, batch=16))
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


@pytest.fixture(scope="module")
def seer(made_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SceneTrainer:
    """Return a scene trainer that has not trained; do not train it."""
    return SceneTrainer([made_data], tmp_path_factory.mktemp("run"), SPEC)


def test_only_what_has_a_part_is_asked_for_it(seer: SceneTrainer) -> None:
    """No lesson is drawn from blocks, or from a drawer or button that is not there."""
    batch = seer._gather(np.arange(0, len(seer.shard_of), 7), augment=False)
    batch["present"][0] = False
    part = torch.zeros(batch["part"].shape, requires_grad=True)
    seer._part_loss(part, batch).backward()
    assert part.grad is not None
    names = torch.tensor([name in ("drawer", "button") for name in OBJECT_NAMES])
    assert torch.equal(part.grad != 0, batch["present"] & names)
    batch["present"][:] = False
    assert seer._part_loss(part, batch) == 0


@pytest.mark.parametrize(("opening", "end"), [(-0.013, -40.0), (DRAWER_TRAVEL + 0.01, 40.0)])
def test_a_drawer_that_gives_at_its_end_is_no_further(
    seer: SceneTrainer, opening: float, end: float
) -> None:
    """The loss of what is surely shut, or surely out, is the least there is; it does not go on."""
    index = OBJECT_NAMES.index("drawer")
    batch = seer._gather(np.arange(1), augment=False)
    batch["present"][:] = False
    batch["present"][:, index] = True
    batch["part"][:, index] = opening
    sure, surer = (
        float(seer._part_loss(torch.full((1, len(OBJECT_NAMES)), logit), batch))
        for logit in (end, 10 * end)
    )
    assert 0 <= surer <= sure < 1e-6


def test_a_part_is_told_as_a_share_of_its_way(seer: SceneTrainer) -> None:
    """The loss is least at the truth: half open is a half, whatever that is in metres."""
    index = OBJECT_NAMES.index("drawer")
    batch = seer._gather(np.arange(1), augment=False)
    batch["present"][:] = False
    batch["present"][:, index] = True
    for opening in (0.0, 0.5, 0.9, 1.0):
        batch["part"][:, index] = opening * DRAWER_TRAVEL
        shares = torch.linspace(0.001, 0.999, 41)
        losses = [
            float(seer._part_loss(torch.full((1, len(OBJECT_NAMES)), float(logit)), batch))
            for logit in shares.logit()
        ]
        assert shares[int(np.argmin(losses))] == pytest.approx(opening, abs=0.03)


def test_parts_count_in_the_score(seer: SceneTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is wrong about parts alone is not taken for a better one."""
    with torch.no_grad():
        figures = seer._validate()
    assert 0 < figures["part_wrong"] < 1
    predict = seer._predict

    def wrong(model: SceneNet, batch: dict[str, torch.Tensor]) -> SceneOutput:
        share = batch["part"] / seer.reach.clamp(min=1e-6)
        return replace(predict(model, batch), part=torch.where(share > 0.5, -20.0, 20.0))

    monkeypatch.setattr(seer, "_predict", wrong)
    with torch.no_grad():
        worse = seer._validate()
    assert worse["part_wrong"] > 0.5
    assert worse["score"] - figures["score"] == pytest.approx(
        worse["part_wrong"] - figures["part_wrong"], abs=1e-5
    )


def test_without_a_part_in_sight_there_is_a_score(
    seer: SceneTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score that is no number would never be better than another, and nothing be kept."""
    monkeypatch.setattr(seer, "reach", torch.zeros_like(seer.reach))
    with torch.no_grad():
        figures = seer._validate()
    assert figures["part_wrong"] == 0
    assert math.isfinite(figures["score"])
