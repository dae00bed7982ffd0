"""A small network that tells from the cameras what is on the table, where, and on what.

Each object has its own attention map over the front image; its position and support are read from
where the map peaks and from the features found there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel


class SceneConfig(PretrainedConfig):
    """Names and shapes of the scene network.

    Args:
        objects: The objects it knows.
        supports: What may carry an object.
        position_mean: (3,) m.
        position_std: (3,) m.
        state_dim: Numbers of proprioception: tool pose, gripper, joints.
        width: Channels of the towers.
    """

    model_type = "bosun_scene"

    def __init__(
        self,
        objects: list[str] | None = None,
        supports: list[str] | None = None,
        position_mean: list[float] | None = None,
        position_std: list[float] | None = None,
        state_dim: int = 15,
        width: int = 48,
        **kwargs: Any,
    ) -> None:
        """Keep the values."""
        self.objects = objects or []
        self.supports = supports or []
        self.position_mean = position_mean or [0.5, 0.0, 0.05]
        self.position_std = position_std or [0.12, 0.17, 0.06]
        self.state_dim = state_dim
        self.width = width
        super().__init__(**kwargs)


@dataclass
class SceneOutput:
    """What the network says of a batch of b observations and n objects.

    Attributes:
        present: (b, n) logit.
        position: (b, n, 3) in units of `position_std` from `position_mean`.
        support: (b, n, supports) logits.
    """

    present: Tensor
    position: Tensor
    support: Tensor


def _block(inputs: int, outputs: int, stride: int = 1, *, norm: bool = True) -> nn.Sequential:
    """Return a convolution and its activation; normalising large maps is slow on a CPU."""
    between = nn.GroupNorm(8, outputs) if norm else nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), between, nn.ReLU())


class SceneNet(PreTrainedModel):
    """Front and wrist image and proprioception in; presence, position and support out."""

    config_class = SceneConfig
    config: SceneConfig

    def __init__(self, config: SceneConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        n, width = len(config.objects), config.width
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 5, 2, 2),
            nn.ReLU(),
            _block(32, width, 2, norm=False),
            _block(width, width, norm=False),
        )
        self.context = nn.Sequential(
            _block(width, 64, 2), _block(64, 64), _block(64, 64), nn.Conv2d(64, width, 1)
        )
        self.merge = _block(width, width, norm=False)
        self.attention = nn.Conv2d(width, n, 1)
        self.wrist = nn.Sequential(
            nn.Conv2d(3, 24, 5, 2, 2),
            nn.ReLU(),
            _block(24, 32, 2, norm=False),
            _block(32, 48, 2),
            _block(48, 48, 2),
            nn.Flatten(),
            nn.Linear(48 * 36, 96),
            nn.ReLU(),
        )
        self.identity = nn.Parameter(torch.randn(n, 32) * 0.3)
        size = 2 + 2 * width + 96 + config.state_dim + 32
        self.reader = nn.Sequential(nn.Linear(size, 192), nn.ReLU(), nn.Linear(192, 128), nn.ReLU())
        self.heads = nn.Linear(128, 1 + 3 + len(config.supports))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keep the scale of activations through unnormalised convolutions (He et al. 2015)."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, front: Tensor, wrist: Tensor, state: Tensor) -> SceneOutput:
        """Predict from one batch.

        Args:
            front: (b, 3, 120, 160) in -1..1.
            wrist: (b, 3, 96, 96) in -1..1.
            state: (b, state_dim), raw.
        """
        fine = self.stem(front)
        context = F.interpolate(self.context(fine), size=fine.shape[-2:], mode="nearest")
        maps = self.merge(fine + context)
        b, _, h, w = maps.shape
        weight = self.attention(maps).flatten(2).float().softmax(-1)
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, h, device=maps.device),
            torch.linspace(-1, 1, w, device=maps.device),
            indexing="ij",
        )
        with torch.autocast(maps.device.type, enabled=False):
            points = weight @ torch.stack([x.flatten(), y.flatten()], dim=-1)
            features = maps.float().flatten(2)
            found = weight @ features.transpose(1, 2)
            mean = features.mean(-1, keepdim=True).transpose(1, 2).expand(-1, points.shape[1], -1)
        n = points.shape[1]
        shared = torch.cat([self.wrist(wrist).float(), state], dim=-1)
        read = self.reader(
            torch.cat(
                [
                    points,
                    found,
                    mean,
                    shared[:, None].expand(-1, n, -1),
                    self.identity.expand(b, -1, -1),
                ],
                dim=-1,
            )
        )
        present, position, support = (
            self.heads(read).float().split([1, 3, len(self.config.supports)], dim=-1)
        )
        # The map's peak already tells most of the position: the reader adds to a linear reading.
        linear = torch.stack(
            [points[..., 1], -points[..., 0], torch.zeros_like(points[..., 0])], -1
        )
        return SceneOutput(present.squeeze(-1), position + 1.5 * linear, support)
