"""Utterances, found in voices, noise and silence."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest

from agent.speech.source import BLOCK, SAMPLE_RATE_HZ, Block, Playback
from agent.speech.vad import (
    FRAME,
    Endpointer,
    EndpointSettings,
    PushToTalk,
    Utterance,
    VoiceEndpointer,
)
from agent.types import FloatArray
from tests.speech.sounds import needs_voices, noise, say, silence, with_noise

VOICE = "flite/rms"
COMMAND = "put the red block in the blue bowl"


def _heard(endpointer: Endpointer, pieces: Sequence[FloatArray]) -> list[Utterance]:
    blocks = Playback(pieces, speed=None).blocks()
    return [utterance for block in blocks for utterance in endpointer.feed(block)]


@needs_voices
@pytest.mark.parametrize("voice", ["flite/rms", "festival/cmu_us_slt_arctic_hts", "espeak/en-gb"])
@pytest.mark.parametrize("snr_db", [None, 10.0])
def test_a_sentence_is_one_utterance_with_nothing_cut_off(voice: str, snr_db: float | None) -> None:
    clip = say(voice, COMMAND)
    sound = np.concatenate([silence(1.5), clip, silence(1.5)])
    sound = sound if snr_db is None else with_noise(clip, sound, snr_db)
    (said,) = _heard(VoiceEndpointer(), [sound])
    ends_s = 1.5 + len(clip) / SAMPLE_RATE_HZ
    assert 0.9 < said.began_s < 1.5
    assert ends_s < said.ended_s < ends_s + 1.0
    assert said.voice_began_s == pytest.approx(1.5, abs=0.2)
    assert said.voice_ended_s == pytest.approx(ends_s, abs=0.3)
    first = round(said.began_s * SAMPLE_RATE_HZ)
    assert np.array_equal(said.audio, sound[first : first + len(said.audio)])
    assert said.ended_s - said.began_s == pytest.approx(len(said.audio) / SAMPLE_RATE_HZ)


@needs_voices
def test_sentences_with_a_pause_between_are_two_utterances() -> None:
    clip = say(VOICE, COMMAND)
    said = _heard(VoiceEndpointer(), [silence(1), clip, silence(1.2), clip, silence(1.5)])
    assert len(said) == 2
    assert said[0].ended_s <= said[1].began_s


@needs_voices
def test_it_ends_at_the_longest_and_goes_on_after_it() -> None:
    endpointer = VoiceEndpointer(EndpointSettings(longest_s=2.0))
    said = _heard(endpointer, [silence(1), *[say(VOICE, COMMAND)] * 3, silence(1.5)])
    assert len(said) >= 2
    assert all(u.ended_s - u.began_s <= 2.0 + FRAME / SAMPLE_RATE_HZ for u in said)
    assert said[0].ended_s == pytest.approx(said[1].began_s)


@needs_voices
def test_a_gap_in_the_stream_ends_an_utterance() -> None:
    clip = say(VOICE, COMMAND)[: 50 * BLOCK]
    endpointer = VoiceEndpointer()
    assert _heard(endpointer, [silence(1), clip]) == []
    (said,) = endpointer.feed(Block(silence(0.02), 60.0))
    assert said.ended_s == pytest.approx(2.0, abs=0.05)
    (later,) = _shifted(endpointer, np.concatenate([silence(1), clip, silence(1)]), 60.02)
    assert later.began_s > 60.0


def _shifted(endpointer: Endpointer, sound: FloatArray, by_s: float) -> list[Utterance]:
    blocks = Playback([sound], speed=None).blocks()
    return [u for b in blocks for u in endpointer.feed(Block(b.samples, b.began_s + by_s))]


@pytest.mark.parametrize(
    "sound",
    [
        silence(20),
        noise(20, 0.1),
        0.3 * np.sin(2 * np.pi * 440 * np.arange(20 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ),
    ],
)
def test_nobody_speaks_in_noise(sound: FloatArray) -> None:
    assert _heard(VoiceEndpointer(), [sound.astype(np.float32)]) == []


def test_torch_is_not_needed() -> None:
    """Silero's package would import it; the network inside is found without."""
    import subprocess

    program = (
        "import sys; from agent.speech.vad import SpeechProbability as S; import numpy as n;"
        "S()(n.zeros(512, n.float32)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_said_while_the_key_is_held_is_an_utterance() -> None:
    sound, key = noise(4, 0.1), PushToTalk(pre_roll_s=0.3)
    said = []
    for block in Playback([sound], speed=None).blocks():
        if block.began_s == pytest.approx(1.0):
            key.press()
        if block.began_s == pytest.approx(2.5):
            key.release()
        said += key.feed(block)
    (utterance,) = said
    assert utterance.began_s == pytest.approx(0.7, abs=0.05)
    assert utterance.ended_s == pytest.approx(2.5, abs=0.05)
    assert utterance.voice_began_s == pytest.approx(1.0)
    assert utterance.voice_ended_s == utterance.ended_s
    first = round(utterance.began_s * SAMPLE_RATE_HZ)
    assert np.array_equal(utterance.audio, sound[first : first + len(utterance.audio)])


def test_a_key_that_is_held_for_ever_fills_no_memory() -> None:
    key = PushToTalk(longest_s=2.0)
    key.press()
    said = _heard(key, [noise(9, 0.1)])
    assert [u.ended_s - u.began_s for u in said] == pytest.approx([2.0] * 4)
    assert [u.voice_began_s for u in said] == pytest.approx([0.0, 2.0, 4.0, 6.0])
