"""Scenes: varied, free of overlaps, at rest, and each aspect drawn by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest

from agent.robots.tabletop.arrangement import AREA_HIGH, AREA_LOW, MOST_THINGS
from agent.robots.tabletop.fixtures import BUTTON_HALF, CABINET_HALF
from agent.robots.tabletop.layout import (
    NOMINAL,
    WIDE,
    Layout,
    TableLook,
    Variation,
    sample_layout,
)
from agent.robots.tabletop.robot import TabletopRobot
from agent.types import TABLE, Scene, SceneObject
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    BUTTON,
    CAN,
    CAN_RADIUS,
    DRAWER,
    DRAWER_CLOSED,
    DRAWER_OPEN,
    DRAWER_TRAVEL,
    FIXTURES,
    MOVABLE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
)

OUTER = {
    BLOCK: BLOCK_HALF * 2**0.5,
    CAN: CAN_RADIUS,
    BOWL: BOWL_RADIUS,
    PLATE: PLATE_RADIUS,
    BUTTON: BUTTON_HALF[1],
}
SEEDS = range(400)


@pytest.fixture(scope="module")
def robot() -> Iterator[TabletopRobot]:
    """Return the one robot of these tests, with distractors in half of the scenes."""
    made = TabletopRobot(variation=Variation(distractors=0.5))
    yield made
    made.close()


def scenes(variation: Variation = NOMINAL) -> list[Scene]:
    """Return the scenes of all seeds as they are laid out."""
    return [sample_layout(seed, variation).scene for seed in SEEDS]


def on_table(scene: Scene) -> list[SceneObject]:
    """Return what stands on the table itself and can be moved or carries."""
    return [o for o in scene.objects.values() if o.support == TABLE and o.kind != DRAWER]


def test_scenes_are_varied() -> None:
    """Every kind of thing, carrier and state is common; no scene is too full or too poor."""
    drawn = scenes()
    share = {name: sum(name in s.objects for s in drawn) / len(drawn) for name in OBJECTS}
    assert 0.45 < share["drawer"] < 0.65
    assert 0.4 < share["button"] < 0.6
    assert 0.4 < share["can"] < 0.6
    assert min(share.values()) > 0.4
    for scene in drawn:
        assert len(scene.objects) <= MOST_THINGS
        assert sum(o.kind in MOVABLE for o in scene.objects.values()) >= 2
        assert any(o.kind in MOVABLE and o.support == TABLE for o in scene.objects.values())
    supports = [OBJECTS.get(o.support) for s in drawn for o in s.objects.values()]
    for kind, least in ((BOWL, 60), (PLATE, 40), (DRAWER, 20), (BLOCK, 40)):
        assert supports.count(kind) >= least, kind
    drawers = [s.objects["drawer"].articulation or 0.0 for s in drawn if "drawer" in s.objects]
    assert sum(o >= DRAWER_OPEN for o in drawers) > len(drawers) / 4
    assert sum(o <= DRAWER_CLOSED for o in drawers) > len(drawers) / 4
    lamps = [s.objects["button"].articulation for s in drawn if "button" in s.objects]
    assert 0.4 < np.mean([lamp or 0.0 for lamp in lamps]) < 0.6


def test_nothing_overlaps_or_stands_before_the_drawer() -> None:
    """Things keep apart, inside the usual area, and the drawer and its handle have a free way."""
    for scene in scenes():
        for first, second in combinations(on_table(scene), 2):
            gap = float(np.linalg.norm(first.position[:2] - second.position[:2]))
            assert gap > OUTER[first.kind] + OUTER[second.kind]
        for thing in on_table(scene):
            assert np.all(thing.position[:2] >= AREA_LOW)
            assert np.all(thing.position[:2] <= AREA_HIGH)
            drawer = scene.objects.get("drawer")
            if drawer is not None:
                out = drawer.position[0] - (drawer.articulation or 0.0) + DRAWER_TRAVEL
                aside = abs(thing.position[1] - drawer.position[1]) - OUTER[thing.kind]
                ahead = thing.position[0] - OUTER[thing.kind] - out
                assert aside > CABINET_HALF[0] or ahead > 0.015
                assert aside > 0.08 or ahead > 0.09


def test_a_scene_rests_where_it_was_laid_out(robot: TabletopRobot) -> None:
    """What the seed says is what is there: carried by the same, in the same place, at rest."""
    for seed in range(60):
        robot.reset(seed)
        world = robot.world
        truth, layout = world.truth(), world.layout
        assert set(truth.objects) == set(layout.scene.objects)
        for name, thing in layout.scene.objects.items():
            real = truth.objects[name]
            assert real.support == thing.support, (seed, name)
            assert np.linalg.norm(real.position - thing.position) < 0.01, (seed, name)
            assert (real.articulation is None) == (thing.kind not in FIXTURES)
            if thing.articulation is not None:
                assert real.articulation == pytest.approx(thing.articulation, abs=0.002)
        for name, pose in layout.distractors.items():
            assert np.linalg.norm(world.position(name)[:2] - pose[:2]) < 0.005, (seed, name)


AXES: dict[str, tuple[Variation, set[str]]] = {
    "camera": (
        replace(NOMINAL, camera_m=0.03, camera_rad=0.05),
        {"camera_shift", "camera_turn"},
    ),
    "exact": (replace(NOMINAL, camera_exact=True), {"camera_shift", "camera_turn"}),
    "light": (replace(NOMINAL, light=2.0), {"lights", "brightness"}),
    "table": (replace(NOMINAL, table=TableLook.UNSEEN), {"table", "texture", "tape"}),
    "distractors": (replace(NOMINAL, distractors=1.0), {"distractors"}),
    "start": (replace(NOMINAL, start=3.0), {"start"}),
    "outside": (replace(NOMINAL, outside_m=0.03), {"scene"}),
}


def differing(first: Layout, second: Layout) -> set[str]:
    """Return the names of the aspects in which two layouts differ."""
    return {f.name for f in fields(Layout) if not alike(first, second, f.name)}


def alike(first: Layout, second: Layout, name: str) -> bool:
    """Return whether two layouts agree in one aspect to the bit."""
    one, other = getattr(first, name), getattr(second, name)
    if isinstance(one, Scene):
        one, other = ({n: o.position for n, o in s.objects.items()} for s in (one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)
    return np.array_equal(one, other)


@pytest.mark.parametrize("axis", list(AXES))
def test_one_axis_leaves_the_others(axis: str) -> None:
    """Varying one aspect of a seed's scene changes that aspect and no other; a seed repeats."""
    variation, expected = AXES[axis]
    for seed in range(10):
        plain = sample_layout(seed)
        assert differing(plain, sample_layout(seed)) == set()
        assert differing(plain, sample_layout(seed, variation)) - {"yaws"} == expected


def test_the_camera_strays_as_far_as_asked() -> None:
    """Exactly so far where that is asked for, anywhere up to it otherwise."""
    exact = Variation(camera_m=0.03, camera_rad=0.05, camera_exact=True)
    shifts = [np.linalg.norm(sample_layout(seed, WIDE).camera_shift) for seed in range(50)]
    assert max(shifts) <= WIDE.camera_m
    assert min(shifts) < WIDE.camera_m / 4
    directions = []
    for seed in range(50):
        layout = sample_layout(seed, exact)
        assert np.linalg.norm(layout.camera_shift) == pytest.approx(0.03)
        assert np.linalg.norm(layout.camera_turn) == pytest.approx(0.05)
        directions.append(layout.camera_shift / 0.03)
    assert np.linalg.norm(np.mean(directions, axis=0)) < 0.35


def test_things_stand_outside_as_far_as_asked() -> None:
    """One block or can stands exactly so far beyond the usual border, and nothing further."""
    far = 0.03
    for scene in scenes(Variation(outside_m=far)):
        beyond = []
        for thing in on_table(scene):
            xy = thing.position[:2]
            beyond.append(float(np.max(np.maximum(AREA_LOW - xy, xy - AREA_HIGH))))
            if thing.kind not in MOVABLE:
                assert beyond.pop() < far
        assert max(beyond) == pytest.approx(far)


def test_tables_of_evaluation_are_unlike_those_of_training() -> None:
    """No texture of the one family is in the other; the nominal table is plain."""
    textures = {
        look: {sample_layout(seed, Variation(table=look)).texture for seed in range(60)}
        for look in TableLook
    }
    assert textures[TableLook.PLAIN] == {0}
    assert len(textures[TableLook.VARIED]) > 1
    assert not textures[TableLook.UNSEEN] & textures[TableLook.VARIED]


def test_distractors_have_their_share() -> None:
    """As many scenes have some as was asked for, one to three of them, and they have no name."""
    for share in (0.0, 0.5, 1.0):
        counts = [len(sample_layout(s, Variation(distractors=share)).distractors) for s in SEEDS]
        assert abs(np.mean([n > 0 for n in counts]) - share) < 0.08
        assert max(counts) == (3 if share else 0)
    assert not set(sample_layout(0, Variation(distractors=1.0)).distractors) & set(OBJECTS)
