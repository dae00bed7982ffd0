from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.monitor.signals import (
    Inconsistency,
    Lateness,
    Reversals,
    Setback,
    Signal,
    Spread,
    Stall,
    Stillness,
    Tick,
    all_signals,
)
from agent.timing import Timing
from agent.types import ActionChunk
from tests.parts import observation


def _tick(
    number: int = 0,
    *,
    tool: Sequence[float] = (0.4, 0.0, 0.3),
    steps: Iterable[Sequence[float]] = ((0.01, 0.0, 0.0),),
    spread: Sequence[float] | None = None,
    progress: float | None = None,
) -> Tick:
    actions = np.array([[*step, 0, 0, 0, 1] for step in steps], dtype=np.float32)
    heads = None if spread is None else np.array(spread, dtype=np.float32)
    answer = ActionChunk(actions, 0.1, spread=heads, progress=progress)
    return Tick(0.1 * number, 8.0, observation(0.1 * number, tool), answer, actions[:, :3])


def _last(signal: Signal, ticks: Iterable[Tick]) -> float:
    signal.reset()
    return [signal.read(tick) for tick in ticks][-1]


def test_every_signal_has_a_name_and_a_unit_of_its_own() -> None:
    names = [signal.name for signal in all_signals()]
    assert len(set(names)) == len(names)
    assert {signal.unit for signal in all_signals()} == {"m", "s", "share"}


@pytest.mark.parametrize("signal", all_signals(), ids=lambda signal: signal.name)
def test_a_subgoal_begins_anew(signal: Signal) -> None:
    """What a signal says of a subgoal does not depend on the one before."""
    rng = np.random.default_rng(3)
    one, two = (
        [
            _tick(
                n,
                tool=rng.uniform(0.3, 0.5, 3).tolist(),
                steps=rng.normal(0, 0.01, (6, 3)).tolist(),
                spread=rng.uniform(0, 0.01, 6).tolist(),
                progress=float(rng.random()),
            )
            for n in range(12)
        ]
        for _ in range(2)
    )
    alone = _last(signal, two)
    _last(signal, one)
    assert _last(signal, two) == alone


def test_lateness_is_a_share_of_the_budget() -> None:
    assert _last(Lateness(), [_tick(40)]) == pytest.approx(0.5)


def test_spread_is_a_mean_and_needs_its_head() -> None:
    assert _last(Spread(), [_tick(spread=[0.01, 0.03])]) == pytest.approx(0.02)
    assert np.isnan(_last(Spread(), [_tick()]))


def test_a_chunk_that_goes_on_as_foreseen_is_consistent() -> None:
    steps = [(0.01 * k, 0.0, -0.005) for k in range(8)]
    signal = Inconsistency()
    assert np.isnan(_last(signal, [_tick(0, steps=steps[:6])]))
    assert signal.read(_tick(1, steps=steps[1:7])) == pytest.approx(0.0, abs=1e-8)


def test_inconsistency_is_how_far_apart_paths_run_per_tick() -> None:
    """Two paths, each a centimetre a tick, one to the left and one forward."""
    left, ahead = [(0.0, 0.01, 0.0)] * 4, [(0.01, 0.0, 0.0)] * 4
    apart = _last(Inconsistency(), [_tick(0, steps=left), _tick(1, steps=ahead)])
    assert apart == pytest.approx(0.01 * np.sqrt(2) * np.mean([1, 2, 3]) / 3)


def test_single_actions_foresee_nothing() -> None:
    assert np.isnan(_last(Inconsistency(), [_tick(0), _tick(1)]))


def test_reversals_count_steps_that_go_back() -> None:
    ahead, back, tiny = (0.01, 0.0, 0.0), (-0.01, 0.0, 0.0), (0.0, 1e-4, 0.0)
    to_and_fro = [_tick(n, steps=[ahead if n % 2 else back]) for n in range(30)]
    assert _last(Reversals(window=10), to_and_fro) == 1.0
    on = [_tick(n, steps=[ahead]) for n in range(30)]
    assert _last(Reversals(), on) == 0.0
    # A pause between two steps does not hide that the second goes back.
    paused = [_tick(0, steps=[ahead]), _tick(1, steps=[tiny]), _tick(2, steps=[back])]
    assert _last(Reversals(), paused) == pytest.approx(1 / 3)


def test_stillness_is_the_time_in_one_spot() -> None:
    stays = [_tick(n, tool=(0.4, 0.001 * (n % 2), 0.3)) for n in range(21)]
    assert _last(Stillness(), stays) == pytest.approx(2.0)
    moves = [*stays, _tick(21, tool=(0.42, 0.0, 0.3))]
    assert _last(Stillness(), moves) == 0.0


def test_creeping_is_not_still() -> None:
    """Half a millimetre a tick leaves a spot of 5 mm every eleven ticks."""
    creeps = [_tick(n, tool=(0.4 + 0.0005 * n, 0.0, 0.3)) for n in range(60)]
    signal = Stillness()
    signal.reset()
    assert max(signal.read(tick) for tick in creeps) < 1.2


def test_stall_is_the_time_without_progress() -> None:
    further = [_tick(n, progress=0.05 * n) for n in range(10)]
    assert _last(Stall(), further) == 0.0
    stuck = [_tick(n, progress=min(0.05 * n, 0.2)) for n in range(15)]
    assert _last(Stall(), stuck) == pytest.approx(1.0)
    assert np.isnan(_last(Stall(), [_tick()]))


def test_setback_is_progress_lost() -> None:
    lost = [_tick(n, progress=p) for n, p in enumerate([0.1, 0.6, 0.5, 0.2])]
    assert _last(Setback(), lost) == pytest.approx(0.4)
    assert np.isnan(_last(Setback(), [_tick()]))


def _seen(tick: Tick, seen_s: float) -> Tick:
    chunk = replace(tick.chunk, timing=Timing(seen_s, 0.15))
    return replace(tick, chunk=chunk, judged_s=seen_s)


def test_one_inference_is_not_compared_with_itself() -> None:
    """What was foreseen is carried out row by row, and says the same of itself all the while."""
    signal, steps = Inconsistency(), [(0.01 * row, 0.0, 0.0) for row in range(6)]
    first = _seen(_tick(0, steps=[(0.0, 0.0, 0.0)] * 6), 0.0)
    signal.reset()
    told = [signal.read(first)]
    told += [signal.read(_seen(_tick(n, steps=steps[n - 2 :]), 0.2)) for n in (2, 3, 4)]
    assert np.isnan(told[0])
    assert told[1] > 0 and told[1] == told[2] == told[3]


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_chunks_are_compared_by_time_and_per_tick_between_them(gap: int) -> None:
    """A policy that drifts by so much a tick is as inconsistent, however often it is asked."""
    signal, drift = Inconsistency(), 0.004
    signal.reset()
    for number in range(0, 10, gap):
        steps = [(0.01 + drift * number, 0.0, 0.0)] * 6
        told = signal.read(_seen(_tick(number, steps=steps), 0.1 * number))
    common = 6 - gap
    assert told == pytest.approx(drift * (common + 1) / 2 / common, rel=1e-4)


def test_a_stall_is_told_by_when_progress_was_seen() -> None:
    signal = Stall()
    signal.reset()
    signal.read(_tick(0, progress=0.1))
    late = replace(_tick(8, progress=0.1), judged_s=0.5)
    assert signal.read(late) == pytest.approx(0.5)
    assert signal.read(_tick(8, progress=0.1)) == pytest.approx(0.8)
