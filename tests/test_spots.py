"""Where blocks fit: on the target, clear of the rest, and steady as the hand moves."""

from __future__ import annotations

import numpy as np
import pytest

from agent.spots import BORDER, TRAY_OFFSET, free_spot, room_at
from agent.types import HAND, TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    CAN,
    CAN_RADIUS,
    DRAWER,
    DRAWER_TRAVEL,
    MOVABLE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    TRAY_BEHIND_HANDLE,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    ZONES,
    capacity,
    kind_of,
)
from tests.scenes import HOMES, scene, tower

CARRIERS = [name for name, kind in OBJECTS.items() if kind in (BOWL, PLATE, DRAWER)]
BLOCKS = [name for name, kind in OBJECTS.items() if kind == BLOCK]
THINGS = [name for name, kind in OBJECTS.items() if kind in MOVABLE]
RED, GREEN, BLUE, YELLOW = BLOCKS


def _random_scene(rng: np.random.Generator) -> Scene:
    """Return a table with carriers, and with things on it, on the carriers and in the hand."""
    objects: dict[str, SceneObject] = {}
    for name in [*CARRIERS, "button", *THINGS]:
        kind = OBJECTS[name]
        if rng.random() < 0.1:
            continue
        support = TABLE
        if kind in MOVABLE and rng.random() < 0.5:
            support = str(rng.choice([HAND, *CARRIERS]))
        position = np.append(rng.uniform(WORKSPACE_LOW[:2], WORKSPACE_HIGH[:2]), 0.02)
        if support in objects:
            position[:2] = objects[support].position[:2] + rng.uniform(-0.05, 0.05, 2)
            position[0] -= TRAY_BEHIND_HANDLE * (objects[support].kind == DRAWER)
        objects[name] = SceneObject(name, kind, position, support=support)
    return Scene(0.0, objects)


def _distance(spot: Vector, thing: SceneObject) -> float:
    return float(np.linalg.norm(spot - thing.position[:2]))


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize("target", ZONES)
def test_a_spot_in_a_zone_is_well_in_it_and_clear(target: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = _random_scene(rng)
    moving = str(rng.choice(["", *THINGS]))
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
        elif thing.kind == CAN:
            assert offset[0] >= BLOCK_HALF + CAN_RADIUS or offset[1] >= 0.06
        elif thing.kind in (BOWL, PLATE):
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
        assert len(inside) < capacity(target)
        if kind_of(target) == PLATE:
            assert _distance(spot, carrier) + BLOCK_HALF <= PLATE_RADIUS
        elif kind_of(target) == BOWL:
            assert _distance(spot, carrier) < BOWL_RADIUS / 2
        else:
            across = np.abs(spot - carrier.position[:2] + [TRAY_BEHIND_HANDLE, 0])
            assert across == pytest.approx([0, TRAY_OFFSET])
            assert all(abs(spot[1] - o.position[1]) > 2 * CAN_RADIUS for o in inside)


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


def in_bowl(*offset: float) -> Scene:
    """Return a bowl with a can this far from its middle, m."""
    there = scene("blue bowl")
    where = there.objects["blue bowl"].position + np.array([*offset, 0.03])
    return Scene(0.0, {**there.objects, "can": SceneObject("can", CAN, where, support="blue bowl")})


@pytest.mark.parametrize("angle", np.linspace(-3.0, 3.0, 7))
def test_beside_a_can_in_the_middle_of_a_bowl_the_near_side_is_taken(angle: float) -> None:
    there = in_bowl(0.0, 0.0)
    middle, way = there.objects["blue bowl"].position[:2], np.array([np.cos(angle), np.sin(angle)])
    spot = free_spot("blue bowl", there, near=middle + 0.2 * way)
    assert spot is not None
    assert (spot - middle) @ way == pytest.approx(np.linalg.norm(spot - middle))


@pytest.mark.parametrize("side", [-1, 1])
def test_beside_a_can_off_the_middle_it_is_a_third_of_a_turn_to_the_near_side(side: int) -> None:
    there = in_bowl(0.02, 0.0)
    middle = there.objects["blue bowl"].position[:2]
    spot = free_spot("blue bowl", there, near=middle + np.array([0.3, side * 0.05]))
    assert spot is not None
    x, y = spot - middle
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(side * 120)


@pytest.mark.parametrize("target", [*ZONES, *CARRIERS])
def test_an_empty_table_has_room_everywhere(target: str) -> None:
    assert free_spot(target, scene(*CARRIERS)) is not None


@pytest.mark.parametrize("target", [*ZONES, *CARRIERS])
def test_a_target_takes_what_its_capacity_says(target: str) -> None:
    there = Scene(0.0) if target in ZONES else scene(*CARRIERS, opening=DRAWER_TRAVEL)
    for name in BLOCKS[: capacity(target)]:
        spot = free_spot(target, there)
        assert spot is not None
        support = TABLE if target in ZONES else target
        block = SceneObject(name, BLOCK, np.append(spot, 0.02), support=support)
        there = Scene(0.0, {**there.objects, name: block})
    if target not in ZONES:
        assert free_spot(target, there) is None
        assert free_spot(target, there, moving=BLOCKS[0]) is not None


@pytest.mark.parametrize("target", ["can", "button", "fridge", "left", HAND, TABLE])
def test_nothing_fits_on_what_is_no_target(target: str) -> None:
    assert capacity(target) == 0
    assert free_spot(target, scene("plate", "can", "button")) is None


@pytest.mark.parametrize("target", [*CARRIERS, GREEN])
def test_nothing_fits_on_what_is_not_there(target: str) -> None:
    assert free_spot(target, scene("red block")) is None


def test_the_tray_has_two_places_and_the_nearer_free_one_is_taken() -> None:
    there = scene("drawer", opening=DRAWER_TRAVEL)
    handle = there.objects["drawer"].position
    left, right = (
        free_spot("drawer", there, near=np.array([0.5, y, 0.0])[:2]) for y in (0.3, -0.3)
    )
    assert left is not None
    assert right is not None
    assert left == pytest.approx([handle[0] - TRAY_BEHIND_HANDLE, handle[1] + TRAY_OFFSET])
    assert right == pytest.approx([left[0], handle[1] - TRAY_OFFSET])
    block = SceneObject("red block", BLOCK, np.append(left, 0.02), support="drawer")
    taken = Scene(0.0, {**there.objects, "red block": block})
    assert free_spot("drawer", taken, near=left) == pytest.approx(right)
    assert free_spot("drawer", taken, "red block", near=left) == pytest.approx(left)


def test_the_trays_places_go_with_the_drawer() -> None:
    shut, out = (free_spot("drawer", scene("drawer", opening=o)) for o in (0.0, DRAWER_TRAVEL))
    assert shut is not None
    assert out is not None
    assert out - shut == pytest.approx([DRAWER_TRAVEL, 0])


@pytest.mark.parametrize("across", [0.0, 0.01, -0.015])
def test_what_lies_in_the_middle_of_the_tray_takes_both_places(across: float) -> None:
    there = scene("drawer", "can", on={"can": "drawer"}, opening=DRAWER_TRAVEL)
    can = there.objects["can"].position + np.array([0, across, 0])
    assert free_spot("drawer", there.moved("can", "drawer", can)) is None


@pytest.mark.parametrize("base", [TABLE, "plate"])
def test_a_tower_grows_to_three_blocks(base: str) -> None:
    for height in (1, 2, 3):
        built = tower(*BLOCKS[:height], base=base, others=(YELLOW, "plate"))
        spot = free_spot(BLOCKS[height - 1], built, YELLOW)
        if height == 3:
            assert spot is None
        else:
            assert spot == pytest.approx(np.array(HOMES["plate" if base == "plate" else RED]))
        assert all(free_spot(name, built, YELLOW) is None for name in BLOCKS[: height - 1])


def test_a_tower_may_stand_in_a_zone() -> None:
    there = scene(RED, GREEN, at={RED: (0.5, 0.0)})
    assert free_spot(RED, there, GREEN) == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize("carrier", ["blue bowl", "drawer", HAND])
def test_nothing_is_stacked_on_what_stands_elsewhere(carrier: str) -> None:
    names = (RED, GREEN, "blue bowl", "drawer")
    assert free_spot(RED, scene(*names, on={RED: carrier}), GREEN) is None
    assert free_spot(GREEN, scene(*names, BLUE, on={RED: carrier, GREEN: RED}), BLUE) is None


def test_no_can_is_stacked() -> None:
    there = scene(RED, GREEN, "can")
    assert free_spot(RED, there, "can") is None
    assert free_spot(RED, there, GREEN) is not None
    assert free_spot("can", there, RED) is None


def test_a_block_carries_one_other_and_never_itself() -> None:
    there = tower(RED, GREEN, others=(BLUE,))
    assert free_spot(RED, there, BLUE) is None
    assert free_spot(RED, there, GREEN) is not None
    assert free_spot(RED, there, RED) is None


def test_a_zone_is_kept_clear_of_where_a_drawer_comes_out() -> None:
    for opening in (0.0, 0.1):
        there = scene("drawer", at={"drawer": (0.4, 0.0)}, opening=opening)
        spot = free_spot("centre zone", there)
        assert spot is not None
        assert np.linalg.norm(spot - (0.5, 0.0)) > 0.055


@pytest.mark.parametrize("name", ["can", "button"])
def test_a_zone_is_kept_clear_of(name: str) -> None:
    there = scene(name, at={name: (0.5, 0.0)})
    spot = free_spot("centre zone", there)
    assert spot is not None
    assert np.linalg.norm(spot - there.objects[name].position[:2]) > 0.055
