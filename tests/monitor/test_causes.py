"""Why something did not come about, as the scene tells it."""

from __future__ import annotations

import numpy as np
import pytest

from agent.monitor.causes import cause
from agent.types import Reason
from tests.scenes import scene

AWAY = np.array([[0.5, 0.0, 0.35]])
BEFORE = scene()
AT = tuple(float(v) for v in BEFORE.objects["red block"].position[:2])
PICK = {"object": "red block"}
PLACE = {"object": "red block", "target": "plate"}
HELD = scene(on={"red block": "hand"})


def _moved_by(metres: float) -> dict[str, tuple[float, float]]:
    return {"red block": (AT[0] + metres, AT[1])}


@pytest.mark.parametrize(
    ("metres", "reason"),
    [(0.0, Reason.TIMEOUT), (0.02, Reason.TIMEOUT), (0.05, Reason.TARGET_MOVED)],
)
def test_what_is_named_stands_elsewhere(metres: float, reason: Reason) -> None:
    assert cause(PICK, BEFORE, scene(at=_moved_by(metres)), Reason.TIMEOUT, AWAY) is reason


def test_what_is_pushed_is_to_move() -> None:
    args = {"object": "red block", "direction": "back"}
    assert cause(args, BEFORE, scene(at=_moved_by(0.05)), Reason.NOT_ACHIEVED, AWAY) is (
        Reason.NOT_ACHIEVED
    )


def test_what_is_carried_moves_with_the_hand() -> None:
    assert cause(PLACE, HELD, BEFORE, Reason.NOT_ACHIEVED, AWAY) is Reason.NOT_ACHIEVED


def test_another_thing_in_the_hand() -> None:
    held = scene(on={"green block": "hand"})
    assert cause(PICK, BEFORE, held, Reason.GRASP_MISSED, AWAY) is Reason.WRONG_OBJECT
    assert cause(PICK, BEFORE, HELD, Reason.GRASP_MISSED, AWAY) is Reason.GRASP_MISSED


def test_what_is_not_seen_tells_nothing() -> None:
    assert cause({"object": "can"}, BEFORE, BEFORE, Reason.TIMEOUT, AWAY) is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("opening", "away_m", "reason"),
    [
        (0.0, 0.01, Reason.BLOCKED),
        (0.005, 0.01, Reason.BLOCKED),
        (0.06, 0.01, Reason.NO_PROGRESS),
        (0.0, 0.1, Reason.NO_PROGRESS),
    ],
)
def test_a_drawer_that_the_hand_had_hold_of_and_did_not_move_is_blocked(
    opening: float, away_m: float, reason: Reason
) -> None:
    shut, now = scene("drawer"), scene("drawer", opening=opening)
    at = now.objects["drawer"].position + np.array([0.0, away_m, 0.0])
    path = np.stack([AWAY[0], at, AWAY[0]])
    assert cause({"object": "drawer"}, shut, now, Reason.NO_PROGRESS, path) is reason
    stowing = {"object": "can", "target": "drawer"}
    assert cause(stowing, shut, now, Reason.NO_PROGRESS, path) is Reason.NO_PROGRESS
