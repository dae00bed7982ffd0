"""Real-time chunking's guidance, on a flow whose course is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skills.models.denoising import Guide, denoise, soft_mask

GOAL = torch.linspace(-1, 1, 12).reshape(1, 6, 2)


def straight(actions: torch.Tensor, time: float) -> torch.Tensor:
    """Return the velocity of a flow that ends at the goal wherever it begins."""
    return (actions - GOAL) / time


def identity(actions: torch.Tensor, time: float) -> torch.Tensor:
    """Return the velocity of a flow that stays where it begins."""
    return torch.zeros_like(actions) * actions


def test_the_flow_is_followed_to_its_end() -> None:
    noise = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(denoise(straight, noise, 10), GOAL, atol=1e-5)


def test_the_mask_is_whole_then_fades_then_ends() -> None:
    mask = soft_mask(8, left=6, delay=2)
    assert mask[:2].tolist() == [1, 1] and mask[6:].tolist() == [0, 0]
    fading = mask[1:7].numpy()
    assert (np.diff(fading) < 0).all()
    # The third row has c = 4 / 5 of the way left.
    assert mask[2].item() == pytest.approx(0.8 * (np.exp(0.8) - 1) / (np.e - 1))


@pytest.mark.parametrize(("left", "delay"), [(0, 0), (0, 3), (3, 5), (20, 3), (6, 6), (8, 8)])
def test_the_mask_of_any_rest_lies_between_0_and_1(left: int, delay: int) -> None:
    mask = soft_mask(8, left, delay)
    assert mask.shape == (8,) and (mask >= 0).all() and (mask <= 1).all()
    assert mask.count_nonzero() == min(left, 8)


def test_the_pull_is_limited_and_least_at_the_middle() -> None:
    guide = Guide(GOAL, torch.ones_like(GOAL), 5.0)
    assert guide.pull(1.0) == guide.pull(0.0) == 5.0
    assert guide.pull(0.5) == pytest.approx(2.0)
    # As in the paper, with a share of 0.7 done: 0.3 / (0.7 * 0.09 / (0.49 + 0.09)).
    assert guide.pull(0.3) == pytest.approx(0.3 / (0.7 * 0.09 / 0.58))


def test_only_what_the_mask_binds_is_pulled() -> None:
    noise = torch.zeros(1, 6, 2)
    weights = torch.zeros_like(GOAL)
    weights[:, :3] = 1
    ended = denoise(identity, noise, 20, Guide(GOAL, weights, 5.0))
    assert torch.allclose(ended[:, :3], GOAL[:, :3], atol=0.1)
    assert torch.equal(ended[:, 3:], noise[:, 3:])


def test_a_limit_of_nothing_pulls_nothing() -> None:
    noise = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(0))
    guide = Guide(torch.zeros_like(GOAL), torch.ones_like(GOAL), 0.0)
    assert torch.equal(denoise(straight, noise, 10, guide), denoise(straight, noise, 10))
