"""Why a subgoal did not come about, as far as the scene tells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agent.types import HAND, Reason, Scene, Vector
from agent.workspace import DRAWER

_MOVED_M = 0.03
"""How far a thing has gone that is not where it was, m: three times what its place is known to."""
_SLID_M = 0.01
"""How far a drawer has come, m, that was moved at all."""
_AT_HANDLE_M = 0.03
"""How near the tool is to a handle, m, that it has hold of."""


def cause(
    args: Mapping[str, str], before: Scene, now: Scene, usual: Reason, path: Vector
) -> Reason:
    """Return why a skill call failed.

    Args:
        args: Of the call.
        before: The scene in which it began.
        now: The scene in which it failed.
        usual: The reason where the scene tells no better one.
        path: (ticks, 3) m, base frame, where the tool has been lately.
    """
    held = now.held
    if held is not None and held.name != args.get("object"):
        return Reason.WRONG_OBJECT
    # What is pushed is to move; what is carried moves with the hand.
    if "direction" not in args and any(_gone(name, before, now) for name in args.values()):
        return Reason.TARGET_MOVED
    if _withstood(args.get("object", ""), before, now, path):
        return Reason.BLOCKED
    return usual


def _gone(name: str, before: Scene, now: Scene) -> bool:
    """Return whether a thing that nothing held stands elsewhere than it did.

    A drawer does not: it is where its handle is, which moves as it is opened.
    """
    was, thing = before.objects.get(name), now.objects.get(name)
    if was is None or thing is None or HAND in (was.support, thing.support):
        return False
    if thing.articulation is not None:
        return False
    return float(np.linalg.norm((thing.position - was.position)[:2])) > _MOVED_M


def _withstood(name: str, before: Scene, now: Scene, path: Vector) -> bool:
    """Return whether the hand was at a drawer's handle, and the drawer is as far out as it was."""
    was, thing = before.objects.get(name), now.objects.get(name)
    if was is None or thing is None or thing.kind != DRAWER:
        return False
    slid = abs((thing.articulation or 0.0) - (was.articulation or 0.0))
    near = np.linalg.norm(path - thing.position, axis=-1).min(initial=np.inf)
    return slid < _SLID_M and float(near) < _AT_HANDLE_M
