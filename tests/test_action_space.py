from __future__ import annotations

import numpy as np
import pytest

from agent.doubles import STILL_SPEC


def test_an_action_is_clipped_to_what_may_be_sent() -> None:
    far = np.full(STILL_SPEC.low.size, 99.0)
    assert np.array_equal(STILL_SPEC.clipped(far), STILL_SPEC.high)
    assert np.array_equal(STILL_SPEC.clipped(-far), STILL_SPEC.low)
    still = np.zeros(STILL_SPEC.low.size)
    assert np.array_equal(STILL_SPEC.clipped(still), still)


@pytest.mark.parametrize("action", [[np.nan] * 7, [np.inf] * 7, [0.0], [[0.0] * 7], 0.0])
def test_what_is_no_action_is_refused(action: object) -> None:
    with pytest.raises(ValueError, match="7 finite numbers"):
        STILL_SPEC.clipped(np.asarray(action))
