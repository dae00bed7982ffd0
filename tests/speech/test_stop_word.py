"""The stop word: pause at once, then stop or go on; heard in voices nobody taught it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from agent.errors import ConfigError
from agent.pause import PausableRobot, Pause
from agent.robots.tabletop.robot import TabletopRobot
from agent.speech.source import SAMPLE_RATE_HZ, Block, Playback
from agent.speech.spotter import Heard, KeyphraseSpotter, NetworkSpotter, Spotter, spotter_for
from agent.speech.stop_word import StopWord
from agent.types import FloatArray
from tests.speech.sounds import VOICES, needs_voices, noise, say, silence, with_noise
from tests.waiting import wait_until


class _Brakes:
    """Keeps what was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def pause(self) -> None:
        self.done.append("pause")

    def confirm_stop(self) -> None:
        self.done.append("stop")

    def resume(self) -> None:
        self.done.append("resume")


class _Scripted:
    """Hears what it is told to, by the number of the block."""

    def __init__(self, heard: Mapping[int, Heard]) -> None:
        self._heard, self._number = heard, -1

    def hear(self, block: Block) -> Heard | None:
        self._number += 1
        return self._heard.get(self._number)


class _Broken:
    def hear(self, block: Block) -> Heard | None:
        raise FloatingPointError("on purpose")


def _done(spotters: Sequence[Spotter], blocks: int) -> list[str]:
    brakes = _Brakes()
    stop_word = StopWord(spotters, brakes)
    for n in range(blocks):
        stop_word.put(Block(silence(0.02), n * 0.02))
    stop_word.close()
    return brakes.done


def test_a_suspicion_pauses_and_is_judged() -> None:
    S, C, D = Heard.SUSPECTED, Heard.CONFIRMED, Heard.DISMISSED  # noqa: N806
    assert _done([_Scripted({3: S, 9: C, 20: S, 30: D})], 40) == [
        "pause",
        "stop",
        "pause",
        "resume",
    ]


def test_it_goes_on_when_the_last_of_several_words_is_dismissed() -> None:
    S, D = Heard.SUSPECTED, Heard.DISMISSED  # noqa: N806
    spotters = [_Scripted({3: S, 20: D}), _Scripted({5: S, 10: D})]
    assert _done(spotters, 30) == ["pause", "pause", "resume"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_stop_word_that_breaks_stops_the_robot() -> None:
    assert _done([_Broken()], 3) == ["stop"]


def test_it_shows_that_it_lives_and_how_far_behind_it_is() -> None:
    release = threading.Event()

    class Slow:
        def hear(self, block: Block) -> Heard | None:
            release.wait(5.0)
            return None

    stop_word = StopWord([Slow()], _Brakes())
    for n in range(20):
        stop_word.put(Block(silence(0.02), n * 0.02))
    time.sleep(0.3)
    assert stop_word.waiting >= 18
    assert stop_word.silent_s > 0.2
    release.set()
    wait_until(lambda: stop_word.waiting == 0 and stop_word.silent_s < 0.2)
    stop_word.close()


def _heard(spotter: Spotter, sound: FloatArray) -> list[tuple[Heard, float]]:
    blocks = Playback([sound], speed=None).blocks()
    return [(h, b.ended_s) for b in blocks if (h := spotter.hear(b)) is not None]


@needs_voices
@pytest.mark.parametrize("snr_db", [None, 10.0])
def test_every_voice_is_heard_in_time(snr_db: float | None) -> None:
    """All but one of sixteen; the benchmark tells the rates."""
    late_s = []
    for voice in VOICES:
        for text in ("stop", "Stop!"):
            clip = say(voice, text)
            sound = np.concatenate([silence(1.0), clip, silence(1.0)])
            sound = sound if snr_db is None else with_noise(clip, sound, snr_db)
            heard = _heard(spotter_for("stop"), sound)
            late_s += [at - 1.0 - len(clip) / SAMPLE_RATE_HZ for h, at in heard[:1]]
            assert [h for h, _ in heard] in ([Heard.SUSPECTED, Heard.CONFIRMED], [])
    assert len(late_s) >= 15
    assert np.percentile(late_s, 95) < 0.3


@needs_voices
def test_other_speech_and_noise_do_not_stop() -> None:
    said = [say("flite/rms", "put the red block in the blue bowl"), say("espeak/en-us", "go home")]
    sound = np.concatenate([silence(1), said[0], silence(1), said[1], noise(5, 0.1)])
    assert Heard.CONFIRMED not in [h for h, _ in _heard(spotter_for("stop"), sound)]


@needs_voices
def test_hindsight_alone_makes_no_stop() -> None:
    """A voice whose "start" sounds like the word only to the half that looks back."""
    clip = say("festival/cmu_us_slt_arctic_hts", "turn the lamp on before you start")
    heard = _heard(spotter_for("stop"), np.concatenate([silence(0.5), clip, silence(1.5)]))
    assert [h for h, _ in heard] == [Heard.SUSPECTED, Heard.DISMISSED]


@needs_voices
def test_a_word_without_a_network_is_heard_by_pocketsphinx() -> None:
    spotter = spotter_for("halt")
    assert isinstance(spotter, KeyphraseSpotter)
    assert isinstance(spotter_for("stop"), NetworkSpotter)
    clip = say("flite/rms", "halt")
    heard = _heard(spotter, np.concatenate([silence(1.0), clip, silence(1.0)]))
    assert [h for h, _ in heard] == [Heard.SUSPECTED, Heard.CONFIRMED]


@pytest.mark.parametrize("word", ["qwertz", "", "stop qwertz"])
def test_a_word_nobody_can_pronounce_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="pocketsphinx's English dictionary"):
        spotter_for(word)


class _RobotBrakes:
    """What the stop word is for: a real robot, here the simulated one."""

    def __init__(self, robot: TabletopRobot) -> None:
        self.gate = Pause()
        self.pause, self.resume = self.gate.pause, self.gate.resume
        self.confirm_stop = robot.stop


@needs_voices
def test_a_stopped_arm_stands_still_within_a_fifth_of_a_second() -> None:
    """From the latch to zero joint velocity; the word's own share is for the benchmark."""
    robot = TabletopRobot()
    try:
        brakes = _RobotBrakes(robot)
        seen = PausableRobot(robot, brakes.gate)
        seen.reset(0)
        for _ in range(5):
            seen.act(np.array([0.05, 0, 0, 0, 0, 0, 1.0]))
        fastest = float(np.abs(robot.world.data.qvel[:7]).max())
        stop_word = StopWord([spotter_for("stop")], brakes)
        sound = np.concatenate([silence(1.0), say("flite/rms", "stop"), silence(1.0)])
        for block in Playback([sound], speed=None).blocks():
            stop_word.put(block)
        stop_word.close()
        assert robot.stopped
        ends_s = robot.world.time_s + 0.2
        while robot.world.time_s < ends_s:
            robot.world.step(robot.world.ee_pose, 1.0, lambda: True)
        assert fastest > 0.1
        assert float(np.abs(robot.world.data.qvel[:7]).max()) < 0.02 * fastest
    finally:
        robot.close()
