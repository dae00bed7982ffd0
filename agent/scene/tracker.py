"""Memory over single-image estimates: what the arm hides is still there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.protocols import SceneEstimator
from agent.types import HAND, TABLE, Observation, Scene, SceneObject
from agent.workspace import DRAWER, DRAWER_OPEN, FINGERS_APART, FINGERS_MET, half_height

_SEEN = 0.5
_FORGET_PER_S = 0.98
_FORGOTTEN = 0.3
_SAME_PLACE_M = 0.02
_SMOOTHING = 0.5
_SAME_GRIP = 0.05
"""By how much the opening may change while the same thing is held, 0..1."""


class SceneTracker:
    """Wraps an estimator that looks at one observation with a memory of the ones before."""

    def __init__(self, single: SceneEstimator) -> None:
        """Track what `single` sees."""
        self._single = single
        self._believed: dict[str, SceneObject] = {}
        self._time_s, self._gripper = 0.0, 0.0

    def reset(self) -> None:
        """Forget everything."""
        self._single.reset()
        self._believed, self._time_s, self._gripper = {}, 0.0, 0.0

    def estimate(self, observation: Observation) -> Scene:
        """Return what is believed after this observation."""
        passed = max(0.0, observation.time_s - self._time_s)
        seen = self._single.estimate(observation)
        gripped = self._still_grips(observation.gripper)
        self._time_s, self._gripper = observation.time_s, observation.gripper
        believed = {}
        for name in dict.fromkeys([*seen.objects, *self._believed]):
            thing, before = seen.objects.get(name), self._believed.get(name)
            if thing is not None and thing.presence >= _SEEN:
                believed[name] = _merged(before, thing, gripped, passed)
            elif before is not None:
                older = replace(before, age_s=before.age_s + passed)
                faded = replace(older, presence=older.presence * _FORGET_PER_S**passed)
                drawer = seen.objects.get(before.support)
                if drawer is not None and _shut(drawer):
                    believed[name] = _carried(older, self._believed.get(drawer.name), drawer)
                elif faded.presence >= _FORGOTTEN:
                    believed[name] = faded
        held = _in_hand(Scene(observation.time_s, believed), observation.gripper)
        scene = _without_circles(held)
        self._believed = dict(scene.objects)
        return scene

    def _still_grips(self, opening: float) -> bool:
        """Return whether the fingers have stayed about something since the last look."""
        return _may_hold(opening) and abs(opening - self._gripper) < _SAME_GRIP


def _shut(carrier: SceneObject) -> bool:
    """Return whether a carrier hides what it carries: a drawer that is not open."""
    return carrier.kind == DRAWER and (carrier.articulation or 0.0) < DRAWER_OPEN


def _carried(thing: SceneObject, before: SceneObject | None, now: SceneObject) -> SceneObject:
    """Return a thing that has gone where its carrier went."""
    way = now.position - before.position if before is not None else 0.0
    return replace(thing, position=thing.position + way)


def _may_hold(opening: float) -> bool:
    """Return whether fingers so far apart, 0..1, can have something between them."""
    return FINGERS_MET < opening < FINGERS_APART


def _in_hand(scene: Scene, opening: float) -> Scene:
    """Leave at most one object in the hand: of those last seen there, the surest.

    None where the fingers stand wide open or have met. What is not there after all has fallen.
    """
    held = [o for o in scene.objects.values() if o.support == HAND]
    surest = max(held, key=lambda o: (-o.age_s, o.support_confidence), default=None)
    kept = surest if _may_hold(opening) else None
    fallen = {thing.name: _fallen(thing) for thing in held if thing is not kept}
    return replace(scene, objects={**scene.objects, **fallen})


def _fallen(thing: SceneObject) -> SceneObject:
    """Return a thing on the table below where it is, of which nothing is sure."""
    position = np.array([*thing.position[:2], half_height(thing.kind)])
    return replace(thing, position=position, support=TABLE, support_confidence=0.0)


def _without_circles(scene: Scene) -> Scene:
    """Leave nothing that carries itself by way of others: the least sure stands on the table."""
    for name in scene.objects:
        chain = [name]
        while (below := scene.objects[chain[-1]].support) in scene.objects and below not in chain:
            chain.append(below)
        if below in chain:
            circle = [scene.objects[n] for n in chain[chain.index(below) :]]
            doubted = min(circle, key=lambda thing: thing.support_confidence)
            put = replace(doubted, support=TABLE, support_confidence=0.0)
            scene = replace(scene, objects={**scene.objects, put.name: put})
    return scene


def _merged(
    before: SceneObject | None, now: SceneObject, gripped: bool, passed_s: float
) -> SceneObject:
    """Average the position of what stands still; what is held is there as long as it is gripped.

    High above the table, where no thing ever stands, the cameras tell less of what there is. A look
    that tells the same thing, or its support, less surely than the one before takes nothing away
    but what time does: from home an upper block hides the one below it, and what lies in a drawer
    that is being shut is seen less and less.
    """
    if before is None or before.support != now.support:
        return now
    if now.support == HAND:
        return replace(now, presence=max(before.presence, now.presence)) if gripped else now
    kept = _FORGET_PER_S**passed_s
    now = replace(
        now,
        presence=max(now.presence, before.presence * kept),
        support_confidence=max(now.support_confidence, before.support_confidence * kept),
    )
    moved = float(((now.position - before.position) ** 2).sum() ** 0.5)
    if moved > _SAME_PLACE_M:
        return now
    position = _SMOOTHING * before.position + (1 - _SMOOTHING) * now.position
    return replace(now, position=position)
