"""What is said is taken for what it is: a command, a correction, an answer, or nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from agent.conversation import Became, Conversation
from agent.pause import Pause
from agent.protocols import Transcript
from agent.sections import GateConfig
from agent.speech.gate import Gate
from agent.types import Plan, Subgoal
from tests.parts import COMMAND, PICK, PLACE

SHOWN = Plan(command=COMMAND, subgoals=(PICK, PLACE))
WHISPER, SPHINX = "faster-whisper:tiny", "pocketsphinx"
SECONDS = 2.5
CLEAR = {
    "avg_logprob": -0.1,
    "compression_ratio": 1.0,
    "no_speech_prob": 0.01,
    "temperature": 0.0,
}


@dataclass
class Room:
    """A conversation, what was said in it, and a planner that understands what is about blocks."""

    transcriber: str = WHISPER
    said: list[str] = field(default_factory=list)
    stops: int = 0
    patience_s: float = 5.0
    pause: Pause = field(default_factory=Pause)

    def __post_init__(self) -> None:
        self.conversation = Conversation(
            Gate(GateConfig(), self.transcriber),
            self._understand,
            self.said.append,
            lambda: "I pick up the red block.",
            self.pause,
            self._stop,
            self.patience_s,
        )

    def hear(self, text: str, confidence: float = 0.95) -> Became:
        evidence = {**CLEAR, "agreement": 1.0}
        transcript = Transcript(text, confidence, 0.01, (), "en", evidence)
        return self.conversation.hear(transcript, 1.0 + 0.3 * len(text.split()))[0]

    def _understand(self, text: str) -> Plan:
        if "block" in text.rpartition("no, ")[2] or "green one" in text:
            return Plan(command=text, subgoals=SHOWN.subgoals)
        return Plan(command=text, question=f"What is {text!r}?")

    def _stop(self) -> None:
        self.stops += 1


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def busy(room: Room) -> Room:
    assert room.hear(COMMAND) is Became.COMMAND
    assert room.conversation.command(0.0) == COMMAND
    return room


def test_a_command_that_was_heard_well_is_carried_out(busy: Room) -> None:
    assert busy.conversation.command(0.0) is None
    assert not busy.said


def test_what_is_not_understood_is_asked_about_and_moves_nothing(room: Room) -> None:
    assert room.hear("sing me a song") is Became.ASKED_BACK
    assert room.conversation.command(0.0) is None
    assert room.said == ["What is 'sing me a song'?"]


def test_noise_starts_nothing_and_gets_no_answer(room: Room) -> None:
    for text in ("", "thank you for watching", "you"):
        assert room.hear(text) is Became.IGNORED
    assert not room.said
    assert room.conversation.command(0.0) is None


@pytest.mark.parametrize(("answer", "command"), [("yes", COMMAND), ("no", None)])
def test_what_is_doubtful_waits_for_a_yes(answer: str, command: str | None) -> None:
    room = Room(SPHINX)
    assert room.hear(COMMAND) is Became.ASKED_BACK
    assert room.conversation.command(0.0) is None
    assert "Shall I?" in room.said[0]
    assert room.hear(answer) is Became.ANSWER
    assert room.conversation.command(0.0) == command


def test_a_second_command_takes_the_place_of_one_in_doubt() -> None:
    room = Room(SPHINX)
    room.hear(COMMAND)
    room.hear("put the green block on the plate")
    room.hear("yes")
    assert room.conversation.command(0.0) == "put the green block on the plate"


@pytest.mark.parametrize("said", ["no the green one", "the green one", "no, the green one"])
def test_a_correction_waits_for_the_next_safe_point(busy: Room, said: str) -> None:
    assert busy.hear(said) is Became.CORRECTION
    assert busy.conversation.wish(1.0) == "the green one"
    assert busy.conversation.wish(1.1) == ""
    assert busy.stops == 0


def test_a_remark_changes_nothing(busy: Room) -> None:
    assert busy.hear("faster is fine") is Became.REMARK
    assert busy.conversation.wish(1.0) == ""
    assert not busy.said


def test_a_question_is_answered_without_stopping(busy: Room) -> None:
    assert busy.hear("what are you doing") is Became.TOLD
    assert busy.said == ["I pick up the red block."]
    assert (busy.stops, busy.pause.shut) == (0, False)


def test_who_is_paused_says_so(busy: Room) -> None:
    busy.hear("pause")
    busy.hear("what are you doing")
    busy.hear("go on")
    busy.hear("what are you doing")
    assert busy.said == ["I am paused and wait for your word.", "I pick up the red block."]


def test_what_is_said_after_a_stop_corrects_nothing(busy: Room) -> None:
    busy.hear("stop")
    assert busy.hear("put the green block on the plate") is Became.COMMAND
    busy.conversation.ended()
    assert busy.conversation.command(0.0) == "put the green block on the plate"


def test_who_was_stopped_asks_nothing(busy: Room) -> None:
    busy.hear("stop")
    began = time.monotonic()
    assert busy.conversation.answer("Which one?") == ""
    assert time.monotonic() - began < busy.patience_s / 2
    assert not busy.said


def test_pause_holds_and_continue_goes_on(busy: Room) -> None:
    busy.hear("pause")
    assert busy.pause.shut
    busy.hear("continue")
    assert not busy.pause.shut
    assert busy.stops == 0


def test_cancel_stops_the_mission(busy: Room) -> None:
    busy.hear("no the green one")
    assert busy.hear("cancel") is Became.CONTROL
    assert busy.stops == 1
    assert busy.conversation.wish(1.0) == ""


def test_go_home_stops_the_mission_and_is_the_next_command(busy: Room) -> None:
    busy.hear("go home")
    assert busy.stops == 1
    busy.conversation.ended()
    assert busy.conversation.command(0.0) == "go home"


def test_where_a_yes_is_always_needed_going_home_needs_one_too() -> None:
    room = Room(SPHINX)
    assert room.hear("go home") is Became.ASKED_BACK
    assert room.conversation.command(0.0) is None
    assert room.hear("yes") is Became.ANSWER
    assert room.conversation.command(0.0) == "go home"
    assert room.hear("go home") is Became.ASKED_BACK
    assert room.stops == 1
    room.conversation.ended()
    assert room.conversation.command(0.0) is None


def _answered(room: Room, said: str) -> Iterator[str]:
    """Yield what a question returns while something is said."""
    heard: list[str] = []
    asking = threading.Thread(target=lambda: heard.append(room.conversation.answer("Which one?")))
    asking.start()
    while not room.said:
        pass
    room.hear(said)
    asking.join()
    yield from heard


@pytest.mark.parametrize("said", ["the green one", "yes"])
def test_what_follows_a_question_is_its_answer(said: str) -> None:
    room = Room(patience_s=5.0)
    assert list(_answered(room, said)) == [said]


def test_cancel_is_an_answer_that_says_nothing() -> None:
    room = Room(patience_s=5.0)
    assert list(_answered(room, "cancel")) == [""]
    assert room.stops == 1


def test_nobody_answers() -> None:
    room = Room(patience_s=0.2)
    assert room.conversation.answer("Which one?") == ""
    assert room.hear(COMMAND) is Became.COMMAND


def test_what_was_agreed_to_is_approved_and_anything_else_is_asked_about(busy: Room) -> None:
    assert busy.conversation.approve(SHOWN)
    turned = Subgoal(skill="push", args={"object": "red block", "direction": "left"}, phrase="push")
    other = SHOWN.model_copy(update={"subgoals": (turned,)})
    busy.conversation._patience_s = 0.2
    assert not busy.conversation.approve(other)
    assert busy.said[-1].endswith("Shall I?")


def test_a_correction_is_agreed_to_when_it_is_taken(busy: Room) -> None:
    turned = Subgoal(skill="push", args={"object": "red block", "direction": "left"}, phrase="push")
    busy.conversation._understand = lambda text: Plan(command=text, subgoals=(turned,))
    assert busy.hear("no push the block") is Became.CORRECTION
    assert busy.conversation.approve(Plan(command="x", subgoals=(turned,)))


def test_what_is_refused_by_its_scores_is_not_brought_to_the_planner(room: Room) -> None:
    room.conversation._understand = lambda text: pytest.fail("It may cost money.")
    assert room.hear("thank you for watching") is Became.IGNORED


def test_the_alternative_that_makes_sense_is_asked_about(room: Room) -> None:
    heard = Transcript("foot the red sock", 0.9, 0.0, (COMMAND,), "en", CLEAR)
    assert room.conversation.hear(heard, SECONDS)[0] is Became.ASKED_BACK
    assert room.hear("yes") is Became.ANSWER
    assert room.conversation.command(0.0) == COMMAND


def test_a_slow_planner_does_not_hold_up_the_mission(busy: Room) -> None:
    waits, reached = threading.Event(), threading.Event()

    def slow(text: str) -> Plan:
        reached.set()
        assert waits.wait(5.0)
        return SHOWN

    busy.conversation._understand = slow
    hearing = threading.Thread(target=busy.hear, args=("no the green one",))
    hearing.start()
    assert reached.wait(5.0)
    assert busy.conversation.wish(1.0) == ""
    waits.set()
    hearing.join()
    assert busy.conversation.wish(1.1) == "the green one"


def test_a_second_correction_is_understood_on_top_of_the_first(busy: Room) -> None:
    understood = list[str]()

    def understand(text: str) -> Plan:
        understood.append(text)
        return SHOWN

    busy.conversation._understand = understand
    for text in ("no the green one", "no on the plate"):
        busy.hear(text)
    busy.conversation.wish(1.0)
    busy.hear("the blue one")
    first = f"{COMMAND}, no, the green one"
    second = f"{first}, no, on the plate"
    assert understood == [first, second, f"{second}, no, the blue one"]


def test_a_correction_that_comes_too_late_makes_another_mission(busy: Room) -> None:
    busy.hear("no the green one")
    busy.conversation.ended()
    assert busy.conversation.command(0.0) == f"{COMMAND}, no, the green one"
    assert busy.conversation.wish(1.0) == ""


def test_what_was_done_is_corrected_when_it_is_seen(busy: Room) -> None:
    busy.conversation.ended()
    assert busy.hear("no the green one") is Became.CORRECTION
    assert busy.conversation.command(0.0) == f"{COMMAND}, no, the green one"


def test_a_correction_in_doubt_outlasts_the_mission() -> None:
    room = Room(SPHINX, patience_s=5.0)
    room.hear(COMMAND)
    room.hear("yes")
    room.conversation.command(0.0)
    assert room.hear("no the green one") is Became.ASKED_BACK
    room.conversation.ended()
    room.hear("yes")
    assert room.conversation.command(0.0) == f"{COMMAND}, no, the green one"


def test_a_stop_forgets_what_was_to_be_corrected(busy: Room) -> None:
    busy.hear("no the green one")
    busy.hear("stop")
    busy.conversation.ended()
    assert busy.conversation.command(0.0) is None


@pytest.mark.parametrize(
    ("seconds", "evidence"),
    [(3.5, {**CLEAR, "agreement": 1.0}), (1.8, {**CLEAR, "agreement": 0.25}), (1.8, CLEAR)],
    ids=["longer than a yes", "heard by one decoder", "nothing told of the other"],
)
def test_a_yes_that_others_or_noise_may_have_said_confirms_nothing(
    seconds: float, evidence: dict[str, float]
) -> None:
    room = Room(SPHINX)
    room.hear(COMMAND)
    heard = Transcript("yes please", 0.06, 0.0, (), "en", evidence)
    assert room.conversation.hear(heard, seconds)[0] is Became.IGNORED
    assert room.conversation.command(0.0) is None
    assert len(room.said) == 1


def test_a_question_does_not_wait_for_a_yes_for_ever() -> None:
    room = Room(SPHINX, patience_s=0.05)
    room.hear(COMMAND)
    time.sleep(0.1)
    room.hear("yes")
    assert room.conversation.command(0.0) is None


def test_noise_does_not_end_a_pause(busy: Room) -> None:
    busy.hear("pause")
    heard = Transcript("continue", 0.06, 0.0, (), "en", {**CLEAR, "no_speech_prob": 0.95})
    assert busy.conversation.hear(heard, 1.5)[0] is Became.IGNORED
    assert busy.pause.shut


def test_noise_is_no_answer(room: Room) -> None:
    """It would be taken for a correction of what the question is about."""
    heard = Transcript("no on the block", 0.06, 0.0, (), "en", {**CLEAR, "no_speech_prob": 0.95})
    asking = threading.Thread(target=lambda: room.said.append(room.conversation.answer("Which?")))
    room.conversation._patience_s = 0.3
    asking.start()
    while not room.said:
        pass
    assert room.conversation.hear(heard, 1.5)[0] is Became.IGNORED
    asking.join()
    assert room.said == ["Which?", ""]
