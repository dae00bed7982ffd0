"""The trunks: attention is a distribution, and looking can be taught."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from skills.vision import SLOT_POINT, SlotTrunk, cell_centres

SIDE = 8
"""Cells along an edge of the map."""
UNSEEN = SIDE**2


def test_slots_are_what_attention_says() -> None:
    """Points and features are means under attention, and the rest of it is for the unseen."""
    torch.manual_seed(0)
    trunk, image = SlotTrunk(3, 16), torch.rand(5, 3, 24, 40) * 2 - 1
    with torch.no_grad():
        slots = trunk(image)
    assert slots.logits.shape == (5, 3, 6 * 10 + 1)
    assert slots.points.shape == (5, 3, SLOT_POINT)
    assert slots.found.shape == (5, 3, 16)
    assert all(part.isfinite().all() for part in (slots.logits, slots.points, slots.found))
    attention = slots.logits.softmax(-1)
    assert (attention >= 0).all()
    assert torch.allclose(attention.sum(-1), torch.ones(5, 3), atol=1e-6)
    place, visible = slots.points[..., :2], slots.points[..., 2]
    assert (place.abs() <= 1).all()
    assert ((visible >= 0) & (visible <= 1)).all()
    assert torch.allclose(visible + attention[..., -1], torch.ones(5, 3), atol=1e-6)
    mean = attention[..., :-1] @ cell_centres(6, 10) / visible[..., None]
    assert torch.allclose(place, mean, atol=1e-5)


def test_cells_lie_row_by_row() -> None:
    """The first is at the upper left; x runs to the right, fastest, and y down."""
    cells = cell_centres(2, 4)
    assert cells[:4, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert cells[:, 1].tolist() == [-0.5] * 4 + [0.5] * 4


def bright_cells(rng: torch.Generator, images: int) -> tuple[Tensor, Tensor]:
    """Return black images, and in which cell of each is a red and a green spot, or `UNSEEN`."""
    cell = torch.randint(SIDE**2 + SIDE, (images, 2), generator=rng).clamp(max=UNSEEN)
    coarse = F.one_hot(cell, SIDE**2 + 1)[..., :-1].unflatten(-1, (SIDE, SIDE))
    image = torch.full((images, 3, 4 * SIDE, 4 * SIDE), -1.0)
    image[:, :2] = coarse.repeat_interleave(4, -1).repeat_interleave(4, -2) * 2.0 - 1
    return image, cell


def test_it_learns_where_to_look() -> None:
    """After two seconds of lessons it finds spots in new images, and says when there is none."""
    torch.manual_seed(0)
    trunk, rng = SlotTrunk(2, 8), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(trunk.parameters(), 3e-3)
    for _ in range(150):
        image, cell = bright_cells(rng, 32)
        loss = F.cross_entropy(trunk(image).logits.flatten(0, 1), cell.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    image, cell = bright_cells(rng, 256)
    with torch.no_grad():
        points = trunk(image).points
    there = cell < UNSEEN
    assert there.any()
    assert not there.all()
    assert ((points[..., 2] > 0.5) == there).float().mean() > 0.97
    offset = points[there][:, :2] - cell_centres(SIDE, SIDE)[cell[there]]
    assert (offset.abs().amax(-1) < 2 / SIDE).float().mean() > 0.97
