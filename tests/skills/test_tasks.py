"""Which skill calls a scene allows, and how they are drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from agent.robots.tabletop.layout import sample_layout
from agent.types import HAND, TABLE, Scene, SceneObject
from agent.workspace import CAN_HEIGHT, OBJECTS
from skills.dataset import SKILLS
from skills.tasks import Task, choose, possible


def scene_of(*things: tuple[str, tuple[float, float, float], str, float | None]) -> Scene:
    """Return a scene of things: name, (3,) m, what carries it, articulation."""
    return Scene(
        0.0,
        {
            name: SceneObject(
                name, OBJECTS[name], np.array(at), support=support, articulation=articulation
            )
            for name, at, support, articulation in things
        },
    )


def calls(scene: Scene, skill: str) -> list[tuple[str, ...]]:
    """Return the arguments of the possible calls of one skill."""
    return [tuple(t.args.values()) for t in possible(scene) if t.skill == skill]


RED = ("red block", (0.50, 0.0, 0.02), TABLE, None)


def test_a_lone_block_can_be_picked_and_pushed_anywhere() -> None:
    scene = scene_of(RED)
    assert calls(scene, "pick") == [("red block",)]
    assert len(calls(scene, "push")) == 4
    assert {task.skill for task in possible(scene)} == {"pick", "push"}


@pytest.mark.parametrize(
    ("other", "kept_out"),
    [
        (("blue block", (0.50, 0.13, 0.02), TABLE, None), {"left"}),
        (("blue block", (0.50, -0.07, 0.02), TABLE, None), {"left", "right"}),
        (("blue bowl", (0.69, 0.0, 0.0), TABLE, None), {"forward"}),
        (("button", (0.38, 0.0, 0.032), TABLE, 0.0), {"forward", "back"}),
        (("blue block", (0.60, 0.20, 0.02), TABLE, None), set()),
    ],
)
def test_a_push_needs_a_free_way(
    other: tuple[str, tuple[float, float, float], str, float | None], kept_out: set[str]
) -> None:
    free = {way for name, way in calls(scene_of(RED, other), "push") if name == "red block"}
    assert {"left", "right", "forward", "back"} - free == kept_out


def test_nothing_is_pushed_off_the_area_or_from_beyond_it() -> None:
    """At the far left corner the thing cannot go further, and the hand cannot get behind it."""
    pushes = calls(scene_of(("can", (0.68, 0.30, CAN_HEIGHT / 2), TABLE, None)), "push")
    assert {way for _, way in pushes} == {"right"}


def test_a_thing_that_lies_on_its_side_is_left_alone() -> None:
    assert not possible(scene_of(("can", (0.5, 0.0, 0.026), TABLE, None)))


def test_the_open_hand_does_not_land_on_neighbours() -> None:
    """Fingers come down on both sides along y; ahead and behind a neighbour may be closer."""
    near = ("blue block", (0.50, 0.055, 0.02), TABLE, None)
    behind = ("blue block", (0.555, 0.0, 0.02), TABLE, None)
    assert calls(scene_of(RED, near), "pick") == []
    assert len(calls(scene_of(RED, behind), "pick")) == 2


def test_what_is_held_can_be_placed_and_nothing_else_done() -> None:
    held = ("red block", (0.5, 0.0, 0.2), HAND, None)
    blue = ("blue block", (0.45, 0.2, 0.02), TABLE, None)
    shut = ("drawer", (0.265, -0.27, 0.036), TABLE, 0.0)
    scene = scene_of(held, blue, shut, ("blue bowl", (0.6, 0.0, 0.0), TABLE, None))
    assert {task.skill for task in possible(scene)} == {"place_in", "place_on"}
    assert calls(scene, "place_in") == [("red block", "blue bowl")]
    assert ("red block", "blue block") in calls(scene, "place_on")


def test_only_steady_towers_grow() -> None:
    held = ("red block", (0.5, 0.0, 0.2), HAND, None)
    blue = ("blue block", (0.45, 0.2, 0.02), TABLE, None)
    good = ("green block", (0.452, 0.203, 0.06), "blue block", None)
    askew = ("green block", (0.468, 0.203, 0.06), "blue block", None)
    assert ("red block", "green block") in calls(scene_of(held, blue, good), "place_on")
    assert ("red block", "green block") not in calls(scene_of(held, blue, askew), "place_on")


def test_a_drawer_is_opened_when_not_open_and_closed_when_not_shut() -> None:
    def drawer(opening: float) -> tuple[str, tuple[float, float, float], str, float]:
        return ("drawer", (0.265 + opening, 0.27, 0.036), TABLE, opening)

    for opening, expected in ((0.0, {"open"}), (0.05, {"open", "close"}), (0.1, {"close"})):
        assert {task.skill for task in possible(scene_of(drawer(opening)))} == expected
    blocked = scene_of(drawer(0.0), ("red block", (0.36, 0.25, 0.02), TABLE, None))
    assert not calls(blocked, "open")


def test_choice_gives_every_skill_and_kind_its_share() -> None:
    """Over many scenes all seven skills come up, also those that few scenes allow."""
    rng, counts = np.random.default_rng(0), Counter[str]()
    for seed in range(400_000, 400_120):
        scene = sample_layout(seed).scene
        tasks = possible(scene)
        assert choose(tasks, rng, scene, counts) in tasks
        held = next(n for n in scene.objects if OBJECTS[n] == "block")
        carrying = scene.moved(held, HAND, np.array([0.5, 0.0, 0.2]))
        if (places := possible(carrying)) and seed % 2:
            choose(places, rng, carrying, counts)
    assert set(SKILLS) <= set(counts)
    assert min(counts[skill] for skill in SKILLS) >= 8
    assert {"place_on/plate", "place_on/zone", "place_on/block", "place_in/drawer"} <= set(counts)
    assert all(counts[f"push/{way}"] >= 3 for way in ("left", "right", "forward", "back"))


def test_a_bowl_with_a_can_counts_as_another_kind_of_target() -> None:
    held = ("red block", (0.5, 0.0, 0.2), HAND, None)
    can = ("can", (0.6, 0.0, 0.05), "blue bowl", None)
    scene = scene_of(held, can, ("blue bowl", (0.6, 0.0, 0.0), TABLE, None))
    tasks = [task for task in possible(scene) if task.args["target"] == "blue bowl"]
    counts = Counter[str]()
    choose(tasks, np.random.default_rng(0), scene, counts)
    assert counts == {"place_in": 1, "place_in/bowl with a can": 1}


def test_a_block_on_a_block_counts_as_another_kind_of_target() -> None:
    held = ("red block", (0.5, 0.0, 0.2), HAND, None)
    below = ("blue block", (0.6, 0.0, 0.02), TABLE, None)
    upper = ("green block", (0.6, 0.0, 0.06), "blue block", None)
    scene = scene_of(held, below, upper)
    tasks = [task for task in possible(scene) if task.args["target"] == "green block"]
    counts = Counter[str]()
    choose(tasks, np.random.default_rng(0), scene, counts)
    assert counts == {"place_on": 1, "place_on/tower": 1}


def test_the_same_draw_twice() -> None:
    scene = sample_layout(400_001).scene
    drawn = [choose(possible(scene), np.random.default_rng(3), scene) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert isinstance(drawn[0], Task)
