from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.doubles import FixedEstimator
from agent.scene.tracker import SceneTracker
from agent.types import HAND, TABLE, Scene, SceneObject
from tests.parts import observation


def _block(
    name: str = "red block",
    x: float = 0.5,
    presence: float = 1.0,
    support: str = TABLE,
    sure: float = 1.0,
) -> SceneObject:
    return SceneObject(name, "block", np.array([x, 0.0, 0.02]), presence, support, sure)


def _scene(*objects: SceneObject) -> Scene:
    return Scene(0.0, {thing.name: thing for thing in objects})


def _track(
    *scenes: Scene, every_s: float = 1.0, openings: Sequence[float] | None = None
) -> list[Scene]:
    tracker = SceneTracker(FixedEstimator(scenes))
    tracker.reset()
    return [
        tracker.estimate(observation(every_s * tick, gripper=opening))
        for tick, opening in enumerate(openings or [0.5] * len(scenes))
    ]


GONE = _scene(_block(presence=0.1))


def test_what_is_seen_clearly_is_believed_and_what_is_not_is_left_out() -> None:
    (seen,) = _track(_scene(_block(), _block("blue block", presence=0.4)))
    assert list(seen.objects) == ["red block"]


def test_the_scene_has_the_time_of_its_observation() -> None:
    assert [seen.time_s for seen in _track(GONE, GONE, GONE)] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("hidden", [GONE, Scene(0.0)])
def test_what_the_arm_hides_is_still_there(hidden: Scene) -> None:
    seen = _track(_scene(_block(x=0.6, support="blue bowl")), *[hidden] * 5)[-1].objects
    assert seen["red block"].position[0] == 0.6
    assert seen["red block"].support == "blue bowl"
    assert seen["red block"].age_s == 5.0
    assert 0.8 < seen["red block"].presence < 1.0


@pytest.mark.parametrize("hidden", [GONE, Scene(0.0)])
def test_what_stays_hidden_fades_and_is_forgotten(hidden: Scene) -> None:
    history = _track(_scene(_block()), *[hidden] * 100)
    presence = [s.objects["red block"].presence for s in history if "red block" in s.objects]
    assert presence == sorted(presence, reverse=True)
    assert 40 < len(presence) < 80
    assert "red block" not in history[-1].objects


def test_fading_depends_on_time_and_not_on_the_number_of_looks() -> None:
    slow = _track(_scene(_block()), *[GONE] * 4)[-1].objects["red block"]
    fast = _track(_scene(_block()), *[GONE] * 40, every_s=0.1)[-1].objects["red block"]
    assert fast.presence == pytest.approx(slow.presence)
    assert fast.age_s == pytest.approx(slow.age_s)


def test_what_is_seen_again_is_certain_again() -> None:
    seen = _track(_scene(_block(presence=0.8)), GONE, _scene(_block(presence=0.9)))[-1]
    assert (seen.objects["red block"].presence, seen.objects["red block"].age_s) == (0.9, 0.0)


def test_positions_of_what_stands_still_are_averaged() -> None:
    assert _track(_scene(_block(x=0.50)), _scene(_block(x=0.51)))[-1].objects["red block"].position[
        0
    ] == pytest.approx(0.505)


@pytest.mark.parametrize(("x", "support"), [(0.60, TABLE), (0.505, HAND), (0.505, "plate")])
def test_what_moved_is_where_it_is_now(x: float, support: str) -> None:
    seen = _track(_scene(_block(x=0.50)), _scene(_block(x=x, support=support)))[-1]
    assert seen.objects["red block"].position[0] == x
    assert seen.objects["red block"].support == support


def test_a_look_that_agrees_takes_no_certainty_away_but_one_that_does_not_does() -> None:
    sure, unsure = (_block(support="blue block", sure=sure) for sure in (0.95, 0.5))
    agreed = _track(_scene(sure), _scene(unsure))[-1].objects["red block"]
    assert 0.9 < agreed.support_confidence < 0.95
    late = _track(_scene(sure), _scene(unsure), every_s=60.0)[-1].objects["red block"]
    assert late.support_confidence == 0.5
    glimpsed = _track(_scene(_block()), _scene(_block(presence=0.6)))[-1].objects["red block"]
    assert 0.9 < glimpsed.presence < 1.0
    other = _track(_scene(sure), _scene(_block(sure=0.5)))[-1].objects["red block"]
    assert (other.support, other.support_confidence) == (TABLE, 0.5)


def test_noise_averages_out() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.004, 400)
    xs = [
        s.objects["red block"].position[0]
        for s in _track(*[_scene(_block(x=0.5 + float(n))) for n in noise])
    ]
    assert np.std(xs[10:]) < 0.75 * np.std(noise)


def test_one_hand_holds_one_thing() -> None:
    (seen,) = _track(
        _scene(_block(support=HAND, sure=0.7), _block("blue block", support=HAND, sure=0.8))
    )
    assert seen.held is not None
    assert seen.held.name == "blue block"
    assert (seen.objects["red block"].support, seen.objects["red block"].support_confidence) == (
        TABLE,
        0.0,
    )


def test_what_is_seen_in_the_hand_displaces_what_is_remembered_there() -> None:
    seen = _track(
        _scene(_block(support=HAND)),
        _scene(_block(presence=0.1), _block("blue block", support=HAND, sure=0.6)),
    )[-1]
    assert [o.name for o in seen.objects.values() if o.support == HAND] == ["blue block"]


@pytest.mark.parametrize(
    ("openings", "presence"),
    [((0.5, 0.51), 0.9), ((0.5, 0.1), 0.6), ((0.5, 0.7), 0.6), ((1.0, 1.0), 0.6)],
)
def test_what_is_held_is_there_until_the_fingers_move(
    openings: tuple[float, float], presence: float
) -> None:
    held = [_scene(_block(support=HAND, presence=seen)) for seen in (0.9, 0.6)]
    assert _track(*held, openings=openings)[-1].objects["red block"].presence == presence


def test_what_is_held_is_remembered_while_the_hand_is_hidden() -> None:
    seen = _track(_scene(_block(support=HAND)), GONE)[-1]
    assert seen.held is not None
    assert seen.held.name == "red block"


@pytest.mark.parametrize("opening", [0.05, 1.0])
@pytest.mark.parametrize("now", [GONE, _scene(_block(support=HAND))])
def test_what_was_held_lies_below_once_the_fingers_hold_nothing(now: Scene, opening: float) -> None:
    high = replace(_block(support=HAND), position=np.array([0.5, 0.0, 0.2]))
    thing = _track(_scene(high), now, openings=[0.5, opening])[-1].objects["red block"]
    assert (thing.support, thing.support_confidence) == (TABLE, 0.0)
    assert thing.position == pytest.approx([0.5, 0.0, 0.02])


def test_reset_forgets() -> None:
    tracker = SceneTracker(FixedEstimator([_scene(_block())]))
    tracker.estimate(observation(3.0))
    tracker.reset()
    single = FixedEstimator([_scene(_block(x=0.51))])
    fresh = SceneTracker(single).estimate(observation(0.0))
    again = tracker.estimate(observation(0.0))
    assert again.objects["red block"].position[0] == 0.5
    assert fresh.objects["red block"].position[0] == 0.51


def test_the_estimators_own_scene_is_left_as_it_was() -> None:
    first = _scene(_block())
    moved = replace(first, objects={"red block": _block(x=0.51)})
    _track(first, moved)
    assert moved.objects["red block"].position[0] == 0.51


def _drawer(opening: float) -> SceneObject:
    handle = np.array([0.265 + opening, 0.27, 0.05])
    return SceneObject("drawer", "drawer", handle, articulation=opening)


def test_what_is_shut_in_a_drawer_stays_and_moves_with_it() -> None:
    inside = _block(x=0.28, support="drawer")
    history = _track(_scene(_drawer(0.1), inside), *[_scene(_drawer(0.0))] * 100)
    hidden = history[-1].objects["red block"]
    assert (hidden.presence, hidden.support, hidden.age_s) == (1.0, "drawer", 100.0)
    assert hidden.position[0] == pytest.approx(0.18)


def test_what_an_open_drawer_no_longer_shows_fades() -> None:
    inside = _block(x=0.28, support="drawer")
    history = _track(_scene(_drawer(0.1), inside), *[_scene(_drawer(0.1))] * 100)
    assert "red block" not in history[-1].objects


def test_nothing_carries_itself_by_way_of_others() -> None:
    names = ("red block", "green block", "blue block")
    below = dict(zip(names, (*names[1:], names[0]), strict=True))
    circle = [_block(n, support=b, sure=0.5 + 0.1 * i) for i, (n, b) in enumerate(below.items())]
    (seen,) = _track(_scene(*circle))
    assert [thing.support for thing in seen.objects.values()] == [TABLE, "blue block", "red block"]
    assert seen.objects["red block"].support_confidence == 0.0
