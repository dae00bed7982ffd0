"""A camera's image to one slot per known object: where it is seen, whether, and what is there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.types import Image

SLOT_POINT = 3
"""x, y and visibility."""


@dataclass
class Slots:
    """What one camera shows of n objects in a batch of b images.

    Attributes:
        logits: (b, n, h * w + 1) attention over the cells of the map, row by row; the last one
            stands for "not to be seen".
        points: (b, n, 3) x to the right and y down in -1..1 of the image, and visibility 0..1.
        found: (b, n, width) features where each object is seen.
    """

    logits: Tensor
    points: Tensor
    found: Tensor


class SlotTrunk(nn.Module):
    """Convolutions to a map at a quarter of the resolution, and attention over it per object."""

    def __init__(self, objects: int, width: int) -> None:
        """Build the trunk of one camera; cameras do not share weights."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 5, 2, 2),
            nn.ReLU(),
            block(32, width, 2, norm=False),
            block(width, width, norm=False),
        )
        self.context = nn.Sequential(
            block(width, 64, 2), block(64, 64), block(64, 64), nn.Conv2d(64, width, 1)
        )
        self.merge = block(width, width, norm=False)
        self.attention = nn.Conv2d(width, objects, 1)

    def forward(self, image: Tensor) -> Slots:
        """(b, 3, h, w) in -1..1 -> slots."""
        fine = self.stem(image)
        context = F.interpolate(self.context(fine), size=fine.shape[-2:], mode="nearest")
        maps = self.merge(fine + context)
        cells = cell_centres(*maps.shape[-2:]).to(maps.device)
        # Positions need float32: bfloat16 has steps of 0.4 % of the image near its edge.
        with torch.autocast(maps.device.type, enabled=False):
            seen = self.attention(maps.float()).flatten(2)
            logits = torch.cat([seen, seen.new_zeros(*seen.shape[:2], 1)], dim=-1)
            weight = logits.softmax(-1)
            visible = 1 - weight[..., -1:]
            share = weight[..., :-1] / visible.clamp(min=1e-4)
            points = torch.cat([share @ cells, visible], dim=-1)
            found = share @ maps.float().flatten(2).transpose(1, 2)
        return Slots(logits, points, found)


def as_input(image: Image) -> Tensor:
    """(h, w, 3) uint8 RGB -> (1, 3, h, w) float in -1..1."""
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1


def block(inputs: int, outputs: int, stride: int = 1, *, norm: bool = True) -> nn.Sequential:
    """Return a convolution and its activation; normalising large maps is slow on a CPU."""
    between = nn.GroupNorm(8, outputs) if norm else nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), between, nn.ReLU())


def keep_scale(module: nn.Module) -> None:
    """Keep the scale of activations through unnormalised convolutions (He et al. 2015)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def cell_centres(height: int, width: int) -> Tensor:
    """Return (height * width, 2) x and y of a map's cells in -1..1 of the image, row by row."""
    y, x = torch.meshgrid(
        (2 * torch.arange(height) + 1) / height - 1,
        (2 * torch.arange(width) + 1) / width - 1,
        indexing="ij",
    )
    return torch.stack([x.flatten(), y.flatten()], dim=-1)
