from __future__ import annotations

import numpy as np

from agent.workspace import PLATE, WORKSPACE_HIGH, WORKSPACE_LOW, ZONE, ZONES, kind_of


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
