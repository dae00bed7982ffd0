"""Interfaces of the tiny models, and what they are asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from agent.action_space import ActionSpace
from skills.interface.schema import (
    ActionOutput,
    CameraInput,
    Interface,
    Part,
    PromptInput,
    StateInput,
)
from tests.models.tiny_pi0 import CHUNK

PHRASE = "pick up the red block"


def pi0_interface(**changed: Any) -> Interface:
    """Return what the tiny PI0 expects of the tabletop robot."""
    known: dict[str, Any] = {
        "name": "tiny pi0",
        "cameras": {
            "images.base": CameraInput(camera="front"),
            "images.wrist": CameraInput(camera="wrist"),
        },
        "state": {"state": StateInput(parts=(Part.JOINTS, Part.GRIPPER), joints=7)},
        "actions": ActionOutput(
            space=ActionSpace.DELTA_EE, dim=7, horizon=CHUNK, execute=4, rate_hz=10
        ),
    }
    return Interface(**known | changed)


def pi0_inputs(seed: int = 0) -> dict[str, Any]:
    """Return what it is asked: two random pictures and a state."""
    rng = np.random.default_rng(seed)
    return {
        "images": {name: rng.integers(0, 256, (64, 64, 3), np.uint8) for name in ("base", "wrist")},
        "state": rng.normal(size=8),
        "prompt": PHRASE,
    }


def openvla_interface(**changed: Any) -> Interface:
    """Return what the tiny OpenVLA expects of the tabletop robot."""
    known: dict[str, Any] = {
        "name": "tiny openvla",
        "cameras": {"image": CameraInput(camera="front")},
        "prompt": PromptInput(key="instruction"),
        "constants": {"unnorm_key": "tabletop"},
        "actions": ActionOutput(space=ActionSpace.DELTA_EE, dim=7, horizon=1, rate_hz=10),
    }
    return Interface(**known | changed)
