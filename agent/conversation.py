"""What is said while the robot waits, asks or moves, and what becomes of it."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from agent.pause import Pause
from agent.protocols import Transcript
from agent.speech.control import Control, control_of
from agent.speech.gate import Cause, GateDecision, Ruling
from agent.speech.reading import Reading, read
from agent.types import Plan, Subgoal

_YES = frozenset({"yes", "yes please", "yeah", "ok", "okay", "sure", "do it", "right", "correct"})
_NO = frozenset({"no", "no thanks", "nope", "wrong", "do not", "don't", "leave it"})
_DOING = re.compile(
    r"\b(what|where) are you (doing|up to|going)\b|\bwhat is (going on|happening)\b"
)
_CORRECTS = re.compile(r"^(no|not|actually|instead|i mean|i meant|rather|wait)\b|\binstead$")
_NO_WORDS = ""


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


class Judge(Protocol):
    """Says whether a transcript may move the robot; `agent.speech.gate.Gate` is one."""

    def decide(
        self, transcript: Transcript, seconds: float, reading: Reading | None = None
    ) -> GateDecision:
        """Return what becomes of a transcript, without or with what it means."""
        ...


_Said = TypeVar("_Said")
_Step = tuple[str, tuple[tuple[str, str], ...]]
"""A skill and its arguments."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wants, in whose words, and whether it changes a mission that runs."""

    text: str
    plan: Plan
    became: Became


_GO_HOME = _Wish(
    Control.GO_HOME,
    Plan(command=Control.GO_HOME, subgoals=(Subgoal(skill="home", phrase=Control.GO_HOME),)),
    Became.COMMAND,
)


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
        self._lock = threading.RLock()
        self._commands: queue.Queue[_Wish] = queue.Queue(1)
        self._answers: queue.Queue[str] = queue.Queue(1)
        self._corrections: list[str] = []
        self._doubtful: _Wish | None = None
        self._mission = _NO_WORDS
        self._agreed: set[_Step] = set()
        self._asking = self._halted = False

    def command(self, timeout_s: float) -> str | None:
        """Return the next command, or None where there is none within so many seconds."""
        try:
            wish = self._commands.get(timeout=timeout_s)
        except queue.Empty:
            return None
        with self._lock:
            self._mission, self._corrections, self._halted = wish.text, [], False
            self._agreed = _steps(wish.plan)
        self._pause.resume()
        return wish.text

    def ended(self) -> None:
        """Say that the mission is over: what is said from now on is a command."""
        with self._lock:
            self._mission, self._corrections, self._doubtful = _NO_WORDS, [], None
        self._pause.resume()

    def approve(self, plan: Plan) -> bool:
        """Ask about a plan that does what was not agreed to; what was is not asked again."""
        steps = _steps(plan)
        with self._lock:
            agreed = steps <= self._agreed
        if not agreed:
            told = ", then ".join(subgoal.phrase for subgoal in plan.subgoals)
            agreed = self.answer(f"I would {told}. Shall I?") in _YES
        # A stop before the first motion may come before the reset that clears the latch.
        return agreed and not self._halted

    def answer(self, question: str) -> str:
        """Ask something and return what is answered, nothing where nobody does."""
        with self._lock:
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
            return self._corrections.pop(0) if self._corrections else _NO_WORDS

    def hear(self, transcript: Transcript, seconds: float) -> tuple[Became, GateDecision | None]:
        """Take an utterance; return what became of it, and how the gate ruled where it was asked.

        Args:
            transcript: What was understood.
            seconds: Length of the utterance, s.
        """
        with self._lock:
            if (became := self._at_once(transcript.text)) is not None:
                return became, None
            mission = self._mission
        ruled = self._gate.decide(transcript, seconds)
        if ruled.ruling is Ruling.REJECT:
            return Became.IGNORED, ruled
        # A language model takes seconds for it, and the mission asks for wishes meanwhile.
        reading = read(transcript, lambda text: self._understand(_meant(text, mission)))
        if mission and not reading.plan.subgoals and not _CORRECTS.search(reading.text):
            return Became.REMARK, None
        with self._lock:
            became = Became.CORRECTION if mission else Became.COMMAND
            wish = _Wish(reading.text, reading.plan, became)
            ruled = self._gate.decide(transcript, seconds, reading)
            return self._judge(wish, ruled), ruled

    def _at_once(self, text: str) -> Became | None:
        """Do what needs no plan; None where the words may be a command or a correction."""
        if (control := control_of(text)) is not None:
            self._steer(control)
            return Became.CONTROL
        if self._doubtful is not None and (text in _YES or text in _NO):
            return self._settle(text in _YES)
        if self._asking:
            self._put(self._answers, text)
            return Became.ANSWER
        if _DOING.search(text):
            self._say(self._doing())
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
            case Control.GO_HOME if not self._mission:
                self._put(self._commands, _GO_HOME)
                return
        self._stop()
        self._halted, self._corrections = True, []
        if self._asking:
            self._put(self._answers, _NO_WORDS)
        if control is Control.GO_HOME:
            self._put(self._commands, _GO_HOME)

    def _judge(self, wish: _Wish, ruled: GateDecision) -> Became:
        self._doubtful = None
        match ruled.ruling:
            case Ruling.ACCEPT:
                return self._take(wish)
            case Ruling.CONFIRM:
                self._doubtful = wish
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

    def _take(self, wish: _Wish) -> Became:
        if wish.became is Became.CORRECTION:
            self._corrections.append(_bare(wish.text))
            self._agreed |= _steps(wish.plan)
        else:
            self._put(self._commands, wish)
        return wish.became

    def _put(self, where: queue.Queue[_Said], said: _Said) -> None:
        """Put in something new; what nobody has asked for yet is worth less."""
        self._drain(where)
        where.put_nowait(said)

    def _drain(self, where: queue.Queue[_Said]) -> None:
        while not where.empty():
            where.get_nowait()


def _bare(text: str) -> str:
    """Return a correction without the "no" that it may begin with."""
    return re.sub(r"^no,? ", "", text)


def _meant(text: str, mission: str) -> str:
    """Return the whole command that words stand for while a mission runs, or while none does."""
    return f"{mission}, no, {_bare(text)}" if mission else text


def _steps(plan: Plan) -> set[_Step]:
    """Return what a plan does, in whichever words."""
    return {(s.skill, tuple(sorted(s.args.items()))) for s in plan.subgoals}
