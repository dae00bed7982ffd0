"""What a mission was made with, as its episode holds it: versions, hashes and the action space."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

import agent
from agent.action_space import ActionSpace, ActionSpec
from agent.types import SkillContract

_PACKAGES = ("mujoco", "mink", "numpy", "torch", "transformers", "pydantic", "mcap")
"""Those on which it may depend what a mission comes to."""


def software() -> dict[str, Any]:
    """Return versions, and the kind of machine."""
    return {
        "bosun": agent.__version__,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def contracts_hash(contracts: Mapping[str, SkillContract]) -> str:
    """Return a short hash of what the skills promise."""
    text = "\n".join(contract.model_dump_json() for contract in contracts.values())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def action_space(spec: ActionSpec) -> dict[str, Any]:
    """Return an action space in JSON's own types."""
    return {
        "action_space": spec.space.value,
        "action": list(spec.names),
        "action_low": spec.low.tolist(),
        "action_high": spec.high.tolist(),
        "rate_hz": spec.rate_hz,
    }


def action_spec(metadata: Mapping[str, Any]) -> ActionSpec:
    """Return the action space that metadata hold; the inverse of `action_space`."""
    return ActionSpec(
        # Episodes of before there were others moved the tool.
        space=ActionSpace(metadata.get("action_space", ActionSpace.DELTA_EE)),
        names=tuple(metadata["action"]),
        low=np.array(metadata["action_low"]),
        high=np.array(metadata["action_high"]),
        rate_hz=float(metadata["rate_hz"]),
    )
