"""A small vision-language-action network: FiLM camera towers, spatial softmax, chunked L1 heads.

FiLM is from Perez et al. 2018 (arXiv 1709.07871), the spatial softmax from Levine et al. 2016
(arXiv 1504.00702), action chunks from Zhao et al. 2023 (arXiv 2304.13705). Pooling globally would
lose where things are, which is what the arm needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from skills.policy.configuration import VLAConfig
from skills.policy.language import MAX_WORDS, PAD

MOTION_DIM = 6
AIM_CENTRE = (0.5, 0.0, 0.05)
"""(3,) m, base frame."""
AIM_SCALE = 0.1
"""m."""


@dataclass
class VLAOutput:
    """What the network says of a batch of b observations.

    Attributes:
        motion: (heads, b, horizon, 6) in units of `action_scale`.
        gripper: (heads, b, horizon) logit of "open".
        aim: (b, 2, 3) where block and target are, from `AIM_CENTRE` in units of `AIM_SCALE`.
        progress: (b,) logit.
        success: (b,) logit.
    """

    motion: Tensor
    gripper: Tensor
    aim: Tensor
    progress: Tensor
    success: Tensor


class PhraseEncoder(nn.Module):
    """One transformer layer over word embeddings, averaged over the words."""

    def __init__(self, words: int, dim: int) -> None:
        """Make tables for `words` words and `MAX_WORDS` places."""
        super().__init__()
        self.embedding = nn.Embedding(words + 2, dim, padding_idx=PAD)
        self.place = nn.Parameter(torch.randn(MAX_WORDS, dim) * 0.1)
        self.layer = nn.TransformerEncoderLayer(
            dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, MAX_WORDS) word numbers -> (b, dim)."""
        padding = tokens == PAD
        hidden = self.layer(self.embedding(tokens) + self.place, src_key_padding_mask=padding)
        keep = (~padding).unsqueeze(-1).to(hidden.dtype)
        pooled: Tensor = (hidden * keep).sum(1) / keep.sum(1).clamp(min=1)
        return pooled


class FiLMBlock(nn.Module):
    """A convolution whose channels the phrase scales and shifts."""

    def __init__(
        self, inputs: int, outputs: int, condition: int, stride: int = 1, *, norm: bool = False
    ) -> None:
        """Add the input to the output where their shapes agree.

        Normalising the large maps took a quarter of the training time on a CPU; doing so on the
        small ones is enough.
        """
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm = nn.GroupNorm(8, outputs) if norm else nn.Identity()
        self.film = nn.Linear(condition, 2 * outputs)
        self.residual = inputs == outputs and stride == 1

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """(b, inputs, h, w) and (b, condition) -> (b, outputs, h / stride, w / stride)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        out = F.relu(self.norm(self.convolution(maps)) * (1 + scale) + shift)
        return maps + out if self.residual else out


class SpatialSoftmax(nn.Module):
    """Turns maps into keypoints and the features found there."""

    def __init__(self, channels: int, keypoints: int) -> None:
        """Make `keypoints` attention maps from `channels` feature maps."""
        super().__init__()
        self.attention = nn.Conv2d(channels, keypoints, 1)
        self.reduce = nn.Conv2d(channels, 8, 1)
        self.size = keypoints * (2 + 8)

    def forward(self, maps: Tensor) -> Tensor:
        """(b, channels, h, w) -> (b, size): x and y in -1..1 and 8 features per keypoint."""
        b, _, h, w = maps.shape
        # Positions need float32: bfloat16 has steps of 0.4 % of the image near its edge.
        weight = self.attention(maps).flatten(2).float().softmax(-1)
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, h, device=maps.device),
            torch.linspace(-1, 1, w, device=maps.device),
            indexing="ij",
        )
        with torch.autocast(maps.device.type, enabled=False):
            points = weight @ torch.stack([x.flatten(), y.flatten()], dim=-1)
            found = weight @ self.reduce(maps.float()).flatten(2).transpose(1, 2)
        return torch.cat([points, found], dim=-1).reshape(b, self.size)


class CameraTower(nn.Module):
    """Fine keypoints at a quarter of the resolution, coarse ones at an eighth."""

    def __init__(self, config: VLAConfig) -> None:
        """Build one tower; cameras do not share weights."""
        super().__init__()
        width, condition = config.width, config.language_dim
        self.stem = nn.Conv2d(3, 32, 5, 2, 2)
        self.down = FiLMBlock(32, width, condition, stride=2)
        self.fine = FiLMBlock(width, width, condition)
        self.finer = FiLMBlock(width, width, condition)
        self.coarse = FiLMBlock(width, 64, condition, stride=2, norm=True)
        self.coarser = FiLMBlock(64, 64, condition, norm=True)
        self.fine_points = SpatialSoftmax(width, config.keypoints)
        self.coarse_points = SpatialSoftmax(64, config.keypoints)
        self.size = self.fine_points.size + self.coarse_points.size

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """(b, 3, h, w) in -1..1 and (b, condition) -> (b, size)."""
        fine = self.down(F.relu(self.stem(image)), condition)
        fine = self.finer(self.fine(fine, condition), condition)
        coarse = self.coarser(self.coarse(fine, condition), condition)
        return torch.cat([self.fine_points(fine), self.coarse_points(coarse)], dim=-1)


class VLA(PreTrainedModel):
    """Images, proprioception and a phrase in; action chunks, progress and success out."""

    config_class = VLAConfig
    config: VLAConfig

    def __init__(self, config: VLAConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        self.phrase = PhraseEncoder(len(config.vocabulary), config.language_dim)
        towers = {name: CameraTower(config) for name in config.cameras}
        self.towers = nn.ModuleDict(towers)
        self.state = nn.Sequential(nn.Linear(config.state_dim, 64), nn.ReLU(), nn.Linear(64, 64))
        seen = sum(tower.size for tower in towers.values()) + config.language_dim
        # Actions saturate far from the block, so they teach seeing slowly. This head is taught
        # where the named things are, by the world's labels, and the trunk reads its answer.
        self.aim = nn.Sequential(nn.Linear(seen, 192), nn.ReLU(), nn.Linear(192, 6))
        self.trunk = nn.Sequential(
            nn.Linear(seen + 6 + 64, config.hidden),
            nn.LayerNorm(config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
        )
        outputs = config.horizon * (MOTION_DIM + 1)
        self.action = nn.ModuleList(
            nn.Sequential(nn.Linear(config.hidden, 192), nn.ReLU(), nn.Linear(192, outputs))
            for _ in range(config.heads)
        )
        self.judge = nn.Sequential(nn.Linear(config.hidden, 96), nn.ReLU(), nn.Linear(96, 2))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keep the scale of activations through unnormalised convolutions (He et al. 2015)."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def embed(self, tokens: Tensor) -> Tensor:
        """(b, MAX_WORDS) word numbers -> (b, language_dim); constant during a subgoal."""
        embedded: Tensor = self.phrase(tokens)
        return embedded

    def forward(self, images: dict[str, Tensor], state: Tensor, phrase: Tensor) -> VLAOutput:
        """Predict from one batch.

        Args:
            images: Camera name -> (b, 3, h, w) in -1..1.
            state: (b, state_dim), already normalised.
            phrase: (b, language_dim) from `embed`.
        """
        towers = [tower(images[name], phrase) for name, tower in self.towers.items()]
        seen = torch.cat([*towers, phrase], dim=-1)
        aim = self.aim(seen)
        hidden = self.trunk(torch.cat([seen, aim, self.state(state)], dim=-1))
        chunks = torch.stack([head(hidden) for head in self.action])
        chunks = chunks.unflatten(-1, (self.config.horizon, MOTION_DIM + 1))
        progress, success = self.judge(hidden).unbind(-1)
        return VLAOutput(
            motion=chunks[..., :MOTION_DIM],
            gripper=chunks[..., MOTION_DIM],
            aim=aim.unflatten(-1, (2, 3)),
            progress=progress,
            success=success,
        )
