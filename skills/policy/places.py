"""Which of many places a thing should go to, each weighed against everything that stands about."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PITCH = 0.03
"""Distance of neighbouring places, m."""
_STEPS = 7
_SCALE = 0.1
_RINGS = (0.03, 0.06, 0.12)
_OFFSET_DIM = 5 + len(_RINGS)
_WIDTH = 48


class Places(nn.Module):
    """A grid of places around a first guess, and how good each is.

    A regression names the mean of two places that are as good, where neither is. Here each place is
    told what lies where as seen from there, summed over things (Zaheer et al. 2017, arXiv
    1703.06114), whose tokens tell what they are and what they have to do with the phrase.
    """

    def __init__(self, width: int) -> None:
        """Read things' tokens of `width`."""
        super().__init__()
        self.offset = nn.Linear(_OFFSET_DIM, _WIDTH, bias=False)
        self.thing = nn.Linear(width, _WIDTH)
        self.said = nn.Parameter(torch.randn(width) * 0.1)
        self.worth = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, 1))

    def forward(
        self, guess: Tensor, said: Tensor, things: Tensor, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return (b, n, 2) m places and their (b, n) logits.

        Args:
            guess: (b, 2) m around which places are looked at.
            said: (b, 2) m where the thing was last said to go.
            things: (b, things, 2) m where things are.
            tokens: (b, things, width) what they are.
        """
        cells = guess[:, None] + _grid(guess)
        about = torch.cat([things, said[:, None]], dim=1)
        named = torch.cat([tokens, self.said.expand(len(tokens), 1, -1)], dim=1)
        offset = (about[:, None] - cells[:, :, None]) / _SCALE
        seen = (self.offset(_described(offset)) + self.thing(named)[:, None]).relu()
        return cells, self.worth(seen.sum(2)).squeeze(-1)


def best(cells: Tensor, logits: Tensor) -> Tensor:
    """(b, n, 2) m, (b, n) -> (b, 2) m: the best place, between it and those next to it."""
    rows = torch.arange(len(cells), device=cells.device)
    top = cells[rows, logits.argmax(-1)]
    near = (cells - top[:, None]).abs().amax(-1) < 1.5 * PITCH
    weight = logits.masked_fill(~near, -torch.inf).softmax(-1)
    return torch.einsum("bn,bnd->bd", weight, cells)


def _grid(like: Tensor) -> Tensor:
    """Return (n, 2) m places on a square grid about nought."""
    axis = (torch.arange(_STEPS, dtype=like.dtype, device=like.device) - (_STEPS - 1) / 2) * PITCH
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).flatten(0, 1)


def _described(offset: Tensor) -> Tensor:
    """(..., 2) in `_SCALE` -> (..., _OFFSET_DIM)."""
    distance = torch.linalg.vector_norm(offset, dim=-1, keepdim=True)
    rings = [torch.exp(-((distance * _SCALE / ring) ** 2)) for ring in _RINGS]
    return torch.cat([offset, offset.abs(), distance, *rings], dim=-1)
