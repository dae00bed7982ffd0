"""Tiny public models with random weights, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.tiny_openvla import TINY_TOWERS, make_openvla
from tests.models.tiny_pi0 import make_pi0


@pytest.fixture(scope="session")
def pi0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a PI0 whose processor knows no statistics."""
    return make_pi0(tmp_path_factory.mktemp("pi0"))


@pytest.fixture(scope="session")
def pi0_with_statistics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a PI0 whose processor knows mean and deviation."""
    return make_pi0(tmp_path_factory.mktemp("pi0-statistics"), statistics=True)


@pytest.fixture(scope="session")
def openvla(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of an OpenVLA, whose tiny towers are known as long as it is."""
    from skills.models.openvla_network import TOWERS

    with pytest.MonkeyPatch.context() as patch:
        for name, size in TINY_TOWERS.items():
            patch.setitem(TOWERS, name, size)
        yield make_openvla(tmp_path_factory.mktemp("openvla"))
