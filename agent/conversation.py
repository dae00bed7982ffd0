"""What is said while the robot waits, asks or moves, and what becomes of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import reduce
from typing import TypeVar

from agent.correction import corrected
from agent.pause import Pause
from agent.protocols import Transcript
from agent.speech.control import Control, control_of
from agent.speech.gate import Cause, GateDecision, Judge, Ruling, offer
from agent.speech.reading import Reading, read
from agent.speech.turns import agrees, asks_what_is_done, bare, corrects, goes_on, refuses
from agent.types import Plan
from agent.wish import GO_HOME, Step, Wish, steps

_NO_WORDS = ""
_PAUSED = "I am paused and wait for your word."
"""Without one that would let it move, should the robot hear itself."""


class Became(StrEnum):
    """What became of something that was said."""

    COMMAND = "command"
    CORRECTION = "correction"
    ANSWER = "answer"
    CONTROL = "control"
    TOLD = "told"
    ASKED_BACK = "asked_back"
    REMARK = "remark"
    IGNORED = "ignored"
    MISSED = "missed"


_Said = TypeVar("_Said")


class Conversation:
    """Stands between whoever hears and whoever carries out; each has a thread of its own.

    `hear` is called for every utterance. The mission's thread waits for `command`, and hands
    `approve`, `answer` and `wish` to the runtime. A question waits for an answer as long as
    `patience_s`; nothing moves meanwhile.
    """

    def __init__(
        self,
        gate: Judge,
        understand: Callable[[str], Plan],
        say: Callable[[str], None],
        doing: Callable[[], str],
        pause: Pause,
        stop: Callable[[], None],
        patience_s: float = 20.0,
    ) -> None:
        """Begin without a mission.

        Args:
            gate: Judges what was heard.
            understand: Returns what the planner makes of words, in the scene as it is known.
            say: Speaks a sentence, without waiting for its end.
            doing: Returns in a sentence what the robot is doing.
            pause: Holds the running mission.
            stop: Sets the robot's latch.
            patience_s: How long an answer is waited for, s.
        """
        self._gate, self._understand, self._say, self._doing = gate, understand, say, doing
        self._pause, self._stop, self._patience_s = pause, stop, patience_s
        self._lock = threading.Condition(threading.RLock())
        self._commands: queue.Queue[Wish] = queue.Queue(1)
        self._answers: queue.Queue[str] = queue.Queue(1)
        self._corrections: list[Wish] = []
        self._doubtful: Wish | None = None
        self._asked_s = 0.0
        self._mission = _NO_WORDS
        self._agreed: set[Step] = set()
        self._busy = self._asking = self._halted = False

    def command(self, timeout_s: float) -> str | None:
        """Return the next command, or None where there is none within so many seconds."""
        with self._lock:
            # A stop comes before this, and takes the command back, or after it, and ends it.
            if not self._lock.wait_for(lambda: not self._commands.empty(), timeout_s):
                return None
            wish = self._commands.get_nowait()
            self._mission, self._corrections = wish.text, []
            self._busy, self._halted = True, False
            self._agreed = steps(wish.plan)
        self._pause.resume()
        return wish.text

    def ended(self) -> None:
        """Say that the mission is over: what is said from now on is a command.

        A correction that came too late for it makes another mission of it.
        """
        with self._lock:
            self._begin_again()
            self._busy = False
        self._pause.resume()

    def approve(self, plan: Plan) -> bool:
        """Ask about a plan that does what was not agreed to; what was is not asked again."""
        with self._lock:
            agreed = steps(plan) <= self._agreed
        if not agreed:
            agreed = agrees(self.answer(offer(plan)))
        if agreed:
            with self._lock:
                self._mission = plan.command
        # A stop before the first motion may come before the reset that clears the latch.
        return agreed and not self._halted

    def answer(self, question: str) -> str:
        """Ask something and return what is answered, nothing where nobody does."""
        with self._lock:
            if self._halted:
                return _NO_WORDS
            self._drain(self._answers)
            self._asking = True
        self._say(question)
        try:
            return self._answers.get(timeout=self._patience_s)
        except queue.Empty:
            return _NO_WORDS
        finally:
            with self._lock:
                self._asking = False

    def wish(self, time_s: float) -> str:
        """Return the oldest correction that has not been taken up, nothing for none."""
        with self._lock:
            if not self._corrections:
                return _NO_WORDS
            said = self._corrections.pop(0).text
            self._mission = corrected(self._mission, said)
            return said

    def hear(self, transcript: Transcript, seconds: float) -> tuple[Became, GateDecision | None]:
        """Take an utterance; return what became of it, and how the gate ruled where it was asked.

        Args:
            transcript: What was understood.
            seconds: Length of the utterance, s.
        """
        with self._lock:
            if (became := self._at_once(transcript, seconds)) is not None:
                return became, None
            # After a stop, what is said is about what comes next, though the mission has not ended.
            busy = self._busy and not self._halted
            # Who sees what a mission came to may correct it all the same.
            changes = busy or corrects(transcript.text)
            mission = self._as_corrected() if changes else _NO_WORDS
        ruled = self._gate.decide(transcript, seconds)
        if ruled.ruling is Ruling.REJECT:
            return Became.IGNORED, ruled
        # A language model takes seconds for it, and the mission asks for wishes meanwhile.
        reading = read(transcript, lambda text: self._understand(_meant(text, mission)))
        if busy and not reading.plan.subgoals and not corrects(reading.text):
            return Became.REMARK, None
        with self._lock:
            wish = Wish(reading.text, reading.plan, bool(mission))
            ruled = self._gate.decide(transcript, seconds, reading)
            return self._judge(wish, ruled), ruled

    def _at_once(self, transcript: Transcript, seconds: float) -> Became | None:
        """Do what needs no plan; None where the words may be a command or a correction."""
        text, control = transcript.text, control_of(transcript.text)
        lets_move = goes_on(text) or control in (Control.CONTINUE, Control.GO_HOME)
        if lets_move and not self._gate.sure(transcript, seconds):
            return Became.IGNORED
        if control is Control.GO_HOME:
            return self._go_home(transcript, seconds)
        if control is not None:
            self._steer(control)
            return Became.CONTROL
        if time.monotonic() - self._asked_s > self._patience_s:
            self._doubtful = None
        if self._doubtful is not None and (agrees(text) or refuses(text)):
            return self._settle(agrees(text))
        if self._asking:
            short = goes_on(text) or refuses(text)
            if not short and self._gate.decide(transcript, seconds).ruling is Ruling.REJECT:
                return Became.IGNORED
            self._put(self._answers, text)
            # What is said next is no answer any more, however soon it comes.
            self._asking = False
            return Became.ANSWER
        if asks_what_is_done(text):
            self._say(_PAUSED if self._busy and self._pause.shut else self._doing())
            return Became.TOLD
        return None

    def steer(self, control: Control) -> None:
        """Do at once what one word asks for."""
        with self._lock:
            self._steer(control)

    def _steer(self, control: Control) -> None:
        self._doubtful = None
        match control:
            case Control.PAUSE:
                self._pause.pause()
                return
            case Control.CONTINUE:
                self._pause.resume()
                return
        self._halt()

    def _halt(self) -> None:
        """End the mission that runs, and forget what was wished of it or to come after it."""
        self._stop()
        self._halted, self._corrections = True, []
        self._drain(self._commands)
        if self._asking:
            self._put(self._answers, _NO_WORDS)

    def _go_home(self, transcript: Transcript, seconds: float) -> Became:
        """Stop what runs at once; to go home then is a command like any other."""
        if self._busy:
            self._halt()
        home = Reading(transcript.text, GO_HOME.plan)
        return self._judge(GO_HOME, self._gate.decide(transcript, seconds, home))

    def _judge(self, wish: Wish, ruled: GateDecision) -> Became:
        self._doubtful = None
        match ruled.ruling:
            case Ruling.ACCEPT:
                return self._take(wish)
            case Ruling.CONFIRM:
                self._doubtful, self._asked_s = wish, time.monotonic()
                self._say(ruled.reply)
                return Became.ASKED_BACK
        if ruled.cause is Cause.NOT_UNDERSTOOD and ruled.reply:
            self._say(ruled.reply)
            return Became.ASKED_BACK
        return Became.IGNORED

    def _settle(self, sure: bool) -> Became:
        """Take up, or drop, what was asked back about."""
        assert self._doubtful is not None
        wish, self._doubtful = self._doubtful, None
        if sure:
            self._take(wish)
        else:
            self._say("Then I leave it. What should I do?")
        return Became.ANSWER

    def _take(self, wish: Wish) -> Became:
        if not wish.corrects:
            self._put(self._commands, wish)
            return Became.COMMAND
        self._corrections.append(replace(wish, text=bare(wish.text)))
        self._agreed |= steps(wish.plan)
        if not self._busy:
            self._begin_again()
        return Became.CORRECTION

    def _begin_again(self) -> None:
        """Make another mission of corrections that came too late for the one they are about."""
        if self._corrections:
            plan = self._corrections[-1].plan
            self._put(self._commands, Wish(self._as_corrected(), plan))
        self._corrections = []

    def _as_corrected(self) -> str:
        """Return the mission's command with the corrections that wait to be taken up."""
        return reduce(corrected, (wish.text for wish in self._corrections), self._mission)

    def _put(self, where: queue.Queue[_Said], said: _Said) -> None:
        """Put in something new; what nobody has asked for yet is worth less."""
        self._drain(where)
        where.put_nowait(said)
        self._lock.notify_all()

    def _drain(self, where: queue.Queue[_Said]) -> None:
        while not where.empty():
            where.get_nowait()


def _meant(text: str, mission: str) -> str:
    """Return the whole command that words stand for while a mission runs, or while none does."""
    return corrected(mission, bare(text)) if mission else text
