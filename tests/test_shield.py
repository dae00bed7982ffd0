from __future__ import annotations

import numpy as np
import pytest

from agent.doubles import STILL_SPEC
from agent.errors import ShieldBreach
from agent.shield import Shield
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW
from tests.parts import observation

SHIELD = Shield(STILL_SPEC, WORKSPACE_LOW, WORKSPACE_HIGH, max_speed_m_s=0.3, max_turn_rad_s=1.0)
INSIDE = observation(tool=(0.5, 0.0, 0.3))


def test_a_small_action_passes_unchanged() -> None:
    action = np.array([0.01, -0.005, 0.002, 0.01, 0.02, -0.03, 0.4])
    assert np.array_equal(SHIELD.limit(INSIDE, action), action)


def test_the_policys_action_is_left_as_it_was() -> None:
    action = np.full(7, 5.0)
    SHIELD.limit(INSIDE, action)
    assert np.array_equal(action, np.full(7, 5.0))


def test_speed_is_limited_and_the_direction_kept() -> None:
    safe = SHIELD.limit(INSIDE, np.array([3.0, 4.0, 0, 0, 0, 9.0, 1]))
    assert safe[:3] == pytest.approx([0.018, 0.024, 0])
    assert safe[3:6] == pytest.approx([0, 0, 0.1])


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_asked_stays_within_every_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tool = rng.uniform(WORKSPACE_LOW, WORKSPACE_HIGH)
    asked = rng.normal(size=7) * 10.0 ** rng.integers(-3, 4)
    safe = SHIELD.limit(observation(tool=tuple(tool)), asked)
    assert np.all((safe >= STILL_SPEC.low) & (safe <= STILL_SPEC.high))
    assert np.linalg.norm(safe[:3]) <= 0.03 + 1e-9
    assert np.linalg.norm(safe[3:6]) <= 0.1 + 1e-9
    assert np.all(tool + safe[:3] >= WORKSPACE_LOW - 1e-9)
    assert np.all(tool + safe[:3] <= WORKSPACE_HIGH + 1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_arm_outside_may_come_back_but_not_go_further(sign: float) -> None:
    out = observation(tool=(0.5, sign * 0.5, 0.3))
    further, back = np.zeros(7), np.zeros(7)
    further[1], back[1] = sign * 0.02, -sign * 0.02
    assert np.array_equal(SHIELD.limit(out, further), np.zeros(7))
    assert np.array_equal(SHIELD.limit(out, back), back)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", range(7))
def test_what_is_no_number_is_refused(index: int, value: float) -> None:
    action = np.zeros(7)
    action[index] = value
    with pytest.raises(ShieldBreach, match="finite"):
        SHIELD.limit(INSIDE, action)


@pytest.mark.parametrize("shape", [(6,), (8,), (1, 7), ()])
def test_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShieldBreach, match="shape"):
        SHIELD.limit(INSIDE, np.zeros(shape))


def test_an_arm_that_does_not_know_where_it_is_is_refused() -> None:
    with pytest.raises(ShieldBreach, match="where its tool is"):
        SHIELD.limit(observation(tool=(0.5, np.nan, 0.3)), np.zeros(7))
