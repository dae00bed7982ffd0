"""Rates with their uncertainty, in the one format every suite prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scipy.stats import norm


@dataclass(frozen=True, slots=True)
class Row:
    """One rate.

    Attributes:
        name: A skill, command class, axis or cell.
        episodes: Number of tries.
        successes: How many succeeded, by the world's truth.
        more: Further figures of the row.
    """

    name: str
    episodes: int
    successes: int
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the row with its rate and Wilson 95 % bounds, all 0..1."""
        low, high = wilson(self.successes, self.episodes)
        rate = self.successes / self.episodes if self.episodes else 0.0
        return {
            "name": self.name,
            "episodes": self.episodes,
            "successes": self.successes,
            "rate": rate,
            "low": low,
            "high": high,
            **self.more,
        }


def wilson(successes: int, episodes: int, level: float = 0.95) -> tuple[float, float]:
    """Return the bounds of a binomial rate (Wilson 1927); 0 and 1 where there is no data."""
    if episodes == 0:
        return 0.0, 1.0
    z = float(norm.ppf((1 + level) / 2))
    rate, scale = successes / episodes, 1 + z * z / episodes
    centre = (rate + z * z / (2 * episodes)) / scale
    half = z / scale * ((rate * (1 - rate) + z * z / (4 * episodes)) / episodes) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def report(
    suite: str, seed_base: int, rows: Sequence[Row], *, together: Sequence[Row] = (), **more: Any
) -> dict[str, Any]:
    """Return a suite's report.

    Args:
        suite: Its name.
        seed_base: First seed.
        rows: Its rates; `mean` is their unweighted mean.
        together: Rows over all of them, listed last, which the mean leaves out.
        more: Further figures of the suite.
    """
    rates = [row.as_json()["rate"] for row in rows]
    return {
        "suite": suite,
        "seed_base": seed_base,
        "rows": [row.as_json() for row in (*rows, *together)],
        "mean": sum(rates) / len(rates) if rates else 0.0,
        **more,
    }
