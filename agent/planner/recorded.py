"""A language model's replies played back from an episode, to the same questions only."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

from agent.events import Consulted, Turn
from agent.planner.chat import ChatFault, Fault, Reply, Request


class RecordedChat:
    """Answers as it was answered then, or says where the question is another one."""

    def __init__(self, consulted: Sequence[Consulted]) -> None:
        """Take what was asked and answered, in order."""
        self._notes = iter(consulted)
        self._asked = 0
        # A replay is to say what the episode says, down to the model's name.
        self.name = consulted[0].model if consulted else "recorded"

    def ask(
        self, request: Request, halted: Callable[[], bool], heard: Callable[[str], None]
    ) -> Reply:
        """Return the reply that was recorded next, see `Chat.ask`."""
        self._asked += 1
        note = next(self._notes, None)
        if note is None:
            raise ChatFault(
                Fault.NOT_RECORDED,
                f"The recording has {self._asked - 1} replies, and another one is asked for; what "
                "happened before has changed.",
            )
        difference = _difference(note, request)
        if difference:
            raise ChatFault(
                Fault.NOT_RECORDED,
                f"Question {self._asked} is not the one that was recorded: {difference}",
            )
        if note.fault is not None:
            raise ChatFault(Fault(note.fault), note.reply)
        return Reply(note.reply, note.tokens_in, note.tokens_out, note.seconds)


def _difference(note: Consulted, request: Request) -> str:
    """Return where a question first differs from the recorded one; nothing where it does not."""
    then, now = _lines(note.turns), _lines(request.turns)
    changed = [line for line in difflib.ndiff(then, now) if line[:2] in ("- ", "+ ")]
    if changed:
        return " / ".join(changed[:2])
    return "" if request.shown == note.images else "it shows other pictures."


def _lines(turns: Iterable[Turn]) -> list[str]:
    return [f"{turn.role}: {line}" for turn in turns for line in turn.text.splitlines()]
