"""Whether a configuration fits what a robot's topics really carry, before anything moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from agent.errors import CameraLost, ConfigError, unknown
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.scenes import WHOLE, Scenes
from agent.robots.ros2.senses import KINDS, Senses
from agent.robots.ros2.stream import Stream
from agent.ros.bus import Bus
from agent.ros.messages import BOOL, JOINTS, STAMPED_POSE
from agent.sections import Ros2Config

_POLL_S = 0.02
_COUNT_S, _COUNTED = 1.0, 8
"""For how long at the least, s, and over how many periods pictures are counted."""
_SLOW = 0.75
"""Share of the configured rate below which a camera is too slow."""
_SLACK_RAD = 0.05
"""How far beyond its limits a joint may stand, which a brake or a hand may have brought about."""


def check(config: Ros2Config, bus: Bus, senses: Senses, scenes: Scenes) -> None:
    """Wait for every topic and its first messages, and hold them against the configuration.

    Raises:
        ConfigError: A topic is absent or of another type, pictures have another size or come too
            slowly, a joint is absent, no number or beyond its limits, somebody else commands, or
            what comes as the emergency stop is none.
    """
    until_s = time.monotonic() + config.wait_s
    commands = config.command.topic
    # One that has just ended may still be listed for a while.
    if not _wait(lambda: commands not in bus.topics(), until_s):
        raise ConfigError(
            f"robot.ros2.command.topic: somebody else publishes on {commands} already; an arm is "
            "told by one at a time what to do."
        )
    for key, topic, kind in _expected(config):
        _find(bus, key, topic, kind, until_s)
    # A button may say nothing before it is pressed, but what it says must then be heard.
    if (stop := config.emergency_stop) is not None and stop in (there := bus.topics()):
        _demand_kind("emergency_stop", stop, BOOL, there)
    # A latched message that came later would be taken for the answer to what is asked next.
    if config.simulated.ready is not None and not _wait(lambda: scenes.answers, until_s):
        raise ConfigError(
            f"robot.ros2.simulated.ready: nothing is said on {config.simulated.ready}."
        )
    for key, stream in _named(senses):
        _wait(stream.begun, until_s)
        if stream.fault is not None or stream.newest is None:
            raise ConfigError(f"robot.ros2.{key}: {stream.lost()}")
    _check_joints(config, senses)
    _check_cameras(config, senses, until_s)


def _expected(config: Ros2Config) -> Iterator[tuple[str, str, str]]:
    """Yield key, topic and type of all that must be published."""
    for name, camera in config.cameras.items():
        yield f"cameras.{name}.topic", camera.topic, KINDS[camera.kind]
    yield "joints.topic", config.joints.topic, JOINTS
    if config.tool.topic is not None:
        yield "tool.topic", config.tool.topic, STAMPED_POSE
    if config.simulated.ready is not None:
        yield "simulated.ready", config.simulated.ready, WHOLE


def _find(bus: Bus, key: str, topic: str, kind: str, until_s: float) -> None:
    _wait(lambda: topic in bus.topics(), until_s)
    there = bus.topics()
    if topic not in there:
        raise ConfigError(f"robot.ros2.{key}: {unknown('topic', topic, there)}")
    _demand_kind(key, topic, kind, there)


def _demand_kind(key: str, topic: str, kind: str, there: Mapping[str, frozenset[str]]) -> None:
    if kind not in there[topic]:
        carried = " and ".join(sorted(there[topic]))
        raise ConfigError(f"robot.ros2.{key}: {topic} carries {carried}, not {kind}.")


def _wait(done: Callable[[], object], until_s: float) -> bool:
    """Wait until something is so, or a time of `time.monotonic`; return whether it is."""
    while not done():
        if time.monotonic() > until_s:
            return False
        time.sleep(_POLL_S)
    return True


def _named(senses: Senses) -> Iterator[tuple[str, Stream[Any]]]:
    yield "joints.names", senses.joints
    for name, camera in senses.cameras.items():
        yield f"cameras.{name}", camera
    if senses.pose is not None:
        yield "tool.topic", senses.pose


def _check_joints(config: Ros2Config, senses: Senses) -> None:
    latest, arm = senses.latest, ArmJoints.of(config)
    assert latest is not None
    beyond = np.maximum(arm.low - latest[0], latest[0] - arm.high)
    worst = int(np.argmax(beyond))
    if beyond[worst] > _SLACK_RAD:
        name = config.joints.names[worst]
        limit, at = config.limits[name], float((latest[0] - arm.offsets)[worst])
        raise ConfigError(
            f"robot.ros2.limits.{name}: the joint stands at {at:.3f} rad, beyond {limit.low:g} to "
            f"{limit.high:g}."
        )


def _check_cameras(config: Ros2Config, senses: Senses, until_s: float) -> None:
    if not _wait(lambda: senses.moment(float("-inf")), until_s):
        raise ConfigError(
            "robot.ros2: the stamps of the cameras and of the joints are never of one time, so "
            "they must be of different clocks."
        )
    moment = senses.moment(float("-inf"))
    assert moment is not None
    try:
        senses.pictures(moment)
    except CameraLost as lost:
        raise ConfigError(f"robot.ros2.cameras: {lost}") from lost
    _check_rates(config, senses, until_s)


def _check_rates(config: Ros2Config, senses: Senses, until_s: float) -> None:
    """Count pictures; again where they are few, for a machine may be busy when all begins."""
    count_s = max(_COUNT_S, _COUNTED / config.rate_hz)
    while True:
        began = {name: stream.count for name, stream in senses.cameras.items()}
        time.sleep(count_s)
        counts = {name: stream.count - began[name] for name, stream in senses.cameras.items()}
        name = min(counts, key=counts.__getitem__)
        rate_hz = counts[name] / count_s
        if rate_hz >= _SLOW * config.rate_hz:
            return
        if time.monotonic() > until_s:
            raise ConfigError(
                f"robot.ros2.cameras.{name}: pictures come {rate_hz:.3g} times a second, too "
                f"slowly for rate_hz of {config.rate_hz:g}."
            )
