"""Scene estimation: a network of random weights already gives a well-formed scene."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.errors import CheckpointError
from agent.facts import CERTAIN, seen_to_hold
from agent.types import Fact, Observation, Scene
from agent.workspace import DRAWER_TRAVEL, FIXTURES, OBJECTS, ZONES
from skills.dataset import SUPPORTS, state_of
from skills.perception.estimator import NetworkEstimator
from skills.perception.modeling import STILL, SceneNet
from skills.perception.train import tabletop_config
from skills.policy.policy import VLAPolicy
from skills.vision import as_input

PART = 4
"""Row of the network's last layer: how far a thing's part has gone."""


@pytest.fixture(scope="module")
def model() -> SceneNet:
    """Return a network with random weights that half precision holds exactly."""
    torch.manual_seed(0)
    made = SceneNet(tabletop_config())
    made.half().float()
    return made


def observation(seed: int = 0) -> Observation:
    """Return noise of the right shapes."""
    rng = np.random.default_rng(seed)
    return Observation(
        time_s=3.5,
        images={
            name: rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            for name, size in (("front", (120, 160)), ("wrist", (96, 96)))
        },
        joint_pos=rng.uniform(-1, 1, 7),
        ee_pose=np.array([0.4, 0, 0.3, 0, 1.0, 0, 0]),
        gripper=1.0,
    )


def test_every_known_object_is_estimated(model: SceneNet) -> None:
    """Kind, place, carrier and probabilities of all ten; another image, another scene."""
    estimator = NetworkEstimator(model)
    scene = estimator.estimate(observation())
    assert scene.time_s == 3.5
    assert {name: o.kind for name, o in scene.objects.items()} == OBJECTS
    for name, thing in scene.objects.items():
        assert thing.name == name
        assert thing.position.shape == (3,)
        assert thing.position.dtype == np.float64
        assert np.isfinite(thing.position).all()
        assert 0 < thing.presence < 1
        assert thing.support in SUPPORTS
        assert 1 / len(SUPPORTS) <= thing.support_confidence <= 1
        assert (thing.articulation is None) == (thing.kind not in FIXTURES)
    other = estimator.estimate(observation(1))
    places = [
        np.stack([o.position for o in s.objects.values()])
        for s in (scene, other, estimator.estimate(observation()))
    ]
    assert not np.array_equal(places[0], places[1])
    assert np.array_equal(places[0], places[2])


@pytest.mark.parametrize("logit", [-9.0, -0.5, 0.0, 0.8, 9.0])
def test_parts_are_in_plain_units(model: SceneNet, logit: float) -> None:
    """A drawer's opening in m, as sure as it is measured; a lamp's probability, and how sure."""
    told = copy.deepcopy(model)
    with torch.no_grad():
        told.heads.weight[PART], told.heads.bias[PART] = 0.0, logit
    share = float(1 / (1 + np.exp(-logit)))
    scene = NetworkEstimator(told).estimate(observation())
    drawer, button = scene.objects["drawer"], scene.objects["button"]
    assert drawer.articulation == pytest.approx(DRAWER_TRAVEL * share)
    assert drawer.articulation_confidence == 1.0
    assert button.articulation == pytest.approx(share)
    assert button.articulation_confidence == pytest.approx(max(share, 1 - share))
    sure = replace(button, presence=1.0)
    lit = Fact.parse("lit(button)")
    seen = seen_to_hold(lit, Scene(0.0, {"button": sure}), CERTAIN)
    assert seen is (share > CERTAIN)


def test_tokens_hold_what_stays_still(model: SceneNet) -> None:
    """Position and part come first; only drawer and button have a part, zones stay in place."""
    seen, config = observation(), model.config
    images = {name: as_input(seen.images[name]) for name in config.cameras}
    state = torch.from_numpy(state_of(seen))[None]
    with torch.inference_mode():
        tokens, output = model.tokens(images, state)[0], model(images, state)
    n = len(config.objects)
    assert tokens.shape == (n + len(config.landmarks), config.token_dim)
    assert torch.equal(tokens[:n, :3], output.position[0])
    part = dict(zip(config.objects, tokens[:n, STILL - 1].tolist(), strict=True))
    wanted = dict(zip(config.objects, output.part[0].sigmoid().tolist(), strict=True))
    assert part == {n: wanted[n] if OBJECTS[n] in FIXTURES else 0.0 for n in config.objects}
    places = model.metres(tokens[n:, :3]).numpy()
    centres = [[*zone.centre, 0.0] for zone in ZONES.values()]
    assert places == pytest.approx(np.array(centres), abs=1e-6)
    assert not tokens[n:, STILL - 1].any()


def test_a_checkpoint_round_trips(model: SceneNet, tmp_path: Path) -> None:
    """Saved in half precision and loaded again, it believes the same to the bit."""
    copy.deepcopy(model).half().save_pretrained(tmp_path / "scene")
    loaded = NetworkEstimator.from_checkpoint(tmp_path / "scene").estimate(observation())
    kept = NetworkEstimator(model).estimate(observation())
    for name, thing in kept.objects.items():
        assert np.array_equal(loaded.objects[name].position, thing.position)
        assert loaded.objects[name].presence == thing.presence
        assert loaded.objects[name].support == thing.support
        assert loaded.objects[name].articulation == thing.articulation


def test_foreign_and_damaged_checkpoints_are_refused(model: SceneNet, tmp_path: Path) -> None:
    """A scene network is no policy, and one with a word more is another network."""
    folder = tmp_path / "scene"
    copy.deepcopy(model).half().save_pretrained(folder)
    with pytest.raises(CheckpointError, match=r"'bosun_scene'.*'bosun_vla'"):
        VLAPolicy.from_checkpoint(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "objects": ["red block"]}))
    with pytest.raises(CheckpointError, match="does not fit"):
        NetworkEstimator.from_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="missing"):
        NetworkEstimator.from_checkpoint(folder)
