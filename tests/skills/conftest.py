"""One small collection of demonstrations, made once for every test that learns from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from skills.collect import Collector, CollectSpec
from skills.dataset import ShardWriter

TINY_SEED = 500_003


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
