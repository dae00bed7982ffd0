"""The world of an episode once more: where its mission began, and what was sent, sent again."""

from __future__ import annotations

from collections.abc import Iterator

from agent.episode.reader import Episode
from agent.errors import EpisodeError
from agent.events import Ticked
from agent.replay.difference import Divergence, sense_difference
from agent.robots.simulated import SimulatedRobot


def begin(robot: SimulatedRobot, episode: Episode) -> int | None:
    """Make the world what it was as the mission began; return the seed to reset the robot with.

    Raises:
        EpisodeError: The mission went on in another one's world, and that is not on record.
    """
    seed, world = episode.metadata["seed"], episode.metadata.get("world")
    if seed is not None:
        return int(seed)
    if world is None:
        raise EpisodeError(
            f"{episode.path} goes on in the world of another mission, which it does not hold; it "
            "cannot be run again."
        )
    robot.world.restore(world)
    return None


def resent(robot: SimulatedRobot, episode: Episode) -> Iterator[tuple[Ticked, Divergence | None]]:
    """Send the recorded actions again.

    Yield each tick, and where what is sensed now differs from it, before its action goes out.

    Raises:
        EpisodeError: The mission began in a world that is not on record.
    """
    robot.reset(begin(robot, episode))
    for number, tick in enumerate(episode.ticks()):
        yield tick, sense_difference(tick, robot.observe(), number)
        if tick.sent is not None:
            robot.act(tick.sent)
