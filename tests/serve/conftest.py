"""Bosun's own policy in a process of its own, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.resources import resource
from agent.skilled import POLICY_CHECKPOINT
from skills.policy.policy import VLAPolicy
from tests.serve.processes import Served, serving


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """Return a server of the shipped policy, for tests that leave it as it is."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def policy() -> VLAPolicy:
    """Return the same policy in this process; reset it first."""
    return VLAPolicy.from_checkpoint(resource(POLICY_CHECKPOINT))
