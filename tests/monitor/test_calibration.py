from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.errors import CheckpointError
from agent.monitor.calibration import (
    FILE,
    Calibration,
    Fusion,
    Readings,
    SkillCalibration,
    calibrated,
    fused_scores,
)
from agent.monitor.conformal import reach

NAMES = ("late", "spread", "silent")


def _runs(
    count: int, rng: np.random.Generator, trouble: float = 0.0, from_tick: int = 15
) -> list[Readings]:
    """Return runs of two signals that speak and one that never does; trouble raises the second."""
    runs = []
    for ticks in rng.integers(25, 40, count):
        late = np.linspace(0, 0.5, ticks) + rng.normal(0, 0.01)
        spread = rng.gamma(4, 0.001, ticks) + trouble * (np.arange(ticks) >= from_tick)
        spread[0] = np.nan
        runs.append(np.stack([late, spread, np.full(ticks, np.nan)], axis=1))
    return runs


def _usual(count: int = 240) -> SkillCalibration:
    rng = np.random.default_rng(5)
    return calibrated(dict.fromkeys(NAMES, 0.001), _runs(count, rng), rng)


def _alarm(run: Readings, usual: SkillCalibration, alpha: float = 0.1) -> bool:
    band, limit = usual.fused.band, reach(usual.worst, alpha)
    scores = enumerate(fused_scores(NAMES, run, usual.signals))
    return any(not band.strays(t, v) <= limit for t, v in scores)


def test_false_alarms_are_as_rare_as_chosen_and_trouble_is_found() -> None:
    rng, usual = np.random.default_rng(9), _usual()
    assert np.mean([_alarm(run, usual) for run in _runs(400, rng)]) < 0.17
    assert np.mean([_alarm(run, usual) for run in _runs(100, rng, trouble=0.02)]) > 0.95


def test_a_signal_that_says_nothing_has_no_voice() -> None:
    assert set(_usual().signals) == {"late", "spread"}


def test_no_voice_at_all_is_not_usual() -> None:
    usual = _usual()
    silent = np.full((5, 3), np.nan)
    assert np.isnan(fused_scores(NAMES, silent, usual.signals)).all()
    assert _alarm(silent, usual)


def test_one_signal_cannot_drown_the_others() -> None:
    fusion = Fusion(_usual().signals)
    score, strays = fusion.score({"late": 0.0, "spread": 1e9})
    assert strays["spread"] > 1e6
    assert score < 4


def test_a_subgoal_begins_anew() -> None:
    fusion = Fusion(_usual().signals)
    first = fusion.score({"late": 0.0, "spread": 0.004})
    fusion.score({"late": 0.5, "spread": 1.0})
    fusion.reset()
    assert fusion.score({"late": 0.0, "spread": 0.004}) == first


def test_kept_beside_the_checkpoint(tmp_path: Path) -> None:
    usual = _usual()
    made = Calibration(checkpoint="abc", data="def", skills={"pick": usual}, others={})
    (tmp_path / FILE).write_text(made.model_dump_json())
    assert Calibration.beside(tmp_path, "abc") == made
    with pytest.raises(CheckpointError, match="made for weights abc, not for xyz"):
        Calibration.beside(tmp_path, "xyz")


@pytest.mark.parametrize("text", [None, "{", '{"checkpoint": "abc"}'])
def test_missing_or_damaged_is_said(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / FILE).write_text(text)
    with pytest.raises(CheckpointError, match="eval monitor --calibrate"):
        Calibration.beside(tmp_path, "abc")
