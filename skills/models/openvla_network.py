"""OpenVLA's network (Kim et al. 2024, arXiv 2406.09246), which transformers has no class for.

A DINOv2 and a SigLIP tower look at the picture; their features, side by side, are projected into a
Llama's vocabulary of vectors, which then says one token for each number of the action. Modules have
the names of the published weights. Those of the towers are timm's, in which transformers' own
towers would need every weight renamed, cut or padded; timm itself wants torchvision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PretrainedConfig, PreTrainedModel

from agent.errors import CheckpointError, unknown

MODEL_TYPE = "openvla"


@dataclass(frozen=True, slots=True)
class TowerSize:
    """How large a vision transformer is.

    Attributes:
        width: Numbers in a token.
        layers: How many there are.
        heads: Of attention.
        hidden: Width of the layers' perceptrons.
        patch: Side of a patch, px.
        registers: Tokens beside the class token that no patch has; None: there is neither.
        scaled: Whether what a layer adds is scaled by learned numbers.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    patch: int
    registers: int | None
    scaled: bool


_DINOV2, _SIGLIP = "vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224"
TOWERS = {
    _DINOV2: TowerSize(1024, 24, 16, 4096, 14, 4, True),
    _SIGLIP: TowerSize(1152, 27, 16, 4304, 14, None, False),
}
"""The towers of published weights, by timm's names."""


class OpenVlaConfig(PretrainedConfig):
    """What `config.json` of published weights says, as far as it matters here.

    Args:
        timm_model_ids: Names of the two towers.
        image_sizes: Sides of the pictures that they look at, px.
        text_config: The Llama's.
        pad_to_multiple_of: How many tokens at the end of the vocabulary nobody says.
        n_action_bins: Bounds of the intervals a number may fall into.
        norm_stats: Data set -> statistics of its actions.
    """

    model_type = MODEL_TYPE

    def __init__(
        self,
        timm_model_ids: list[str] | None = None,
        image_sizes: list[int] | None = None,
        text_config: dict[str, Any] | None = None,
        pad_to_multiple_of: int = 64,
        n_action_bins: int = 256,
        norm_stats: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the values."""
        self.timm_model_ids = timm_model_ids or [_DINOV2, _SIGLIP]
        self.image_sizes = image_sizes or [224, 224]
        self.text_config = LlamaConfig(**(text_config or {}))
        self.pad_to_multiple_of = pad_to_multiple_of
        self.n_action_bins = n_action_bins
        self.norm_stats = norm_stats or {}
        super().__init__(**kwargs)


class _Attention(nn.Module):
    """Every token attends to every token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        batch, count, width = tokens.shape
        split = self.qkv(tokens).reshape(batch, count, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        told: torch.Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, count, width))
        return told


class _Perceptron(nn.Module):
    """Two layers for each token alone."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return told


class _Scale(nn.Module):
    """Multiplies each number of a token by a learned one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale_factor = nn.Parameter(torch.ones(width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens * self.scale_factor


class _Layer(nn.Module):
    """One layer of a tower; normalisation comes first."""

    def __init__(self, size: TowerSize) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(size.width, eps=1e-6)
        self.attn = _Attention(size.width, size.heads)
        self.ls1 = _Scale(size.width) if size.scaled else nn.Identity()
        self.norm2 = nn.LayerNorm(size.width, eps=1e-6)
        self.mlp = _Perceptron(size.width, size.hidden)
        self.ls2 = _Scale(size.width) if size.scaled else nn.Identity()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        told: torch.Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return told


class _Patches(nn.Module):
    """Makes a token of each patch of a picture."""

    def __init__(self, size: TowerSize) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, size.width, kernel_size=size.patch, stride=size.patch)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.proj(picture).flatten(2).transpose(1, 2)
        return told


class _Tower(nn.Module):
    """A vision transformer up to its last layer but one, as OpenVLA looks through it."""

    def __init__(self, size: TowerSize, side: int) -> None:
        super().__init__()
        self.patch_embed = _Patches(size)
        self.pos_embed = nn.Parameter(torch.zeros(1, (side // size.patch) ** 2, size.width))
        if size.registers is not None:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, size.width))
            self.reg_token = nn.Parameter(torch.zeros(1, size.registers, size.width))
        self.blocks = nn.ModuleList(_Layer(size) for _ in range(size.layers - 1))
        self._before = 0 if size.registers is None else 1 + size.registers

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Return (batch, patches, width) features of (batch, 3, side, side) pictures."""
        tokens = self.patch_embed(picture) + self.pos_embed
        if self._before:
            first = torch.cat([self.cls_token, self.reg_token], dim=1)
            tokens = torch.cat([first.expand(len(tokens), -1, -1), tokens], dim=1)
        for layer in self.blocks:
            tokens = layer(tokens)
        told: torch.Tensor = tokens[:, self._before :]
        return told


class _Eyes(nn.Module):
    """Both towers side by side."""

    def __init__(self, sizes: list[TowerSize], sides: list[int]) -> None:
        super().__init__()
        self.featurizer = _Tower(sizes[0], sides[0])
        self.fused_featurizer = _Tower(sizes[1], sides[1])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return features of (batch, 6, side, side) pictures, 3 channels for each tower."""
        first, second = pictures.split(3, dim=1)
        return torch.cat([self.featurizer(first), self.fused_featurizer(second)], dim=2)


class _Projector(nn.Module):
    """From what is seen to the Llama's vectors."""

    def __init__(self, seen: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(seen, 4 * seen)
        self.fc2 = nn.Linear(4 * seen, width)
        self.fc3 = nn.Linear(width, width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.fc3(F.gelu(self.fc2(F.gelu(self.fc1(features)))))
        return told


class OpenVla(PreTrainedModel):
    """Says the tokens of an action."""

    config_class = OpenVlaConfig
    base_model_prefix = "model"

    def __init__(self, config: OpenVlaConfig) -> None:
        """Make the network, with random weights.

        Raises:
            CheckpointError: It has not two towers, or one that is not known.
        """
        super().__init__(config)
        if len(config.timm_model_ids) != 2:
            raise CheckpointError(
                f"This OpenVLA has {len(config.timm_model_ids)} vision towers; two are expected."
            )
        for name in config.timm_model_ids:
            if name not in TOWERS:
                raise CheckpointError(unknown("vision tower of OpenVLA", name, TOWERS))
        sizes = [TOWERS[name] for name in config.timm_model_ids]
        self.vision_backbone = _Eyes(sizes, config.image_sizes)
        self.projector = _Projector(
            sum(size.width for size in sizes), config.text_config.hidden_size
        )
        self.language_model = LlamaForCausalLM(config.text_config)
        # Nobody looks through the last layer of a tower, nor through what comes after it.
        self._keys_to_ignore_on_load_unexpected = [
            rf"^vision_backbone\.{tower}\.(blocks\.{size.layers - 1}\.|norm\.|attn_pool\.)"
            for tower, size in zip(("featurizer", "fused_featurizer"), sizes, strict=True)
        ]
        self.post_init()

    @torch.no_grad()
    def act(self, tokens: torch.Tensor, pictures: torch.Tensor, count: int) -> torch.Tensor:
        """Return (count,) the likeliest tokens, one after the other.

        Args:
            tokens: (1, length) of the prompt, the first one being what begins a text.
            pictures: (1, 6, side, side) normalised for each tower.
            count: How many tokens to say.
        """
        words = self.language_model.get_input_embeddings()(tokens)
        seen = self.projector(self.vision_backbone(pictures))
        inputs = torch.cat([words[:, :1], seen, words[:, 1:]], dim=1)
        said, cache = [], None
        for _ in range(count):
            told = self.language_model(
                inputs_embeds=inputs, past_key_values=cache, use_cache=True, logits_to_keep=1
            )
            cache = told.past_key_values
            said.append(told.logits[:, -1].argmax(-1))
            inputs = self.language_model.get_input_embeddings()(said[-1][:, None])
        return torch.cat(said)
