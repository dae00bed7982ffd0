"""Weighing places for a thing to go to."""

from __future__ import annotations

import pytest
import torch

from skills.policy.places import PITCH, Places, best

THINGS, WIDTH = 5, 16


@pytest.fixture
def places() -> Places:
    """Return the network with random weights."""
    torch.manual_seed(0)
    return Places(WIDTH)


def drawn(count: int = 3) -> tuple[torch.Tensor, ...]:
    """Return random guesses, what was said, things and their tokens."""
    generator = torch.Generator().manual_seed(0)
    guess, said = torch.rand(2, count, 2, generator=generator)
    things = torch.rand(count, THINGS, 2, generator=generator)
    return guess, said, things, torch.randn(count, THINGS, WIDTH, generator=generator)


def test_places_lie_around_the_guess(places: Places) -> None:
    """On a square grid with the guess in its middle."""
    guess, *rest = drawn()
    cells, odds = places(guess, *rest)
    assert odds.shape == cells.shape[:2]
    assert torch.allclose(cells.mean(1), guess, atol=1e-6)
    apart = (cells[:, :, None] - cells[:, None]).norm(dim=-1)
    apart = apart.masked_fill(torch.eye(cells.shape[1], dtype=torch.bool), torch.inf)
    assert torch.allclose(apart.amin(-1), torch.tensor(PITCH), atol=1e-6)


def test_only_where_things_are_from_there_counts(places: Places) -> None:
    """Moving all together changes nothing, nor does naming the things in another order."""
    guess, said, things, tokens = drawn()
    _, odds = places(guess, said, things, tokens)
    by = torch.tensor([0.1, -0.2])
    _, moved = places(guess + by, said + by, things + by, tokens)
    assert torch.allclose(odds, moved, atol=1e-4)
    order = torch.tensor([3, 1, 4, 0, 2])
    _, renamed = places(guess, said, things[:, order], tokens[:, order])
    assert torch.allclose(odds, renamed, atol=1e-4)
    for changed in (
        places(guess, said + 0.05, things, tokens),
        places(guess, said, things + 0.05 * torch.eye(THINGS)[:, :1], tokens),
        places(guess, said, things, tokens.flip(1)),
    ):
        assert not torch.allclose(odds, changed[1], atol=1e-3)


def test_the_best_place_is_between_neighbours_and_never_between_two_good_ones() -> None:
    """It leans to the better neighbour; what is good far off has no say."""
    axis = torch.arange(7) * PITCH
    cells = torch.stack([axis, torch.zeros(7)], dim=-1)[None]
    lean = best(cells, torch.tensor([[0, 0, 0, 0, 2.0, 5.0, 4.0]]))
    assert 5 * PITCH < lean[0, 0].item() < 5.5 * PITCH
    two = torch.tensor([[-9, 5.0, -9, -9, -9, 4.9, -9]])
    assert best(cells, two)[0].tolist() == pytest.approx([PITCH, 0], abs=1e-5)
