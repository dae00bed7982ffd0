from __future__ import annotations

from typing import Any

import pytest

from agent.action_space import ActionSpace, ActionSpec
from skills.interface.decode import CONVERTIBLE
from skills.interface.misfits import misfits
from tests.interface.samples import interface, observation, spec

SEEN = observation()


@pytest.mark.parametrize("given", list(ActionSpace))
@pytest.mark.parametrize("taken", list(ActionSpace))
def test_spaces_fit_that_are_the_same_or_mean_the_same(
    given: ActionSpace, taken: ActionSpace
) -> None:
    found = misfits(interface(given), spec(taken), SEEN)
    if given is taken or (given, taken) in CONVERTIBLE:
        assert found == []
    else:
        [sentence] = found
        assert sentence.startswith("actions.space: ")
        assert given.value in sentence
        assert taken.value in sentence


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"cameras": {"image": {"camera": "frnt"}}},
            "cameras.image: There is no camera 'frnt'; there are: front, wrist. "
            "Did you mean 'front'?",
        ),
        (
            {"cameras": {"image": {"camera": "wrist", "size": [224, 224]}}},
            "cameras.image: 'wrist' gives 96x96 px, but 224x224 px are expected; that enlarges it "
            "2.3 times, and `enlarge` allows 2.",
        ),
        (
            {"state": {"state": {"parts": ["joints"], "joints": 6}}},
            "state.state: 6 joints are expected, but the robot has 7.",
        ),
        (
            {"actions": {"rate_hz": 15}},
            "actions.rate_hz: the model gives 15 rows a second, but the robot takes 10; that many, "
            "or a whole number of times as many, would do.",
        ),
        (
            {"actions": {"rate_hz": 5}},
            "actions.rate_hz: the model gives 5 rows a second, but the robot takes 10; that many, "
            "or a whole number of times as many, would do.",
        ),
        (
            {"actions": {"rate_hz": 50}},
            "actions.horizon: 5 rows of the model make one action of the robot, but a chunk has 4.",
        ),
    ],
)
def test_a_mismatch_is_one_sentence(changed: dict[str, Any], says: str) -> None:
    assert misfits(interface(**changed), spec(), SEEN) == [says]


def test_pictures_may_be_enlarged_as_far_as_is_said() -> None:
    camera = {"camera": "wrist", "size": [224, 224], "enlarge": 2.5}
    assert misfits(interface(cameras={"image": camera}), spec(), SEEN) == []
    # A crop leaves fewer pixels to enlarge.
    cropped = {**camera, "crop": 0.5}
    assert len(misfits(interface(cameras={"image": cropped}), spec(), SEEN)) == 1


def test_numbers_of_joints_and_grippers_are_compared() -> None:
    space = ActionSpace.JOINT_POSITION
    short = interface(space, actions={"dim": 7})
    [sentence] = misfits(short, spec(space), SEEN)
    assert sentence == "actions.dim: the model gives 7 numbers, but the robot takes 8."
    right = spec(space)
    low, high = right.low.copy(), right.high.copy()
    high[-1] = 0.08
    wide = ActionSpec(space, right.names, low, high, right.rate_hz)
    [sentence] = misfits(interface(space), wide, SEEN)
    assert "0..0.08" in sentence
    assert "actions.gripper" in sentence


def test_every_mismatch_is_named() -> None:
    expected = interface(
        cameras={"one": {"camera": "frnt"}, "two": {"camera": "wrst"}},
        state={"state": {"parts": ["joints"], "joints": 6}},
        actions={"rate_hz": 15},
    )
    assert len(misfits(expected, spec(ActionSpace.JOINT_POSITION), SEEN)) == 5
