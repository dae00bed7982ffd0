"""The world at one tick of an episode, from which a mission can go on live."""

from __future__ import annotations

from itertools import islice

from agent.build import Agent
from agent.episode.reader import Episode
from agent.errors import UsageError
from agent.replay.difference import Divergence
from agent.replay.world import resent


def bring_to(agent: Agent, episode: Episode, tick: int) -> Divergence | None:
    """Send an episode's actions up to a tick again; the next mission goes on from there.

    Args:
        agent: Whose robot it is.
        episode: Says where the world begins, and what was sent.
        tick: That many ticks are gone through, counted from 0.

    Returns:
        Where the world first went another way than it did then; None where it did not.

    Raises:
        UsageError: The episode has no such tick.
        EpisodeError: It began in a world that is not on record.
    """
    if not 0 <= tick < episode.tick_count:
        raise UsageError(f"There is no tick {tick} in {episode.path}; it has {episode.tick_count}.")
    found = None
    for _, differs in islice(resent(agent.simulated, episode), tick + 1):
        found = found or differs
    return found
