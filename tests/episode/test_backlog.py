"""What is heard between missions and in them is written by the mission's own thread, in order."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np

from agent.episode.backlog import Backlog, Handover
from agent.events import Event, Heard, MissionEnded, MissionStarted, StopWordJudged
from tests.episode.samples import heard, mission

RNG = np.random.default_rng(0)


class _Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[Event, int]] = []

    def on_event(self, event: Event) -> None:
        self.told.append((event, threading.get_ident()))


def test_what_led_to_a_mission_comes_after_its_beginning_and_the_rest_in_between() -> None:
    backlog, recorder = Backlog(), _Recorder()
    handover = Handover(backlog, [recorder])
    events = [e for e in mission(RNG, ticks=2) if not isinstance(e, Heard | StopWordJudged)]
    said = [heard(RNG, 0.0) for _ in range(3)]
    backlog.put(said[0])
    for event in events:
        if isinstance(event, MissionEnded):
            for one in said[1:]:
                other = threading.Thread(target=backlog.put, args=(one,))
                other.start()
                other.join()
        handover.on_event(event)
    end_s = events[-1].time_s
    assert [event for event, _ in recorder.told] == [
        events[0],
        said[0],
        *events[1:-1],
        *(replace(one, time_s=end_s) for one in said[1:]),
        events[-1],
    ]
    assert {thread for _, thread in recorder.told} == {threading.get_ident()}
    assert backlog.take(0.0) == []


def test_the_oldest_gives_way_to_what_does_not_fit() -> None:
    backlog = Backlog(most_bytes=1000)
    said = [heard(RNG, 0.0, size=400) for _ in range(4)]
    for one in said:
        backlog.put(one)
    assert backlog.take(0.0) == said[2:]
    assert backlog.dropped == 2
    backlog.put(said[0])
    assert backlog.take(0.0) == said[:1]


def test_judgements_without_sound_fill_no_memory() -> None:
    backlog = Backlog()
    for _ in range(5_000):
        backlog.put(StopWordJudged(0.0, 0.0, 0.0, 0.0, False))
    assert len(backlog.take(0.0)) == 1_000


def test_the_end_waits_for_what_is_just_being_heard_but_not_for_ever() -> None:
    backlog, recorder = Backlog(), _Recorder()
    handover, said, begun = Handover(backlog, [recorder]), heard(RNG, 0.0), threading.Event()

    def slowly() -> None:
        with backlog.due():
            begun.set()
            time.sleep(0.2)
            backlog.put(said)

    thread = threading.Thread(target=slowly)
    thread.start()
    assert begun.wait(5.0)
    end = mission(RNG)[-1]
    handover.on_event(MissionStarted(0.0, "wait", {}))
    handover.on_event(end)
    thread.join()
    assert [event for event, _ in recorder.told][1:] == [replace(said, time_s=end.time_s), end]
    assert backlog.settle(0.0)
    with backlog.due():
        assert not backlog.settle(0.05)
