"""How far a language model that compares two pictures agrees with the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.protocols import Answer, Checked
from agent.rehearsal.bench import Run

_COUNTED = ("yes", "no", "unknown", "calls", "faults", "tokens")


def agreement(runs: Sequence[Run]) -> dict[str, Any]:
    """Return what a row says of the model, nothing where it was asked of no run.

    `vlm_agreement` is the share of its decided answers, yes or no, that the world bears out;
    `vlm_false_yes` and `vlm_false_no` are the shares of decided failures that it calls a success,
    and of decided successes that it calls a failure. Each is None of nothing. Where a call fails it
    has answered unknown.

    Args:
        runs: Of one skill.
    """
    asked = [(run.checked, run.success) for run in runs if run.checked is not None]
    if not asked:
        return {}
    answers = [checked.answer for checked, _ in asked]
    decided = [(c.answer is Answer.YES, truth) for c, truth in asked if _decides(c)]
    return {
        **{f"vlm_{answer.value}": answers.count(answer) for answer in Answer},
        "vlm_agreement": _share([said is truth for said, truth in decided]),
        "vlm_false_yes": _share([said for said, truth in decided if not truth]),
        "vlm_false_no": _share([not said for said, truth in decided if truth]),
        "vlm_calls": len(asked),
        "vlm_faults": sum(checked.fault is not None for checked, _ in asked),
        "vlm_tokens": sum(checked.tokens for checked, _ in asked),
    }


def over_all(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the same over all rows: sums of what is counted, and means over skills of shares.

    Args:
        rows: What `agreement` said of each skill.
    """
    told = [row for row in rows if row]
    if not told:
        return {}
    counted = {key: sum(row[key] for row in told) for key in map("vlm_{}".format, _COUNTED)}
    shares = [key for key in told[0] if key not in counted]
    return {**counted, **{key: _mean([row[key] for row in told]) for key in shares}}


def _decides(checked: Checked) -> bool:
    return checked.answer is not Answer.UNKNOWN


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None
