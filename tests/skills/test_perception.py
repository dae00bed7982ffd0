"""Scene estimation: a network of random weights already gives a well-formed scene."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.errors import CheckpointError
from agent.types import Observation
from agent.workspace import OBJECTS
from skills.dataset import SUPPORTS
from skills.perception.estimator import NetworkEstimator
from skills.perception.modeling import SceneNet
from skills.perception.train import tabletop_config
from skills.policy.policy import VLAPolicy


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
    """Kind, place, carrier and probabilities of all seven; another image, another scene."""
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
    other = estimator.estimate(observation(1))
    places = [
        np.stack([o.position for o in s.objects.values()])
        for s in (scene, other, estimator.estimate(observation()))
    ]
    assert not np.array_equal(places[0], places[1])
    assert np.array_equal(places[0], places[2])


def test_a_checkpoint_round_trips(model: SceneNet, tmp_path: Path) -> None:
    """Saved in half precision and loaded again, it believes the same to the bit."""
    copy.deepcopy(model).half().save_pretrained(tmp_path / "scene")
    loaded = NetworkEstimator.from_checkpoint(tmp_path / "scene").estimate(observation())
    kept = NetworkEstimator(model).estimate(observation())
    for name, thing in kept.objects.items():
        assert np.array_equal(loaded.objects[name].position, thing.position)
        assert loaded.objects[name].presence == thing.presence
        assert loaded.objects[name].support == thing.support


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
