"""Tiny public models with random weights, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.tiny_pi0 import make_pi0


@pytest.fixture(scope="session")
def pi0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a PI0 whose processor knows no statistics."""
    return make_pi0(tmp_path_factory.mktemp("pi0"))


@pytest.fixture(scope="session")
def pi0_with_statistics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a PI0 whose processor knows mean and deviation."""
    return make_pi0(tmp_path_factory.mktemp("pi0-statistics"), statistics=True)
