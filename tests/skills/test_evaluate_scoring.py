"""Scoring by the truth: against the scene before, and what is held must hang."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.types import HAND, TABLE, Fact, Scene, SceneObject
from skills.evaluate.scoring import achieved

RED, LAMP, DRAWER = "red block", "button", "drawer"
BEFORE = Scene(
    0.0,
    {
        RED: SceneObject(RED, "block", np.array([0.5, 0.0, 0.06]), support=DRAWER),
        DRAWER: SceneObject(DRAWER, "drawer", np.array([0.6, 0.0, 0.05]), articulation=0.1),
        LAMP: SceneObject(LAMP, "button", np.array([0.5, 0.3, 0.03]), articulation=1.0),
    },
)


class Frozen:
    """A world that stands still."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def truth(self) -> Scene:
        return self.scene


def changed(name: str, **how: object) -> Frozen:
    """Return the world in which one thing is otherwise than before."""
    thing = replace(BEFORE.objects[name], **how)  # type: ignore[arg-type]
    return Frozen(replace(BEFORE, objects={**BEFORE.objects, name: thing}))


@pytest.mark.parametrize(
    ("z", "support", "success"),
    [(0.15, HAND, True), (0.07, HAND, False), (0.15, TABLE, False)],
)
def test_held_is_clear_of_what_carried_it(z: float, support: str, success: bool) -> None:
    """Fingers around a block that still stands in the drawer hold nothing yet."""
    world = changed(RED, position=np.array([0.5, 0.0, z]), support=support)
    assert achieved(world, [Fact.parse("held(red block)")], BEFORE) is success


def test_what_was_held_before_need_not_rise() -> None:
    """It hung already."""
    world = changed(RED, support=HAND)
    assert achieved(world, [Fact.parse("held(red block)")], world.truth())


def test_change_is_measured_from_before() -> None:
    """A lamp that is as it was has not been toggled, a block has moved from where it was."""
    toggled = [Fact.parse("toggled(button)")]
    assert not achieved(Frozen(BEFORE), toggled, BEFORE)
    assert achieved(changed(LAMP, articulation=0.0), toggled, BEFORE)
    world = changed(RED, position=np.array([0.5, 0.08, 0.02]), support=TABLE)
    assert achieved(world, [Fact.parse("moved(red block, left)")], BEFORE)
    assert not achieved(world, [Fact.parse("moved(red block, right)")], BEFORE)


def test_every_fact_counts() -> None:
    """One that fails fails all."""
    facts = [Fact.parse("open(drawer)"), Fact.parse("unlit(button)")]
    assert achieved(Frozen(BEFORE), facts[:1], BEFORE)
    assert not achieved(Frozen(BEFORE), facts, BEFORE)
