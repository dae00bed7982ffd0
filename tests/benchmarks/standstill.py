"""From the stop word to standstill: `python -m tests.benchmarks.standstill [--words 32]`.

The simulated arm circles over the table in real time, a physics step every 4 ms, as fast as the
shield lets it; voices say the stop word in quiet and in noise, played in real time to what listens
for it. At the first suspicion the arm is paused as in a mission, and once the
word is certain the robot's latch is set. All is counted from the end of the word: its last sample
above -40 dB of its peak. The arm stands still when no joint turns faster than 0.02 rad/s any more.
Exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from agent.config import load_config
from agent.pause import Pause
from agent.robots.panda import ARM_JOINTS
from agent.robots.tabletop.model import TIMESTEP_S
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import RATE_HZ, TabletopWorld
from agent.speech.hearing import Hearing
from agent.speech.source import SAMPLE_RATE_HZ, Playback
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import VoiceEndpointer
from agent.types import FloatArray, Vector
from tests.benchmarks.stop_word import Clocked
from tests.speech.sounds import VOICES, say, silence, with_noise

MAX_PAUSE_S, MAX_STILL_S = 0.3, 0.5
STILL_RAD_S = 0.02
"""About a degree a second; the arm circles at more than 1 rad/s."""
_CENTRE = np.array([0.46, 0.0, 0.32])
_RADIUS_M = 0.08
_GAP_S = 3.0
"""From the end of a word to the beginning of the next one, s."""
_RESTS_S = 1.0
"""How long the arm stands before it is told to go on, s."""
_EARLY_S, _LATE_S = 0.5, 1.0
"""A pause so long before to so long after the end of the word is one for it, s."""
_LOUDNESS = 0.06
_WORD_ENDS = 10 ** (-40 / 20)


class RealTimeWorld(TabletopWorld):
    """A world whose physics takes the time it takes.

    Attributes:
        turned: When, by the computer's clock, and how fast the fastest joint turned, s and rad/s.
    """

    def __init__(self) -> None:
        self.turned: list[tuple[float, float]] = []
        self._due_s = 0.0
        super().__init__()
        self._arm = [self.model.joint(name).dofadr[0] for name in ARM_JOINTS]

    def step(
        self, pose: Vector, opening: float, halted: Callable[[], bool] = lambda: False
    ) -> None:
        def in_time() -> bool:
            self._wait()
            return halted()

        super().step(pose, opening, in_time)

    def hold(self) -> None:
        """Let one step of physics pass, in which the arm is told nothing new."""
        self._wait()
        self.settle(1)

    def _wait(self) -> None:
        self._due_s = max(self._due_s + TIMESTEP_S, time.monotonic())
        time.sleep(self._due_s - time.monotonic() if self._due_s > time.monotonic() else 0.0)
        self.turned.append((time.monotonic(), float(np.abs(self.data.qvel[self._arm]).max())))


class Arm:
    """Circles until it is stopped, and goes on a while later; and the brakes that stop it.

    Attributes:
        world: Its world.
        pauses: When it was paused, s of the computer's clock.
        latches: When it was stopped for good.
    """

    def __init__(self, speed_m_s: float) -> None:
        self.pauses: list[float] = []
        self.latches: list[float] = []
        self._pause = Pause()
        self._robot = TabletopRobot(held=lambda: self._pause.shut)
        self._robot.world.close()
        self._robot.world = self.world = RealTimeWorld()
        self._robot.reset(0)
        self._step_m = min(speed_m_s / RATE_HZ, float(self._robot.spec.high[0]))
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._circle, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        self.pauses.append(time.monotonic())
        self._pause.pause()

    def confirm_stop(self) -> None:
        self.latches.append(time.monotonic())
        self._robot.stop()

    def resume(self) -> None:
        self._pause.resume()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self._robot.close()

    def _circle(self) -> None:
        while not self._ends.is_set():
            stopped = self._robot.stopped
            if stopped and time.monotonic() - self.latches[-1] > _RESTS_S:
                self._robot.reset(None)
                self._pause.resume()
            elif stopped or self._pause.shut:
                self.world.hold()
            else:
                self._robot.act(self._next())

    def _next(self) -> Vector:
        """Return one action along the circle and towards it."""
        outward = (self.world.ee_pose[:3] - _CENTRE)[:2]
        distance = max(float(np.linalg.norm(outward)), 1e-6)
        outward /= distance
        way = np.array([-outward[1], outward[0]]) + outward * (1 - distance / _RADIUS_M)
        action = np.array([0.0] * 6 + [1.0])
        action[:2] = way / np.linalg.norm(way) * self._step_m
        return action


def of_word(word: str, words: int, snr_db: float | None) -> dict[str, float]:
    """Return how fast the arm stands still after a word that is said so many times."""
    sound, ends_s = _said(word, words, snr_db)
    arm = Arm(load_config(None).shield.max_speed_m_s)
    source = Clocked(Playback([sound]))
    hearing = Hearing(source, VoiceEndpointer(), StopWord([spotter_for(word)], arm))
    while not hearing.ended:
        hearing.utterance(0.2)
    hearing.close()
    arm.close()
    times, speeds = map(np.array, zip(*arm.world.turned, strict=True))
    ends = [source.began_s + end_s for end_s in ends_s]
    paused = [_first(arm.pauses, end - _EARLY_S, end + _LATE_S) for end in ends]
    heard = [(end, pause) for end, pause in zip(ends, paused, strict=True) if pause is not None]
    latched = [_first(arm.latches, pause, pause + _LATE_S) for _, pause in heard]
    # As the pause begins, which may be before the word has ended.
    turning = [float(speeds[times < pause][-1]) for _, pause in heard] or [0.0]
    still = [_still(times, speeds, pause) - end for end, pause in heard]
    return {
        "said": words,
        "paused": len(heard) / words,
        "latched": sum(latch is not None for latch in latched) / words,
        "turning_p50_rad_s": float(np.median(turning)),
        "turning_least_rad_s": min(turning),
        **_spread("pause", [pause - end for end, pause in heard]),
        **_spread("latch", [at - end for (end, _), at in zip(heard, latched, strict=True) if at]),
        **_spread("still", still),
    }


def _said(word: str, words: int, snr_db: float | None) -> tuple[FloatArray, list[float]]:
    """Return sound in which voices say a word, and when each word ends, s."""
    pieces, ends_s, at_s = [silence(_GAP_S)], list[float](), _GAP_S
    for n in range(words):
        clip = say(list(VOICES)[n % len(VOICES)], word)
        clip = clip * (_LOUDNESS / float(np.sqrt(np.mean(np.square(clip)))))
        last = int(np.flatnonzero(np.abs(clip) > _WORD_ENDS * np.abs(clip).max())[-1])
        ends_s.append(at_s + (last + 1) / SAMPLE_RATE_HZ)
        pieces += [clip, silence(_GAP_S)]
        at_s += len(clip) / SAMPLE_RATE_HZ + _GAP_S
    sound = np.concatenate(pieces)
    return sound if snr_db is None else with_noise(pieces[1], sound, snr_db), ends_s


def _first(times: Sequence[float], since: float, until: float) -> float | None:
    return next((at for at in times if since <= at <= until), None)


def _still(times: Vector, speeds: Vector, since: float) -> float:
    """Return from when on no joint turns, until the arm is told to go on."""
    rests = (times >= since) & (times <= since + _RESTS_S)
    turning = times[rests & (speeds > STILL_RAD_S)]
    return float(turning[-1]) if len(turning) else since


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {
        f"{name}_p50_s": float(np.percentile(seconds, 50)),
        f"{name}_p95_s": float(np.percentile(seconds, 95)),
        f"{name}_max_s": max(seconds),
    }


def main() -> int:
    """Measure, print one JSON object, and say by the exit code whether every bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--word", default="stop")
    parser.add_argument("--words", type=int, default=32, help="in quiet, and as many in noise")
    asked = parser.parse_args()
    told = {
        name: of_word(asked.word, asked.words, snr_db)
        for name, snr_db in (("clean", None), ("10 dB", 10.0))
    }
    missed = [
        f"{bar} {name}"
        for name, found in told.items()
        for bar, most in (("pause", MAX_PAUSE_S), ("still", MAX_STILL_S))
        if not found.get(f"{bar}_p95_s", np.inf) < most
    ]
    sys.stdout.write(json.dumps({**told, "missed": missed}, indent=1) + "\n")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
