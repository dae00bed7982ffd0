"""Where blocks fit: on the target, clear of the rest, and steady as the hand moves."""

from __future__ import annotations

import numpy as np
import pytest

from agent.spots import BORDER, free_spot, room_at
from agent.types import HAND, TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    ZONES,
    capacity,
    kind_of,
)
from tests.scenes import scene

CARRIERS = [name for name, kind in OBJECTS.items() if kind in (BOWL, PLATE)]
BLOCKS = [name for name, kind in OBJECTS.items() if kind == BLOCK]


def _random_scene(rng: np.random.Generator) -> Scene:
    """Return a table with carriers, and with blocks on it, on the carriers and in the hand."""
    objects: dict[str, SceneObject] = {}
    for name in [*CARRIERS, *BLOCKS]:
        kind = OBJECTS[name]
        if rng.random() < 0.1:
            continue
        support = TABLE
        if kind == BLOCK and rng.random() < 0.5:
            support = str(rng.choice([HAND, *CARRIERS]))
        position = np.append(rng.uniform(WORKSPACE_LOW[:2], WORKSPACE_HIGH[:2]), 0.02)
        if support in objects:
            position[:2] = objects[support].position[:2] + rng.uniform(-0.05, 0.05, 2)
        objects[name] = SceneObject(name, kind, position, support=support)
    return Scene(0.0, objects)


def _distance(spot: Vector, thing: SceneObject) -> float:
    return float(np.linalg.norm(spot - thing.position[:2]))


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize("target", ZONES)
def test_a_spot_in_a_zone_is_well_in_it_and_clear(target: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = _random_scene(rng)
    moving = str(rng.choice(["", *BLOCKS]))
    near = rng.uniform(WORKSPACE_LOW[:2], WORKSPACE_HIGH[:2])
    spot = free_spot(target, there, moving, near)
    on_table = [o for o in there.objects.values() if o.support == TABLE and o.name != moving]
    tries = rng.uniform(
        np.array(ZONES[target].low) + BORDER, np.array(ZONES[target].high) - BORDER, (300, 2)
    )
    if spot is None:
        # What room there is could only be a sliver between the points of the grid.
        assert sum(all(room_at(t[None], o)[0] > 0.01 for o in on_table) for t in tries) == 0
        return
    assert ZONES[target].margin(spot) >= BORDER - 1e-9
    for thing in on_table:
        offset = np.abs(spot - thing.position[:2])
        if thing.kind == BLOCK:
            # Fingers open along y; beside them along x there is a block's width and a little.
            assert offset[0] >= 2 * BLOCK_HALF or offset[1] >= 0.06
        else:
            radius = BOWL_RADIUS if thing.kind == BOWL else PLATE_RADIUS
            assert np.linalg.norm(offset) >= radius + BLOCK_HALF


@pytest.mark.parametrize("target", ZONES)
def test_the_hand_comes_to_rest_in_a_zone(target: str) -> None:
    """Where the spot lies well inside and nothing is near, moving on to it changes nothing."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        near = rng.uniform(WORKSPACE_LOW[:2], WORKSPACE_HIGH[:2])
        spot = free_spot(target, Scene(0.0), near=near)
        assert spot is not None
        again = free_spot(target, Scene(0.0), near=spot)
        assert again is not None
        assert np.linalg.norm(again - spot) < 0.011
        assert ZONES[target].margin(again) >= 0.045


@pytest.mark.parametrize("seed", range(50))
def test_the_way_to_a_spot_is_smooth(seed: int) -> None:
    """Going towards the spot, the spot stays: no two places pull the hand to and fro."""
    rng = np.random.default_rng(seed)
    there, target = _random_scene(rng), str(rng.choice(list(ZONES)))
    at = rng.uniform(WORKSPACE_LOW[:2], WORKSPACE_HIGH[:2])
    turns, before = 0, None
    for _ in range(40):
        spot = free_spot(target, there, near=at)
        if spot is None:
            return
        turns += before is not None and bool(np.linalg.norm(spot - before) > 0.03)
        at, before = at + 0.3 * (spot - at), spot
    assert turns <= 1
    assert before is not None
    assert np.linalg.norm(before - at) < 0.02


@pytest.mark.parametrize("seed", range(100))
def test_a_spot_on_something_is_on_it_and_clear(seed: int) -> None:
    there = _random_scene(np.random.default_rng(seed))
    for target in CARRIERS:
        spot, carrier = free_spot(target, there), there.objects.get(target)
        inside = there.contents(target)
        if spot is None:
            assert carrier is None or inside
            continue
        assert carrier is not None
        if kind_of(target) == PLATE:
            assert _distance(spot, carrier) + BLOCK_HALF <= PLATE_RADIUS
        else:
            assert len(inside) < capacity(target)
            assert _distance(spot, carrier) < BOWL_RADIUS / 2


def test_blocks_in_a_bowl_lie_beside_each_other() -> None:
    """Dropped on the middle, a third block would stand on two others, above the rim."""
    there = scene("blue bowl")
    found: list[Vector] = []
    for name in BLOCKS[:3]:
        spot = free_spot("blue bowl", there)
        assert spot is not None
        assert all(np.linalg.norm(spot - other) > 0.035 for other in found)
        found.append(spot)
        block = SceneObject(name, BLOCK, np.append(spot, 0.03), support="blue bowl")
        there = Scene(0.0, {**there.objects, name: block})


@pytest.mark.parametrize("target", [*ZONES, *CARRIERS])
def test_an_empty_table_has_room_everywhere(target: str) -> None:
    empty = scene("blue bowl", "white bowl", "plate")
    assert free_spot(target, empty) is not None


@pytest.mark.parametrize("target", [*ZONES, *CARRIERS])
def test_a_target_takes_what_its_capacity_says(target: str) -> None:
    there = Scene(0.0) if target in ZONES else scene("blue bowl", "white bowl", "plate")
    for name in BLOCKS[: capacity(target)]:
        spot = free_spot(target, there)
        assert spot is not None
        support = TABLE if target in ZONES else target
        block = SceneObject(name, BLOCK, np.append(spot, 0.02), support=support)
        there = Scene(0.0, {**there.objects, name: block})
    if target not in ZONES:
        assert free_spot(target, there) is None
        assert free_spot(target, there, moving=BLOCKS[0]) is not None


@pytest.mark.parametrize("target", ["red block", "fridge", HAND, TABLE])
def test_nothing_fits_on_what_is_no_target(target: str) -> None:
    assert capacity(target) == 0
    assert free_spot(target, scene("plate")) is None


@pytest.mark.parametrize("target", CARRIERS)
def test_nothing_fits_on_what_is_not_there(target: str) -> None:
    assert free_spot(target, scene("red block")) is None
