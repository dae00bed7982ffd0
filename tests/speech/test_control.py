"""Control words, told from transcripts."""

from __future__ import annotations

import pytest

from agent.speech.control import Control, control_of


@pytest.mark.parametrize(
    ("text", "control"),
    [
        ("stop", Control.STOP),
        ("Stop!", Control.STOP),
        ("stop stop stop", Control.STOP),
        ("robot please stop now", Control.STOP),
        ("pause please", Control.PAUSE),
        ("wait a moment", Control.PAUSE),
        ("okay continue", Control.CONTINUE),
        ("go on", Control.CONTINUE),
        ("cancel that", Control.CANCEL),
        ("never mind", Control.CANCEL),
        ("go home", Control.GO_HOME),
        ("now go home please", Control.GO_HOME),
    ],
)
def test_control_words(text: str, control: Control) -> None:
    assert control_of(text) is control


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "stop at the drawer",
        "do not stop",
        "don't stop",
        "unstoppable",
        "put the red block on top",
        "open the drawer then go home",
        "stop and go home",
        "continue with the green one",
    ],
)
def test_what_says_more_or_something_else_steers_nothing(text: str) -> None:
    assert control_of(text) is None
