from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest

from agent.broadcast import Broadcast
from agent.errors import RobotError
from agent.events import Stopped
from agent.robots.ros2.truth import QOS, RemoteTruth, decoded, encoded
from agent.robots.tabletop.world import TabletopWorld
from agent.ros.messages import TEXT, text
from agent.ros.opening import open_bus
from agent.types import HAND, Scene, SceneObject
from tests.ros.domains import OWN


def test_a_scene_is_told_to_the_last_bit() -> None:
    world = TabletopWorld()
    world.reset(5)
    scene = world.truth()
    world.close()
    there = decoded(encoded(scene))
    assert there.time_s == scene.time_s
    assert there.objects.keys() == scene.objects.keys()
    for name, thing in scene.objects.items():
        other = there.objects[name]
        assert np.array_equal(other.position, thing.position)
        assert (other.kind, other.support, other.articulation) == (
            thing.kind,
            thing.support,
            thing.articulation,
        )


def test_the_truth_is_of_after_it_was_asked_for() -> None:
    with (
        closing(open_bus("dds", OWN, loopback=True)) as far,
        closing(open_bus("dds", OWN, loopback=True)) as near,
    ):
        tell = far.advertise("/truth", TEXT, QOS)
        truth, ends, time_s = RemoteTruth(near, "/truth", 2.0), threading.Event(), [0.0]
        held = {"can": SceneObject("can", "can", np.zeros(3), support=HAND)}

        def run() -> None:
            while not ends.wait(0.02):
                time_s[0] += 1.0
                tell(text(far, encoded(Scene(time_s[0], held))))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            for _ in range(5):
                asked_s = time_s[0]
                scene = truth.truth()
                assert scene.time_s > asked_s
                assert scene.held is not None and scene.held.name == "can"
        finally:
            ends.set()
            thread.join()


def test_a_world_that_is_silent_gives_no_score() -> None:
    with (
        closing(open_bus("dds", OWN, loopback=True)) as bus,
        pytest.raises(RobotError, match=r"does not say on /nothing what is there"),
    ):
        RemoteTruth(bus, "/nothing", 0.2).truth()


def test_a_bus_that_is_gone_is_no_reason_to_fail() -> None:
    bus = open_bus("dds", OWN, loopback=True)
    broadcast = Broadcast(bus, "/bosun")
    broadcast.on_event(Stopped(0.0, "latch"))
    bus.close()
    broadcast.on_event(Stopped(1.0, "latch"))
    Broadcast(bus, "/other").on_event(Stopped(1.0, "latch"))
