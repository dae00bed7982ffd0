"""A small network that tells from the cameras what is on the table, where, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from skills.vision import SLOT_POINT, Slots, SlotTrunk, keep_scale

STILL = 4
"""Numbers of a thing that stay as they are while nothing touches it: position, and its part's."""


class SceneConfig(PretrainedConfig):
    """Names and shapes of the scene network.

    Args:
        objects: The objects it knows.
        landmarks: What else it looks for: things in fixed places, which tell where its cameras are.
        places: (landmarks, 3) where those are, m.
        supports: What may carry an object.
        parts: Object -> how far its part that moves can go: a drawer's in m, 1 for a lamp.
        position_mean: (3,) m.
        position_std: (3,) m.
        state_dim: Numbers of proprioception: tool pose, gripper, joints.
        width: Channels of the trunks.
        cameras: Camera names, in the order of its trunks.
    """

    model_type = "bosun_scene"

    def __init__(
        self,
        objects: list[str] | None = None,
        landmarks: list[str] | None = None,
        places: list[list[float]] | None = None,
        supports: list[str] | None = None,
        parts: dict[str, float] | None = None,
        position_mean: list[float] | None = None,
        position_std: list[float] | None = None,
        state_dim: int = 15,
        width: int = 48,
        cameras: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the values."""
        self.objects = objects or []
        self.landmarks = landmarks or []
        self.places = places or []
        self.supports = supports or []
        self.parts = parts or {}
        self.position_mean = position_mean or [0.5, 0.0, 0.05]
        self.position_std = position_std or [0.12, 0.17, 0.06]
        self.state_dim = state_dim
        self.width = width
        self.cameras = cameras or ["front", "wrist"]
        super().__init__(**kwargs)

    @property
    def token_dim(self) -> int:
        """Numbers that say what is known of a thing, see `SceneNet.tokens`."""
        return STILL + 1 + len(self.supports) + len(self.cameras) * SLOT_POINT


@dataclass
class SceneOutput:
    """What the network says of a batch of b observations and n objects.

    Attributes:
        slots: Camera name -> where each object is seen, then each landmark.
        present: (b, n) logit.
        position: (b, n, 3) in units of `position_std` from `position_mean`.
        part: (b, n) logit of how far its part has gone, as a share of the way; of a lamp, lit.
        support: (b, n, supports) logits.
    """

    slots: dict[str, Slots]
    present: Tensor
    position: Tensor
    part: Tensor
    support: Tensor


class SceneNet(PreTrainedModel):
    """Two images and proprioception in; presence, place, part and support of each object out."""

    config_class = SceneConfig
    config: SceneConfig

    def __init__(self, config: SceneConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        n, width = len(config.objects), config.width
        things, cameras = n + len(config.landmarks), len(config.cameras)
        self.trunks = nn.ModuleDict({name: SlotTrunk(things, width) for name in config.cameras})
        self.identity = nn.Parameter(torch.randn(n, 32) * 0.3)
        size = cameras * (SLOT_POINT * (1 + things) + width) + config.state_dim + 32
        self.reader = nn.Sequential(
            nn.Linear(size, 256),
            nn.ReLU(),
            nn.Linear(256, 192),
            nn.ReLU(),
            nn.Linear(192, 128),
            nn.ReLU(),
        )
        self.heads = nn.Linear(128, 1 + STILL + len(config.supports))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        keep_scale(module)

    def forward(self, images: dict[str, Tensor], state: Tensor) -> SceneOutput:
        """Predict from one batch.

        Args:
            images: Camera name -> (b, 3, h, w) in -1..1.
            state: (b, state_dim), raw.
        """
        slots = {name: trunk(images[name]) for name, trunk in self.trunks.items()}
        b, n = len(state), len(self.config.objects)
        # Each object is read in the light of where all else is: a bowl says what is in it, and
        # landmarks say where the cameras are.
        own = [torch.cat([s.points[:, :n], s.found[:, :n]], dim=-1) for s in slots.values()]
        others = [s.points.flatten(1)[:, None].expand(-1, n, -1) for s in slots.values()]
        shared = state[:, None].expand(-1, n, -1)
        read = self.reader(
            torch.cat([*own, *others, shared, self.identity.expand(b, -1, -1)], dim=-1)
        )
        sizes = [1, 3, 1, len(self.config.supports)]
        present, position, part, support = self.heads(read).float().split(sizes, dim=-1)
        return SceneOutput(slots, present.squeeze(-1), position, part.squeeze(-1), support)

    def tokens(self, images: dict[str, Tensor], state: Tensor) -> Tensor:
        """Return what is known of every object, then of every landmark, for a policy to read.

        The features that a camera shows of a thing are left out: a policy knows every scene it was
        trained in again by them, and takes what it did there for what is to be done.

        Returns:
            (b, things, token_dim): position as in `forward`, the share its part has gone,
            presence 0..1, supports 0..1, and the point where each camera sees it. The first
            `STILL` numbers change only when the thing does.
        """
        output = self.forward(images, state)
        known = [
            output.position,
            output.part.sigmoid()[..., None] * self._has_part(output.part)[:, None],
            output.present.sigmoid()[..., None],
            output.support.softmax(-1),
        ]
        fixed = self._fixed(len(state), output)
        points = [s.points for s in output.slots.values()]
        told = torch.cat([torch.cat(known, dim=-1), fixed], dim=1)
        return torch.cat([told, *points], dim=-1)

    def metres(self, position: Tensor) -> Tensor:
        """Return (..., 3) positions of the network's own units in m."""
        config = self.config
        std, mean = (position.new_tensor(v) for v in (config.position_std, config.position_mean))
        return position * std + mean

    def _fixed(self, batch: int, output: SceneOutput) -> Tensor:
        """Return what is always known of the landmarks, in the form of what is read of objects."""
        config, like = self.config, output.position
        mean, std = like.new_tensor(config.position_mean), like.new_tensor(config.position_std)
        places = (like.new_tensor(config.places).reshape(-1, 3) - mean) / std
        part, present = like.new_zeros(len(places), 1), like.new_ones(len(places), 1)
        support = like.new_zeros(len(places), len(config.supports))
        return torch.cat([places, part, present, support], dim=-1).expand(batch, -1, -1)

    def _has_part(self, like: Tensor) -> Tensor:
        """Return (n,) 1 for every object with a part that moves, else 0."""
        return like.new_tensor([float(name in self.config.parts) for name in self.config.objects])
