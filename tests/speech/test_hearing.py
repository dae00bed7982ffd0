"""From a source to utterances, past the stop word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from agent.errors import SpeechError
from agent.speech.hearing import Hearing
from agent.speech.source import Block, Playback
from agent.speech.vad import PushToTalk, Utterance
from tests.speech.sounds import noise


class _EveryBlock:
    """An endpointer to which every block is an utterance."""

    def feed(self, block: Block) -> list[Utterance]:
        began_s, ended_s = block.began_s, block.ended_s
        return [Utterance(block.samples, began_s, ended_s, began_s, ended_s)]


class _Failing:
    def blocks(self) -> Iterator[Block]:
        yield Block(noise(0.02, 0.1), 0.0)
        raise SpeechError("It is gone.")

    def close(self) -> None:
        pass


def _ended(hearing: Hearing) -> None:
    hearing._thread.join(5.0)


def test_utterances_wait_in_order_and_the_oldest_give_way() -> None:
    hearing = Hearing(Playback([noise(0.4, 0.1)], speed=None), _EveryBlock(), None)
    _ended(hearing)
    assert (hearing.waiting, hearing.dropped) == (8, 12)
    said = [hearing.utterance(0.0) for _ in range(8)]
    assert [round(u.began_s, 2) for u in said if u] == [round(0.24 + n * 0.02, 2) for n in range(8)]
    assert hearing.utterance(0.0) is None
    assert hearing.ended


def test_it_tells_how_loud_it_is_and_how_much_was_heard() -> None:
    hearing = Hearing(Playback([noise(1.0, 0.1)], speed=None), PushToTalk(), None)
    _ended(hearing)
    assert np.isclose(hearing.level_dbfs, -20.0, atol=1.0)
    assert np.isclose(hearing.heard_s, 1.0)


def test_a_source_that_fails_is_told_of() -> None:
    told: list[str] = []
    hearing = Hearing(_Failing(), PushToTalk(), None, told.append)
    _ended(hearing)
    assert told == ["It is gone."]
    assert hearing.ended


def test_it_can_be_closed_while_it_listens() -> None:
    hearing = Hearing(Playback([noise(60.0, 0.1)], speed=1.0), PushToTalk(), None)
    hearing.close()
    hearing.close()
    assert hearing.ended


def test_what_the_robot_says_is_no_utterance_however_late_it_is_heard() -> None:
    class Late:
        def blocks(self) -> Iterator[Block]:
            for number in range(10):
                yield Block(noise(0.02, 0.1), number * 0.02, heard_at_s=float(number))

        def close(self) -> None:
            pass

    hearing = Hearing(Late(), _EveryBlock(), None, deaf=lambda time_s: 4 <= time_s < 8)
    _ended(hearing)
    heard = [hearing.utterance(0.0) for _ in range(8)]
    assert [bool(said and said.audio.any()) for said in heard] == [True] * 2 + [False] * 4 + [
        True
    ] * 2
