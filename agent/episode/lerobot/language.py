"""What is said of a run in LeRobot's language columns: what held all along, and what came up.

Their styles are LeRobot's own: `subtask`, `plan` and `memory` hold from their time on, an
`interjection` is the human's, and what has no style is the robot's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from agent.episode.runs import Said, SubgoalRun
from agent.events import Answered, Corrected, Heard, Planned
from agent.types import SubgoalResult

Row = dict[str, Any]


def persistent_rows(run: SubgoalRun, command: str, end_s: float) -> list[Row]:
    """Return what holds in every frame of a run: its subgoal, its plan and what came before it.

    Args:
        run: The run.
        command: The mission's.
        end_s: Time of the run's last frame, s since its first; from then on its own outcome is
            remembered, too.
    """
    rows = [_row("assistant", run.subgoal.phrase, "subtask", timestamp=0.0)]
    if run.plan is not None:
        phrases = (f"{n}. {s.phrase}" for n, s in enumerate(run.plan.subgoals, 1))
        rows.append(_row("assistant", "\n".join(phrases), "plan", timestamp=0.0))
    memory = _memory(command, run.before, run.replans)
    rows.append(_row("assistant", memory, "memory", timestamp=0.0))
    if run.result is not None and end_s > 0:
        after = _memory(command, (*run.before, run.result), run.replans)
        rows.append(_row("assistant", after, "memory", timestamp=end_s))
    return rows


def event_rows(run: SubgoalRun) -> list[list[Row]]:
    """Return for every frame of a run what was said by then and after the frame before it."""
    times = [tick.time_s for tick in run.ticks]
    rows: list[list[Row]] = [[] for _ in times]
    for said in run.said:
        # What was said after the last frame, or came of it, stands with that one.
        frame = min(bisect_left(times, said.time_s), len(times) - 1)
        rows[frame].extend(_said(said))
    if run.verdict is not None:
        verdict = run.verdict
        text = f"{verdict.value}: {verdict.reason} ({verdict.confidence:.2f})"
        rows[-1].append(_row("assistant", text, None))
    return rows


def _said(said: Said) -> list[Row]:
    match said:
        case Heard():
            return [_row("user", said.text, "interjection")] if said.text else []
        case Answered():
            return [
                _row("assistant", said.question, None),
                _row("user", said.answer, "interjection"),
            ]
        case Corrected():
            return [_row("user", said.wish, "interjection")]
        case Planned():
            return [_row("assistant", _planned(said), None)]
    return [_row("assistant", f"stopped: {said.source}", None)]


def _planned(planned: Planned) -> str:
    plan = planned.plan
    steps = ", ".join(subgoal.phrase for subgoal in plan.subgoals)
    what = f"question: {plan.question}" if plan.question else f"plan: {steps}"
    number = f" (new plan {planned.replans})" if planned.replans else ""
    refused = f"; refused: {' '.join(planned.problems)}" if planned.problems else ""
    return f"{what}{number}{refused}"


def _memory(command: str, results: Sequence[SubgoalResult], replans: int) -> str:
    done = [f"{r.subgoal.phrase}: {r.outcome.value}, {r.verdict.reason.value}" for r in results]
    lines = [f"command: {command}", *done]
    return "\n".join([*lines, f"new plans: {replans}"] if replans else lines)


def _row(role: str, content: str, style: str | None, **more: float) -> Row:
    return {
        "role": role,
        "content": content,
        "style": style,
        "camera": None,
        "tool_calls": None,
        **more,
    }
