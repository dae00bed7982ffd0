"""Whether what was wanted has come about, by the world's own scene. Privileged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from agent.facts import holds
from agent.types import HAND, Fact, Scene

_LIFTED_M = 0.03


class World(Protocol):
    """What scoring asks of the world."""

    def truth(self) -> Scene:
        """Return what is really there."""
        ...


def achieved(world: World, facts: Iterable[Fact], before: Scene) -> bool:
    """Return whether facts hold in truth.

    Args:
        world: As it is at the end.
        facts: What should hold. What is held must also hang clear of what carried it before.
        before: The world's scene at the start, with which `moved` and `toggled` compare.
    """
    scene = world.truth()
    return all(
        holds(fact, scene, before)
        and (fact.predicate != "held" or _lifted(fact.args[0], scene, before))
        for fact in facts
    )


def _lifted(name: str, scene: Scene, before: Scene) -> bool:
    """Return whether a thing hangs higher than it stood; what was held before need not."""
    was = before.objects.get(name)
    if was is None or was.support == HAND:
        return True
    return float(scene.objects[name].position[2] - was.position[2]) > _LIFTED_M
