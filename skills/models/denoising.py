"""From noise to actions along a learned flow, pulled towards what is left of the last chunk.

The pull is that of real-time chunking (Black et al. 2025, arXiv 2506.07339): what the flow would
end at from here is compared with the rows that are left, and the difference taken back through the
network to where it is now. As in PI0, time runs from 1, noise, down to 0, actions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

Velocity = Callable[[torch.Tensor, float], torch.Tensor]
"""From (1, rows, numbers) actions in the making and the time to how they change with time."""


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """What a chunk is pulled towards.

    Attributes:
        rest: (1, rows, numbers) what is left of the last chunk, filled up to the size of a chunk.
        weights: Same shape, 0..1: how much each number matters.
        limit: Largest weight of the pull.
    """

    rest: torch.Tensor
    weights: torch.Tensor
    limit: float

    def pull(self, time: float) -> float:
        """Return the weight of the pull at a time; it is least at the middle of the way."""
        both = time * (1 - time)
        return min(self.limit, (time**2 + (1 - time) ** 2) / both) if both else self.limit


def soft_mask(rows: int, left: int, delay: int) -> torch.Tensor:
    """Return (rows,) how much each row of a new chunk is bound to the last one.

    Those that are carried out meanwhile are bound wholly, those beyond what is left not at all, and
    between them the bond fades.

    Args:
        rows: Of a chunk.
        left: Rows that are left of the last one.
        delay: Rows that are carried out until the new one is there.
    """
    mask = torch.zeros(rows)
    left, delay = min(left, rows), min(delay, left, rows)
    mask[:delay] = 1.0
    share = (left - torch.arange(delay, left)) / (left - delay + 1)
    mask[delay:left] = share * torch.expm1(share) / math.expm1(1)
    return mask


def denoise(
    velocity: Velocity, noise: torch.Tensor, steps: int, guide: Guide | None = None
) -> torch.Tensor:
    """Return (1, rows, numbers) actions, by Euler's method.

    Args:
        velocity: The network's.
        noise: (1, rows, numbers) what to begin from.
        steps: How many there are.
        guide: What to be pulled towards; None is nothing.
    """
    actions, dt = noise, -1.0 / steps
    for step in range(steps):
        time = 1.0 + step * dt
        actions = actions + dt * (
            velocity(actions, time) if guide is None else _guided(velocity, actions, time, guide)
        )
    return actions


def _guided(velocity: Velocity, actions: torch.Tensor, time: float, guide: Guide) -> torch.Tensor:
    """Return the velocity that also leads towards the guide; two passes, one of them backwards."""
    pull = guide.pull(time)
    with torch.enable_grad():
        here = actions.detach().requires_grad_()
        speed = velocity(here, time)
        end = here - time * speed
        missed = (guide.rest - end.detach()) * guide.weights
        (back,) = torch.autograd.grad(end, here, missed)
    return speed.detach() - pull * back
