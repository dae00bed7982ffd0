"""Where things should appear in the images: labels for teaching the trunks where to look.

The cameras' nominal mounts are used; the few pixels by which a seed shifts them are noise here.
"""

from __future__ import annotations

import mujoco
import numpy as np
import torch
from torch import Tensor

from agent.robots.tabletop.model import CAMERA_EYE, CAMERA_FOVY, CAMERA_TARGET
from agent.robots.tabletop.panda import (
    TOOL_IN_HAND,
    WRIST_EYE,
    WRIST_FOVY,
    WRIST_TARGET,
    WRIST_UP,
    look_at,
)
from agent.robots.tabletop.world import CAMERAS

_NEAR_M = 0.03


def projections(position: Tensor, state: Tensor) -> dict[str, Tensor]:
    """Return camera -> (b, n, 3): x right and y down in -1..1 of the image, and 1 where visible.

    Args:
        position: (b, n, 3) m, base frame.
        state: (b, state_dim) whose first seven are the tool pose, m and wxyz.
    """
    tool, rotation = state[:, None, :3], _rotation(state[:, 3:7])
    in_hand = (position - tool) @ rotation + torch.tensor(TOOL_IN_HAND, dtype=torch.float32)
    front = _project("front", position, CAMERA_EYE, CAMERA_TARGET, (0.0, 0.0, 1.0), CAMERA_FOVY)
    wrist = _project("wrist", in_hand, WRIST_EYE, WRIST_TARGET, WRIST_UP, WRIST_FOVY)
    return {"front": front, "wrist": wrist}


def _project(
    camera: str,
    position: Tensor,
    eye: np.ndarray,
    target: np.ndarray,
    up: tuple[float, float, float],
    fovy: float,
) -> Tensor:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, look_at(eye, target, up))
    turned = torch.tensor(matrix.reshape(3, 3), dtype=torch.float32)
    seen = (position - torch.tensor(eye, dtype=torch.float32)) @ turned
    depth = -seen[..., 2]
    height, width = CAMERAS[camera]
    reach = depth.clamp(min=_NEAR_M) * float(np.tan(np.radians(fovy) / 2))
    x, y = seen[..., 0] / (reach * width / height), -seen[..., 1] / reach
    visible = (depth > _NEAR_M) & (x.abs() < 1) & (y.abs() < 1)
    return torch.stack([x, y, visible.float()], dim=-1)


def _rotation(quat: Tensor) -> Tensor:
    """(b, 4) wxyz -> (b, 3, 3)."""
    w, x, y, z = quat.unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    matrix: Tensor = torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
    return matrix
