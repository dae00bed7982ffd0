"""Tells the operator, line by line, what the agent plans, does and concludes."""

from __future__ import annotations

from typing import IO

import rich.console
from rich.text import Text

from agent.chunks.meter import ChunkMeter
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    Replying,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    VerdictGiven,
)
from agent.types import (
    MissionOutcome,
    MissionResult,
    Plan,
    Reason,
    SubgoalOutcome,
    Verdict,
    VerdictValue,
)

WIDTH = 80
"""Columns; longer lines wrap at words."""

_VERDICT_STYLES = {
    VerdictValue.CONFIRMED: "green",
    VerdictValue.REFUTED: "red",
    VerdictValue.INSUFFICIENT: "yellow",
}
_OUTCOME_STYLES = {
    MissionOutcome.SUCCESS: "bold green",
    MissionOutcome.FAILED: "bold red",
    MissionOutcome.NEEDS_HELP: "bold yellow",
    MissionOutcome.STOPPED: "bold red",
    MissionOutcome.PLANNED: "bold cyan",
}


class Console:
    """Hears the events of missions and prints the ones a human wants to know."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        """Choose where to print.

        Args:
            stream: For example stderr while stdout carries JSON; stdout when None.
        """
        self._out = rich.console.Console(file=stream, highlight=False, soft_wrap=False)
        self._out.width = min(WIDTH, self._out.width)
        self._meter = ChunkMeter()
        self._forget()

    def _forget(self) -> None:
        self._total = 0
        self._done = 0
        self._replans = 0
        self._last: Verdict | None = None
        self._heard = ""

    def on_event(self, event: Event) -> None:
        """Print one event, if it is worth a line."""
        self._meter.on_event(event)
        match event:
            case MissionStarted():
                self._forget()
                self._say(event.command, "bold")
                if declared := event.metadata.get("chunks"):
                    self._say(declared["says"], "yellow" if declared["starves"] else "")
            case Replying():
                self._replying(event.sentence)
            case Planned():
                self._planned(event)
            case SubgoalStarted():
                attempt = f", attempt {event.attempt}" if event.attempt > 1 else ""
                number = f"{self._done + 1}/{self._total}" if event.attempt else "check"
                self._say(f"[{number}] {event.subgoal.phrase}{attempt}")
            case VerdictGiven(verdict=verdict):
                if verdict.reason is not Reason.DONE:
                    self._last = verdict
                text = f"{verdict.value}: {_words(verdict.reason)} ({verdict.confidence:.0%})"
                self._say(f"      {text}", _VERDICT_STYLES[verdict.value])
            case SubgoalEnded():
                if event.result.outcome is SubgoalOutcome.SUCCESS and event.result.attempts > 0:
                    self._done, self._last = self._done + 1, None
            case Stopped():
                self._say(f"Stopped by {event.source}.", "bold red")
            case MissionEnded():
                self._ended(event.result)

    def _replying(self, sentence: str) -> None:
        """Print what has come in of a sentence since the last time."""
        if not sentence.startswith(self._heard):
            self._end_sentence()
        new = Text(sentence[len(self._heard) :], style="italic")
        self._out.print(new, end="", soft_wrap=True)
        self._heard = sentence

    def _end_sentence(self) -> None:
        if self._heard:
            self._out.print()
        self._heard = ""

    def _planned(self, event: Planned) -> None:
        was_heard = event.plan.reply == self._heard
        self._end_sentence()
        if event.replans > self._replans:
            self._replans = event.replans
            why = _words(self._last.reason) if self._last else "the last look"
            self._say(f"Replan {event.replans} after {why}", "yellow")
            self._last = None
        if event.problems:
            self._say("The plan was rejected:", "yellow")
            for problem in event.problems:
                self._say(f"  - {problem}")
            return
        if event.plan.reply and not was_heard:
            self._say(event.plan.reply, "italic")
        if event.plan.subgoals:
            self._list(event.plan)

    def _list(self, plan: Plan) -> None:
        self._total, self._done = len(plan.subgoals), 0
        self._say("Plan")
        for number, subgoal in enumerate(plan.subgoals, 1):
            self._say(f"{number:3}. {subgoal.phrase}")

    def _ended(self, result: MissionResult) -> None:
        replans = f", {result.replans} replan" + ("" if result.replans == 1 else "s")
        end = f" after {result.seconds:.1f} s" + (replans if result.replans else "")
        self._say(f"{_words(result.outcome).capitalize()}{end}.", _OUTCOME_STYLES[result.outcome])
        if result.question:
            self._say(result.question, "yellow")
        for line in self._meter.lines():
            self._say(line)

    def _say(self, line: str, style: str = "") -> None:
        # A Text is printed as it is: brackets in a command are no markup.
        self._out.print(Text(line, style=style))


def _words(code: str) -> str:
    return code.replace("_", " ")
