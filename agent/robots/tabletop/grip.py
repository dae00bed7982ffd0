"""What is between the fingers, by what touches what. Privileged."""

from __future__ import annotations

from collections.abc import Collection

import mujoco

from agent.workspace import MOVABLE, OBJECTS


def between(model: mujoco.MjModel, data: mujoco.MjData, fingers: Collection[int]) -> str | None:
    """Return the block or can that both fingers touch, if any.

    Args:
        model: The world.
        data: Its state, contacts up to date.
        fingers: The bodies of the two fingers.
    """
    touching: dict[int, set[int]] = {}
    for contact in data.contact[: data.ncon]:
        bodies = model.geom_bodyid[[contact.geom1, contact.geom2]]
        for finger, other in (bodies, bodies[::-1]):
            if finger in fingers:
                touching.setdefault(int(other), set()).add(int(finger))
    for body, touched in touching.items():
        name = str(model.body(body).name)
        if len(touched) == 2 and OBJECTS.get(name) in MOVABLE:
            return name
    return None
