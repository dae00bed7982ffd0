"""A person nearby hears what the robot will do, what went wrong and what it must know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    VerdictGiven,
)
from agent.speech.replies import Replies, intention
from agent.types import MissionOutcome, MissionResult, Plan, Reason, Verdict, VerdictValue
from tests.episode.samples import FAILURE, MISSED, PICK, PLACE, PLAN, SUCCESS, mission

BARE = Plan(command=PLAN.command, subgoals=(PICK, PLACE))


def said(events: Sequence[Event]) -> list[str]:
    sentences: list[str] = []
    replies = Replies(sentences.append)
    for event in events:
        replies.on_event(event)
    return sentences


def test_a_mission_is_told_in_a_few_short_sentences() -> None:
    told = said(mission(np.random.default_rng(0), ticks=20))
    assert told == ["Will do.", "I missed it.", "I try it another way.", "Which?"]


def test_the_end_is_said() -> None:
    for outcome, sentence in (
        (MissionOutcome.SUCCESS, "Done."),
        (MissionOutcome.FAILED, "I could not do it."),
        (MissionOutcome.STOPPED, "I hold still now."),
    ):
        assert said([MissionEnded(1.0, MissionResult(outcome, PLAN, (), 0, 1.0))]) == [sentence]
    planned = MissionResult(MissionOutcome.PLANNED, PLAN, (), 0, 1.0)
    assert said([MissionEnded(1.0, planned)]) == []


def test_what_it_will_do_is_said_where_the_planner_says_nothing() -> None:
    assert intention(PLAN) == "Will do."
    assert intention(BARE) == (
        "I will pick up the red block, then put the red block in the blue bowl."
    )
    long = Plan(command="x", subgoals=(PICK, PLACE) * 3)
    assert intention(long) == "I will do that in 6 steps, beginning with: pick up the red block."


def test_a_refused_plan_and_the_same_trouble_again_are_not_said() -> None:
    verdict = VerdictGiven(1.0, PICK, MISSED)
    assert said([Planned(0.0, PLAN, ("No.",), 0), verdict, verdict]) == ["I missed it."]


@pytest.mark.parametrize("reason", [r for r in Reason if r not in (Reason.DONE, Reason.STOPPED)])
def test_every_trouble_has_a_sentence(reason: Reason) -> None:
    verdict = Verdict(VerdictValue.REFUTED, reason, 0.9)
    [sentence] = said([VerdictGiven(1.0, PICK, verdict)])
    assert sentence.endswith(".") and len(sentence.split()) <= 8


def test_what_are_you_doing_is_answered_from_the_running_subgoal() -> None:
    replies = Replies(lambda sentence: None)
    answers = [replies.doing()]
    for event in (
        MissionStarted(0.0, PLAN.command, {}),
        Planned(0.0, PLAN, (), 0),
        SubgoalStarted(0.0, PICK, 1),
        SubgoalEnded(1.0, FAILURE),
        SubgoalStarted(1.0, PICK, 2),
        SubgoalEnded(2.0, SUCCESS),
        SubgoalStarted(2.0, PLACE, 1),
        Stopped(2.5, "stop word"),
        MissionEnded(3.0, MissionResult(MissionOutcome.STOPPED, PLAN, (), 0, 3.0)),
    ):
        replies.on_event(event)
        answers.append(replies.doing())
    assert answers == [
        "Nothing at the moment.",
        "Nothing at the moment.",
        "I am thinking.",
        "Step 1 of 2: pick up the red block.",
        "I am thinking.",
        "Step 1 of 2: pick up the red block.",
        "I am thinking.",
        "Step 2 of 2: put the red block in the blue bowl.",
        "I am thinking.",
        "Nothing at the moment.",
    ]
