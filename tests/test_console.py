"""The operator reads what is planned, what happens and why."""

from __future__ import annotations

import io

import numpy as np

from agent.console import Console
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    SubgoalEnded,
    Ticked,
    VerdictGiven,
)
from agent.types import MissionOutcome, MissionResult, Plan, SubgoalOutcome, SubgoalResult
from tests.episode.samples import PLAN, mission
from tests.parts import DONE, MISSED, PICK


def printed(events: list[Event]) -> str:
    stream = io.StringIO()
    console = Console(stream)
    for event in events:
        console.on_event(event)
    return stream.getvalue()


def test_a_mission_reads_as_a_story() -> None:
    text = printed(mission(np.random.default_rng(0), ticks=2))
    assert text == (
        "put the red block in the blue bowl\n"
        "The plan was rejected:\n"
        "  - The drawer is closed.\n"
        "Will do.\n"
        "Plan\n"
        "  1. pick up the red block\n"
        "  2. put the red block in the blue bowl\n"
        "[1/2] pick up the red block\n"
        "      refuted: grasp missed (30%)\n"
        "Replan 1 after grasp missed\n"
        "Will do.\n"
        "Plan\n"
        "  1. pick up the red block\n"
        "  2. put the red block in the blue bowl\n"
        "[1/2] pick up the red block, attempt 2\n"
        "      confirmed: done (97%)\n"
        "Stopped by stop word.\n"
        "Needs help after 0.7 s, 1 replan.\n"
        "Which?\n"
    )


def test_a_failure_that_was_made_good_is_no_reason_for_a_new_plan() -> None:
    ended = [SubgoalResult(PICK, SubgoalOutcome.FAILED, MISSED, 1, 4)]
    ended += [SubgoalResult(PICK, SubgoalOutcome.SUCCESS, DONE, 2, 4)]
    said: list[list[Event]] = [
        [VerdictGiven(0.0, PICK, r.verdict), SubgoalEnded(0.0, r)] for r in ended
    ]
    replanned = Planned(0.0, PLAN, (), 1)
    assert "Replan 1 after grasp missed\n" in printed([*said[0], replanned])
    assert "Replan 1 after the last look\n" in printed([*said[0], *said[1], replanned])


def test_ticks_print_nothing() -> None:
    events = mission(np.random.default_rng(0), ticks=20)
    assert printed([e for e in events if isinstance(e, Ticked)]) == ""


def test_lines_are_short_and_brackets_are_no_markup() -> None:
    command = "put [bold]everything[/bold] away " * 8
    text = printed([MissionStarted(0.0, command, {}), Planned(0.0, PLAN, ("word " * 40,), 0)])
    assert max(map(len, text.splitlines())) <= 80
    assert "[bold]" in text


def test_a_question_is_printed_once() -> None:
    plan = Plan(command="take it", question="Which block do you mean?")
    result = MissionResult(MissionOutcome.NEEDS_HELP, plan, (), 0, 0.0, plan.question)
    text = printed([Planned(0.0, plan, (), 0), MissionEnded(0.0, result)])
    assert text == "Needs help after 0.0 s.\nWhich block do you mean?\n"


def test_the_stream_is_the_one_given(capsys: object) -> None:
    stream = io.StringIO()
    Console(stream).on_event(MissionStarted(0.0, "go", {}))
    assert stream.getvalue() == "go\n"
    Console().on_event(MissionStarted(0.0, "loud", {}))
    out, err = capsys.readouterr()  # type: ignore[attr-defined]
    assert out == "loud\n" and err == ""
