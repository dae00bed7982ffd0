"""Small demonstrations and a small scene network, made once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from skills.collect import Collector, CollectSpec
from skills.dataset import ShardWriter
from skills.perception.modeling import SceneNet
from skills.perception.train import tabletop_config
from tests.skills.samples import CALLS, write_demos

TINY_SEED = 500_013
"""Of a mission that begins with the scene as it is laid out, nothing put into or onto anything."""


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the demonstrations of one mission; do not write to it."""
    root = tmp_path_factory.mktemp("tiny")
    collector, writer = Collector(CollectSpec(missions=1, seed_base=TINY_SEED)), ShardWriter()
    try:
        collector.mission(TINY_SEED, writer)
    finally:
        collector.close()
    writer.save(root / f"shard-{TINY_SEED:07d}")
    return root


@pytest.fixture(scope="session")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with two made-up demonstrations of each of many calls, to train on."""
    root = tmp_path_factory.mktemp("made")
    write_demos(root / "shard-0000000", CALLS * 2)
    return root


@pytest.fixture(scope="session")
def tiny_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of a narrow scene network with random weights; do not write to it."""
    folder = tmp_path_factory.mktemp("scene") / "best"
    torch.manual_seed(0)
    SceneNet(tabletop_config(width=8)).half().save_pretrained(folder)
    return folder
