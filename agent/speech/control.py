"""Words that steer a running mission, told from what was understood of an utterance."""

from __future__ import annotations

import re
from enum import StrEnum


class Control(StrEnum):
    """What somebody may say in mid-mission that is neither a command nor a correction."""

    STOP = "stop"
    PAUSE = "pause"
    CONTINUE = "continue"
    CANCEL = "cancel"
    GO_HOME = "go home"


_SAID = {
    Control.STOP: "stop|halt|freeze|stop it|stop that|stop there|stop moving|emergency stop",
    Control.PAUSE: "pause|wait|hold on|hold still|wait a (moment|minute|second)|one moment",
    Control.CONTINUE: "continue|go on|carry on|resume|keep going|proceed",
    Control.CANCEL: "cancel|cancel (it|that|everything)|abort|never ?mind|forget (it|that)",
    Control.GO_HOME: "go home|go back home|home|return home",
}
_POLITE = re.compile(r"\b(please|now|robot|bosun|okay|ok|hey|just|then)\b")
_PATTERNS = {
    control: re.compile(rf"(?:(?:{phrases})(?: |$))+") for control, phrases in _SAID.items()
}


def control_of(text: str) -> Control | None:
    """Return what an utterance steers, None where it is something else or says more than that.

    `stop`, `please stop now` and `stop stop` are all a stop; `stop at the drawer` is none.

    Args:
        text: What was understood; case and punctuation do not matter.
    """
    words = " ".join(_POLITE.sub(" ", re.sub(r"[^a-z ]+", " ", text.lower())).split())
    return next((c for c, pattern in _PATTERNS.items() if pattern.fullmatch(words)), None)
