from __future__ import annotations

import numpy as np
import pytest

from agent.types import HAND, TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    CLEARANCE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    ZONE,
    ZONES,
    capacity,
    clear,
    free_spot,
    kind_of,
    spots,
)
from tests.scenes import scene

CARRIERS = [name for name, kind in OBJECTS.items() if kind in (BOWL, PLATE)]
BLOCKS = [name for name, kind in OBJECTS.items() if kind == BLOCK]
SLACK_M = 0.005


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
def test_a_spot_in_a_zone_is_in_it_and_clear(target: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = _random_scene(rng)
    moving = str(rng.choice(["", *BLOCKS]))
    spot = free_spot(target, there, moving)
    on_table = [o for o in there.objects.values() if o.support == TABLE and o.name != moving]
    if spot is None:
        assert not any(clear(s, on_table) for s in spots(target, None))
        return
    assert ZONES[target].contains(spot)
    for thing in on_table:
        reach = {
            BOWL: BOWL_RADIUS + BLOCK_HALF,
            PLATE: PLATE_RADIUS + BLOCK_HALF,
            BLOCK: CLEARANCE,
        }[thing.kind]
        assert _distance(spot, thing) >= reach - SLACK_M


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
            assert all(_distance(spot, o) >= CLEARANCE - SLACK_M for o in inside)
        else:
            assert len(inside) < capacity(target)
            assert np.array_equal(spot, carrier.position[:2])


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


@pytest.mark.parametrize("target", ZONES)
def test_the_spots_of_a_zone_lie_inside_with_a_margin_the_centre_first(target: str) -> None:
    zone = ZONES[target]
    found = spots(target, None)
    assert np.array_equal(found[0], zone.centre)
    for spot in found:
        assert np.all(spot - BLOCK_HALF >= zone.low)
        assert np.all(spot + BLOCK_HALF <= zone.high)


def test_zones_do_not_overlap_and_lie_in_the_workspace() -> None:
    zones = list(ZONES.values())
    for i, zone in enumerate(zones):
        assert np.all(np.array(zone.low) >= WORKSPACE_LOW[:2])
        assert np.all(np.array(zone.high) <= WORKSPACE_HIGH[:2])
        for other in zones[:i]:
            assert np.any(np.array(zone.high) <= other.low) or np.any(
                np.array(other.high) <= zone.low
            )


def test_left_and_front_are_those_of_one_who_looks_along_with_the_robot() -> None:
    assert ZONES["left zone"].centre[1] > 0 > ZONES["right zone"].centre[1]
    assert ZONES["front zone"].centre[0] > ZONES["back zone"].centre[0]


def test_kinds() -> None:
    assert kind_of("left zone") == ZONE
    assert kind_of("plate") == PLATE
    assert kind_of("dragon") is None
