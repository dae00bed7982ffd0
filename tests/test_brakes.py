"""The stop word's brakes: never held for ever, all on record, and no stop heard twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from agent.brakes import MissionBrakes
from agent.episode.backlog import Backlog
from agent.events import StopWordJudged
from agent.pause import Pause
from agent.speech.source import Block, Playback
from agent.speech.spotter import Heard, spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import Utterance, VoiceEndpointer
from tests.speech.sounds import VOICES, needs_voices, say, silence

S, C, D = Heard.SUSPECTED, Heard.CONFIRMED, Heard.DISMISSED
BLOCK_S = 0.02


class _Scripted:
    """Hears what it is told to, by the number of the block."""

    def __init__(self, heard: Mapping[int, Heard]) -> None:
        self._heard, self._number = heard, 0

    def hear(self, block: Block) -> Heard | None:
        self._number += 1
        return self._heard.get(self._number)


class _Room:
    """A mission that can be held, and its brakes."""

    def __init__(self) -> None:
        self.pause, self.backlog = Pause(), Backlog()
        self.hushed = self.stopped = 0
        self.brakes = MissionBrakes(self.pause, self._hush, self._stop, self.backlog)

    def hear(self, *heard: Mapping[int, Heard]) -> list[StopWordJudged]:
        """Let one spotter for each mapping hear 50 blocks; return what is on record."""
        stop_word = StopWord([_Scripted(each) for each in heard], self.brakes)
        self.brakes.follow(stop_word)
        for n in range(50):
            stop_word.put(Block(silence(BLOCK_S), n * BLOCK_S))
        stop_word.close()
        return [e for e in self.backlog.take(0.0) if isinstance(e, StopWordJudged)]

    def _hush(self) -> None:
        self.hushed += 1

    def _stop(self) -> None:
        self.stopped += 1


@pytest.mark.parametrize(
    "heard",
    [
        [{5: S, 20: D}],
        [{5: S, 20: D, 30: S, 45: D}],
        [{5: S, 20: D}, {10: S, 30: D}],
        [{5: S, 30: D}, {10: S, 20: D}],
        [{5: S, 20: C}, {10: S, 30: D}],
    ],
)
def test_no_suspicion_holds_a_mission_for_ever(heard: list[Mapping[int, Heard]]) -> None:
    room = _Room()
    room.hear(*heard)
    assert room.hushed == sum(h is S for each in heard for h in each.values())
    assert not room.pause.shut


@pytest.mark.parametrize("heard", [[{5: S, 20: D}], [{5: S, 20: D}, {10: S, 30: D}]])
def test_what_was_paused_before_stays_paused(heard: list[Mapping[int, Heard]]) -> None:
    room = _Room()
    room.pause.pause()
    room.hear(*heard)
    assert room.pause.shut


def test_the_stop_word_stops_and_holds() -> None:
    room = _Room()
    room.hear({5: S, 20: C})
    assert room.stopped == 1
    assert room.pause.shut


def test_every_suspicion_is_on_record_with_its_judgement() -> None:
    judged = _Room().hear({5: S, 20: D, 30: S, 40: C})
    assert [e.confirmed for e in judged] == [False, True]
    assert [e.suspected_s for e in judged] == pytest.approx([5 * BLOCK_S, 30 * BLOCK_S])
    assert [e.judged_s for e in judged] == pytest.approx([20 * BLOCK_S, 40 * BLOCK_S])


def test_the_end_of_a_mission_waits_for_a_judgement_and_then_for_the_word_itself() -> None:
    room = _Room()
    room.brakes.pause()
    assert room.backlog.settle(0.1) is False
    room.brakes.confirm_stop()
    assert room.backlog.settle(0.1) is False
    room.backlog.expect(0.0)
    assert room.backlog.settle(0.1) is True


def _utterance(voice_began_s: float, voice_ended_s: float) -> Utterance:
    began_s, ended_s = voice_began_s - 0.4, voice_ended_s + 0.6
    nothing = np.zeros(0, np.float32)
    return Utterance(nothing, began_s, ended_s, voice_began_s, voice_ended_s)


@pytest.mark.parametrize(
    ("voice", "settled"),
    [
        ((0.3, 0.65), True),
        ((0.1, 0.9), True),
        ((0.3, 2.0), False),
        ((1.2, 1.6), False),
    ],
)
def test_an_utterance_that_was_the_stop_word_is_settled(
    voice: tuple[float, float], settled: bool
) -> None:
    room = _Room()
    room.hear({35: S, 45: C})
    assert room.brakes.settled(_utterance(*voice)) is settled


def test_a_dismissed_suspicion_settles_nothing() -> None:
    room = _Room()
    room.hear({35: S, 45: D})
    assert not room.brakes.settled(_utterance(0.3, 0.65))


@needs_voices
@pytest.mark.parametrize("voice", list(VOICES))
def test_a_spoken_stop_is_not_heard_twice(voice: str) -> None:
    """What more is said with it is heard on its own, and so is what the spotter did not hear."""
    pieces = [silence(1.0), say(voice, "stop"), silence(1.5)]
    more = [*pieces[:2], silence(0.3), say(voice, "put the red block in the bowl"), silence(1.5)]
    for sound, only_stop in ((pieces, True), (more, False)):
        room, said = _Room(), []
        stop_word = StopWord([spotter_for("stop")], room.brakes)
        room.brakes.follow(stop_word)
        endpointer = VoiceEndpointer()
        for block in Playback(sound, speed=None).blocks():
            stop_word.put(block)
            said += endpointer.feed(block)
        stop_word.close()
        assert said
        assert room.brakes.settled(said[0]) == (only_stop and room.stopped > 0)
