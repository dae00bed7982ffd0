"""A mission that is paused: nothing moves, nothing is spent, and it goes on as if nothing was."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from agent.conversation import Became, Conversation
from agent.doubles import ScriptedPolicy, StillRobot
from agent.events import Event, Planned, Ticked
from agent.parts import Budget
from agent.pause import PausableRobot, Pause
from agent.protocols import Transcript
from agent.speech.certain import CertainGate
from agent.speech.control import Control
from agent.speech.replies import Replies
from agent.types import MissionOutcome, MissionResult, Observation, Plan
from tests.parts import AFTER, BEFORE, COMMAND, HELD, PICK, PLACE, Bench, chunk

WELL = [BEFORE, BEFORE, HELD, HELD, AFTER, AFTER, AFTER]
SECOND_TICK = 2


class _RunningClock(StillRobot):
    """A robot whose clock does not wait for actions, as of a real one."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def observe(self) -> Observation:
        return replace(super().observe(), time_s=time.monotonic() - self._began)


class _PauseAt:
    """Pauses a mission at its n-th tick."""

    def __init__(self, pause: Pause, tick: int) -> None:
        self._pause, self._tick, self._ticks = pause, tick, 0
        self.paused = threading.Event()

    def on_event(self, event: Event) -> None:
        self._ticks += isinstance(event, Ticked)
        if self._ticks == self._tick and not self.paused.is_set():
            self._pause.pause()
            self.paused.set()


class _Mission:
    """A mission in a thread of its own, which is paused at its second tick."""

    def __init__(self, robot: StillRobot, seconds: float = 60.0) -> None:
        self.pause, self.robot = Pause(), robot
        self._pauser = _PauseAt(self.pause, SECOND_TICK)
        self.policy = ScriptedPolicy([chunk()])
        self._bench = Bench(
            scenes=WELL,
            policy=self.policy,
            budget=Budget(replans=0, attempts=1, seconds=seconds),
            robot=PausableRobot(robot, self.pause),
            subscribers=[self._pauser],
        )
        self._result: MissionResult | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._pauser.paused.wait(5.0)

    def _run(self) -> None:
        self._result = self._bench.runtime.run(COMMAND, 0)

    def result(self) -> MissionResult:
        self._thread.join(10.0)
        assert self._result is not None, "the mission has not ended"
        return self._result


def _sent_over(robot: StillRobot, seconds: float) -> list[int]:
    """Return how many actions were sent at the beginning and at the end of some seconds."""
    before = len(robot.sent)
    time.sleep(seconds)
    return [before, len(robot.sent)]


def test_nothing_is_sent_while_it_is_paused_and_all_of_it_afterwards() -> None:
    mission = _Mission(StillRobot())
    assert _sent_over(mission.robot, 0.3) == [SECOND_TICK, SECOND_TICK]
    mission.pause.resume()
    result = mission.result()
    unpaused = Bench(scenes=WELL)
    assert result == unpaused.runtime.run(COMMAND, 0)
    assert np.array_equal(mission.robot.sent, unpaused.robot.sent)


def test_a_stop_ends_a_paused_mission() -> None:
    mission = _Mission(StillRobot())
    mission.robot.stop()
    assert mission.result().outcome is MissionOutcome.STOPPED
    assert len(mission.robot.sent) == SECOND_TICK


class _PauseBeforeAnyStep:
    """Pauses a mission as soon as it has a plan."""

    def __init__(self, pause: Pause) -> None:
        self._pause, self.paused = pause, threading.Event()

    def on_event(self, event: Event) -> None:
        if isinstance(event, Planned):
            self._pause.pause()
            self.paused.set()


def test_a_stop_ends_a_mission_that_was_paused_and_corrected() -> None:
    robot, pause, said = StillRobot(), Pause(), list[str]()
    replies, pauser = Replies(said.append), _PauseBeforeAnyStep(pause)
    talk = Conversation(
        CertainGate(),
        lambda text: Plan(command=text, subgoals=(PICK, PLACE)),
        said.append,
        replies.doing,
        pause,
        robot.stop,
    )
    bench = Bench(scenes=WELL, robot=PausableRobot(robot, pause), subscribers=[replies, pauser])

    def tell(words: str) -> Became:
        return talk.hear(Transcript(words, 1.0, 0.0), 0.0)[0]

    assert tell(COMMAND) is Became.COMMAND
    assert talk.command(0.0) == COMMAND
    results: list[MissionResult] = []

    def run() -> None:
        results.append(
            bench.runtime.run(COMMAND, 0, approve=talk.approve, answer=talk.answer, wish=talk.wish)
        )

    thread = threading.Thread(target=run)
    thread.start()
    assert pauser.paused.wait(5.0)
    assert tell("no the green one") is Became.CORRECTION
    assert tell("what are you doing") is Became.TOLD
    assert said[-1].startswith("I am paused")
    talk.steer(Control.STOP)
    thread.join(5.0)
    assert [result.outcome for result in results] == [MissionOutcome.STOPPED]
    assert not len(robot.sent)


@pytest.mark.parametrize("robot", [StillRobot, _RunningClock])
def test_a_pause_costs_no_time_of_the_mission(robot: type[StillRobot]) -> None:
    mission = _Mission(robot(), seconds=0.8)
    time.sleep(1.0)
    mission.pause.resume()
    result = mission.result()
    assert result.outcome is MissionOutcome.SUCCESS
    assert result.seconds < 0.8
