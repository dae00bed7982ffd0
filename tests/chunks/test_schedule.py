from __future__ import annotations

import pytest

from agent.chunks.schedule import Schedule


def test_it_says_that_the_next_chunk_comes_in_time() -> None:
    assert str(Schedule(6, 0.1, 0.15)) == (
        "Chunks of 6 actions last 0.6 s, at a latency of 0.15 s they must last 0.4 s: the next is "
        "there before one is used up."
    )


@pytest.mark.parametrize(
    ("schedule", "mend"),
    [
        (Schedule(6, 0.1, 0.35), "a latency up to 0.3 s would do."),
        (Schedule(6, 0.1, 0.15, every=5), "set policy.realtime.every to 4 or less."),
    ],
)
def test_it_says_that_the_arm_will_wait_and_the_mend_holds(schedule: Schedule, mend: str) -> None:
    assert schedule.starves
    assert str(schedule).endswith(f"the arm will stand and wait for the next; {mend}")
    assert not Schedule(6, 0.1, 0.3).starves
    assert not Schedule(6, 0.1, 0.15, every=4).starves


@pytest.mark.parametrize(
    ("latency_s", "delay"), [(0.001, 1), (0.1, 1), (0.1001, 2), (0.2, 2), (0.3, 3)]
)
def test_a_delay_is_whole_ticks(latency_s: float, delay: int) -> None:
    assert Schedule(6, 0.1, latency_s).delay == delay
