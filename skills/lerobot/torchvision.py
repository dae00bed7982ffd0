"""Importing PyPI's torchvision beside a torch that is not built for CUDA."""

from __future__ import annotations

from typing import Any

import torch

_DECLARED: list[Any] = []
"""Keeps what is declared: operators are forgotten with their library."""


def import_torchvision() -> None:
    """Import what LeRobot turns images into tensors with.

    PyPI's torchvision is built for CUDA. Beside a torch without it its library does not load, and
    importing it fails for want of the two operators that it describes but that nothing here calls.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _DECLARED.append(library)
