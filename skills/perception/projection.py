"""Where things appear in the images: labels for teaching the trunks where to look."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from agent.robots.panda import (
    TOOL_IN_HAND,
    WRIST_EYE,
    WRIST_FOVY,
    WRIST_TARGET,
    WRIST_UP,
    look_at,
)
from agent.robots.tabletop.model import CAMERA_EYE, CAMERA_FOVY, CAMERA_TARGET
from agent.robots.tabletop.world import CAMERAS

_NEAR_M = 0.03


def projections(position: Tensor, state: Tensor, mount: Tensor) -> dict[str, Tensor]:
    """Return camera -> (b, n, 3): x right and y down in -1..1 of the image, and 1 where visible.

    Args:
        position: (b, n, 3) m, base frame.
        state: (b, state_dim) whose first seven are the tool pose, m and wxyz.
        mount: (b, 9) how far the cameras are from where they belong; `TabletopWorld.mount`.
    """
    tool, rotation = state[:, None, :3], _rotation(state[:, 3:7])
    in_hand = (position - tool) @ rotation + torch.tensor(TOOL_IN_HAND, dtype=torch.float32)
    shift, turn, wrist_shift = mount.float().split(3, dim=-1)
    front = _facing(CAMERA_EYE, CAMERA_TARGET, (0.0, 0.0, 1.0))
    wrist = _facing(WRIST_EYE, WRIST_TARGET, WRIST_UP)
    return {
        "front": _project(
            "front", position, _at(CAMERA_EYE, shift), _turned(turn) @ front, CAMERA_FOVY
        ),
        "wrist": _project("wrist", in_hand, _at(WRIST_EYE, wrist_shift), wrist, WRIST_FOVY),
    }


def _facing(eye: np.ndarray, target: np.ndarray, up: tuple[float, float, float]) -> Tensor:
    """Return the (3, 3) rotation of a camera at `eye` that looks at `target`."""
    turn = Rotation.from_quat(look_at(eye, target, up), scalar_first=True)
    return torch.tensor(turn.as_matrix(), dtype=torch.float32)


def _at(eye: np.ndarray, shift: Tensor) -> Tensor:
    """Return (b, 1, 3) positions of a camera."""
    return (torch.tensor(eye, dtype=torch.float32) + shift)[:, None]


def _turned(turn: Tensor) -> Tensor:
    """(b, 3) rotation vectors -> (b, 3, 3)."""
    x, y, z = turn.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    matrix: Tensor = torch.linalg.matrix_exp(cross)
    return matrix


def _project(
    camera: str,
    position: Tensor,
    eye: Tensor,
    rotation: Tensor,
    fovy: float,
) -> Tensor:
    seen = (position - eye) @ rotation
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
