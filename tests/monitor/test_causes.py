"""Why something did not come about, as the scene tells it."""

from __future__ import annotations

import pytest

from agent.monitor.causes import cause
from agent.types import Reason
from tests.scenes import scene

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
    assert cause(PICK, BEFORE, scene(at=_moved_by(metres)), Reason.TIMEOUT) is reason


def test_what_is_pushed_is_to_move() -> None:
    args = {"object": "red block", "direction": "back"}
    assert cause(args, BEFORE, scene(at=_moved_by(0.05)), Reason.NOT_ACHIEVED) is (
        Reason.NOT_ACHIEVED
    )


def test_what_is_carried_moves_with_the_hand() -> None:
    assert cause(PLACE, HELD, BEFORE, Reason.NOT_ACHIEVED) is Reason.NOT_ACHIEVED


def test_another_thing_in_the_hand() -> None:
    held = scene(on={"green block": "hand"})
    assert cause(PICK, BEFORE, held, Reason.GRASP_MISSED) is Reason.WRONG_OBJECT
    assert cause(PICK, BEFORE, HELD, Reason.GRASP_MISSED) is Reason.GRASP_MISSED


def test_what_is_not_seen_tells_nothing() -> None:
    assert cause({"object": "can"}, BEFORE, BEFORE, Reason.TIMEOUT) is Reason.TIMEOUT
