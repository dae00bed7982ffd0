from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.monitor.cameras import _LAG_TICKS, CameraWatch
from agent.types import Image, Observation


def _image(seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)


def _seen(
    tick: int, front: Image, *, step_m: float = 0.01, turn: float = 0.0, height_m: float = 0.1
) -> Observation:
    half = turn * tick / 2
    pose = np.array([0.4 + step_m * tick, 0, height_m, np.cos(half), np.sin(half), 0, 0])
    return Observation(0.1 * tick, {"front": front, "wrist": _image(tick)}, np.zeros(7), pose, 1.0)


def _still(tick: int, *, step_m: float, turn: float = 0.0) -> Observation:
    """Return what is seen when both cameras repeat themselves."""
    now = _seen(tick, _image(0), step_m=step_m, turn=turn)
    return replace(now, images={"front": _image(0), "wrist": _image(1)})


def test_new_pictures_are_fine() -> None:
    watch = CameraWatch()
    assert all(watch.lost(_seen(t, _image(1000 + t))) is None for t in range(20))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_camera_is_lost_at_the_second_tick(shade: int) -> None:
    watch, blank = CameraWatch(), np.full((24, 32, 3), shade, np.uint8)
    assert watch.lost(_seen(0, _image(0))) is None
    assert watch.lost(_seen(1, blank)) is None
    assert watch.lost(_seen(2, blank)) == "front: blank"


def _moving(tick: int, *, step_m: float, turn: float = 0.0) -> Observation:
    return _seen(tick, _image(1000 + tick), step_m=step_m, turn=turn)


@pytest.mark.parametrize(("step_m", "turn"), [(0.01, 0.0), (0.0, 0.2)])
def test_cameras_that_freeze_in_mid_motion_are_lost_at_the_second_tick(
    step_m: float, turn: float
) -> None:
    watch = CameraWatch()
    assert all(watch.lost(_moving(t, step_m=step_m, turn=turn)) is None for t in range(10))
    found = [watch.lost(_still(10 + t, step_m=step_m, turn=turn)) for t in range(4)]
    assert found[0] is found[1] is None
    assert found[2:] == ["front: frozen", "front: frozen"]


def test_cameras_frozen_before_the_arm_sets_out_are_lost_once_no_lag_explains_it() -> None:
    watch = CameraWatch()
    found = [watch.lost(_still(t, step_m=0.01)) for t in range(_LAG_TICKS + 3)]
    assert set(found[:-1]) == {None}
    assert found[-1] == "front: frozen"


@pytest.mark.parametrize("lag", range(_LAG_TICKS + 1))
def test_late_pictures_of_an_arm_that_sets_out_and_stops_are_fine(lag: int) -> None:
    watch, way = CameraWatch(), [0, 0, *range(12), *[11] * 12, *range(12, 24)]
    for tick, goes in enumerate(way):
        shown = 0.01 * way[max(0, tick - lag)]
        pictures = {"front": _image(round(1000 * shown)), "wrist": _image(round(2000 * shown))}
        now = replace(_seen(goes, _image(0)), images=pictures)
        assert watch.lost(now) is None


def test_one_frozen_camera_is_lost_after_a_long_way() -> None:
    """It may not have seen the arm before; the other one shows that time goes on."""
    watch, same = CameraWatch(), _image(0)
    found = [watch.lost(_seen(t, same)) for t in range(20)]
    assert set(found[:16]) == {None}
    assert found[18] == "front: frozen"


def test_a_camera_that_stands_may_repeat_itself_while_the_arm_is_above_its_view() -> None:
    watch, same = CameraWatch(), _image(0)
    assert all(watch.lost(_seen(t, same, height_m=0.3)) is None for t in range(40))
    found = [watch.lost(_seen(t, same)) for t in range(40, 60)]
    assert set(found[:16]) == {None}
    assert found[18] == "front: frozen"


def test_an_arm_that_rests_may_see_the_same() -> None:
    watch = CameraWatch()
    assert all(watch.lost(_still(t, step_m=0.0)) is None for t in range(20))


def test_slow_creeping_before_a_still_picture_is_noticed_too() -> None:
    watch = CameraWatch()
    assert "front: frozen" in [watch.lost(_still(t, step_m=0.001)) for t in range(8 + _LAG_TICKS)]


def test_one_bad_picture_is_forgiven() -> None:
    watch, blank = CameraWatch(), np.zeros((24, 32, 3), np.uint8)
    pictures = [_image(100), blank, _image(101), blank, _image(102)]
    assert all(watch.lost(_seen(t, p)) is None for t, p in enumerate(pictures))


def test_a_reset_forgets() -> None:
    watch, blank = CameraWatch(), np.zeros((24, 32, 3), np.uint8)
    watch.lost(_seen(0, blank))
    watch.reset()
    assert watch.lost(_seen(1, blank)) is None
