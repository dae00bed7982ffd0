"""How far what a model tells from pictures agrees with the world."""

from __future__ import annotations

import numpy as np
import pytest

from agent.cli import main
from agent.protocols import Answer, Checked
from agent.rehearsal.agreement import agreement, over_all
from agent.rehearsal.bench import Run
from agent.types import Reason


def _run(success: bool, checked: Checked | None) -> Run:
    nothing = np.zeros((1, 7))
    return Run(
        "pick", 0, False, success, Reason.DONE, nothing, nothing[:, 0], nothing[:, 0], checked
    )


def _told(answer: Answer, fault: str | None = None) -> Checked:
    return Checked(answer, fault, 0 if fault else 100)


def test_a_row_counts_answers_and_agreement_among_the_decided_ones() -> None:
    runs = [
        *[_run(True, _told(Answer.YES))] * 5,
        _run(True, _told(Answer.NO)),
        *[_run(False, _told(Answer.NO))] * 2,
        _run(False, _told(Answer.YES)),
        _run(True, _told(Answer.UNKNOWN)),
        _run(False, _told(Answer.UNKNOWN, "timeout")),
    ]
    told = agreement(runs)
    assert (told["vlm_yes"], told["vlm_no"], told["vlm_unknown"]) == (6, 3, 2)
    assert told["vlm_agreement"] == pytest.approx(7 / 9)
    assert told["vlm_false_yes"] == pytest.approx(1 / 3)
    assert told["vlm_false_no"] == pytest.approx(1 / 6)
    assert (told["vlm_calls"], told["vlm_faults"], told["vlm_tokens"]) == (11, 1, 1000)


def test_where_nothing_is_decided_there_is_no_agreement() -> None:
    told = agreement([_run(True, _told(Answer.UNKNOWN, "unreachable"))])
    assert told["vlm_agreement"] is told["vlm_false_yes"] is told["vlm_false_no"] is None
    assert told["vlm_faults"] == 1


def test_runs_of_which_nobody_was_asked_say_nothing() -> None:
    assert agreement([_run(True, None)]) == {}
    assert over_all([{}, {}]) == {}


def test_over_all_skills_counts_add_up_and_shares_are_meant() -> None:
    right = agreement([_run(True, _told(Answer.YES))] * 9)
    wrong = agreement([_run(False, _told(Answer.YES))])
    silent = agreement([_run(False, _told(Answer.UNKNOWN))])
    told = over_all([right, wrong, silent])
    assert (told["vlm_yes"], told["vlm_unknown"], told["vlm_calls"]) == (10, 1, 11)
    assert told["vlm_agreement"] == 0.5
    assert (told["vlm_false_yes"], told["vlm_false_no"]) == (1.0, 0.0)


def test_without_a_model_there_is_nothing_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "monitor", "--vlm", "--set", "monitor.alpha=0.05"]) == 2
    said = capsys.readouterr().err
    assert "monitor.vlm" in said and said.count("\n") == 1


def test_calibration_asks_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "monitor", "--vlm", "--calibrate"]) == 2
    assert "--calibrate" in capsys.readouterr().err
