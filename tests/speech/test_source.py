"""Sound from files and arrays, cut into blocks that know their time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent.errors import UsageError
from agent.speech.source import BLOCK, SAMPLE_RATE_HZ, Block, Playback, open_file
from tests.speech.sounds import noise

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / SAMPLE_RATE_HZ)).astype(np.float32)


def _all(source: Playback) -> list[Block]:
    return list(source.blocks())


def test_blocks_follow_on_each_other_and_are_the_sound() -> None:
    blocks = _all(Playback([TONE[:1000], TONE[1000:1001], TONE[1001:]], speed=None))
    assert {len(block.samples) for block in blocks} == {BLOCK}
    assert np.array_equal(np.concatenate([block.samples for block in blocks]), TONE)
    assert [round(b.began_s, 9) for b in blocks] == [round(n * 0.02, 9) for n in range(25)]


def test_what_does_not_fill_the_last_block_is_followed_by_silence() -> None:
    (block,) = _all(Playback([TONE[:100]], speed=None))
    assert np.array_equal(block.samples[:100], TONE[:100])
    assert not block.samples[100:].any()


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_it_plays_as_fast_as_it_should(speed: float) -> None:
    began = time.monotonic()
    _all(Playback([TONE], speed))
    took = time.monotonic() - began
    assert 0.5 / speed <= took < 0.5 / speed + 0.3


def test_it_ends_when_it_is_closed() -> None:
    playback = Playback([noise(60.0, 0.1)], speed=1.0)
    blocks = playback.blocks()
    next(blocks)
    playback.close()
    assert list(blocks) == []


@pytest.mark.parametrize(
    ("samples", "dbfs"), [(np.zeros(BLOCK), -120.0), (np.ones(BLOCK), 0.0), (TONE[:BLOCK], -9.0)]
)
def test_the_level_is_told_in_db(samples: np.ndarray, dbfs: float) -> None:
    assert Block(samples.astype(np.float32), 0.0).level_dbfs == pytest.approx(dbfs, abs=0.3)


@pytest.mark.parametrize("name", ["said.wav", "said.flac"])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
def test_a_file_of_any_rate_is_heard(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    times = np.arange(rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * times)
    soundfile.write(tmp_path / name, np.stack([tone] * channels, axis=1), rate)
    heard = np.concatenate([b.samples for b in _all(open_file(tmp_path / name, speed=None))])
    assert len(heard) == pytest.approx(3 * SAMPLE_RATE_HZ, abs=BLOCK)
    spectrum = np.abs(np.fft.rfft(heard[:SAMPLE_RATE_HZ]))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(np.square(heard[2000:14000]))) == pytest.approx(0.354, abs=0.01)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no sound file .*missing\.wav"):
        open_file(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(UsageError, match=r"text\.wav cannot be read as sound"):
        open_file(tmp_path / "text.wav")
