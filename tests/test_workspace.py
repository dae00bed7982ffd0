from __future__ import annotations

import numpy as np
import pytest

from agent.types import HAND, TABLE
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BUTTON,
    CAN,
    CAN_HEIGHT,
    DIRECTION,
    DIRECTIONS,
    DRAWER,
    DRAWER_CLOSED,
    DRAWER_OPEN,
    DRAWER_TRAVEL,
    FIXTURES,
    MOVABLE,
    OBJECTS,
    PLATE,
    PUSH_DISTANCE,
    PUSH_LEAST,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    ZONE,
    ZONES,
    capacity,
    half_height,
    kind_of,
)


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


@pytest.mark.parametrize(
    ("way", "zone", "opposite"),
    [
        ("left", "left zone", "right"),
        ("right", "right zone", "left"),
        ("forward", "front zone", "back"),
        ("back", "back zone", "forward"),
    ],
)
def test_a_direction_leads_to_the_zone_of_its_name(way: str, zone: str, opposite: str) -> None:
    there = ZONES[zone].centre - ZONES["centre zone"].centre
    assert there @ np.array(DIRECTIONS[way]) > 0.98 * np.linalg.norm(there)
    assert np.array(DIRECTIONS[way]) == pytest.approx(-np.array(DIRECTIONS[opposite]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("left zone", ZONE),
        ("left", DIRECTION),
        ("forward", DIRECTION),
        ("plate", PLATE),
        ("yellow block", BLOCK),
        ("can", CAN),
        ("white bowl", BOWL),
        ("drawer", DRAWER),
        ("button", BUTTON),
        ("dragon", None),
        (TABLE, None),
        (HAND, None),
    ],
)
def test_kinds(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_every_name_means_one_thing() -> None:
    names = [*OBJECTS, *ZONES, *DIRECTIONS, TABLE, HAND]
    assert len(set(names)) == len(names)
    assert not set(MOVABLE) & set(FIXTURES)


@pytest.mark.parametrize(
    ("target", "most"),
    [
        ("blue bowl", 3),
        ("plate", 2),
        ("centre zone", 3),
        ("drawer", 2),
        ("red block", 1),
        ("can", 0),
        ("button", 0),
        ("left", 0),
        ("dragon", 0),
    ],
)
def test_capacities(target: str, most: int) -> None:
    assert capacity(target) == most


def test_what_can_be_carried_has_its_origin_in_its_middle() -> None:
    heights = {kind: half_height(kind) for kind in set(OBJECTS.values())}
    assert heights.pop(BLOCK) == BLOCK_HALF
    assert heights.pop(CAN) == CAN_HEIGHT / 2
    assert set(heights.values()) == {0.0}


def test_a_drawer_is_never_both_open_and_closed_and_a_usual_push_counts() -> None:
    assert 0 < DRAWER_CLOSED < DRAWER_OPEN < DRAWER_TRAVEL
    assert PUSH_LEAST < PUSH_DISTANCE
