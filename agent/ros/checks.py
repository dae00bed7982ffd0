"""Checks that a bus keeps its protocol; run them on your own.

    from agent.ros.checks import check_bus
    check_bus(lambda: MyBus())

They raise `BosunError` with one sentence at the first promise that is broken.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

import numpy as np

from agent.errors import BosunError, ConfigError, RobotError
from agent.ros import messages
from agent.ros.bus import LATCHED, SENSOR, Bus, Qos

_INT = "std_msgs/msg/Int64"
_BOOL = messages.BOOL
_PATIENCE_S = 10.0
"""How long two participants may take to find each other, s."""
_SILENCE_S = 0.5
"""How long nothing must come where nothing may, s."""
_MANY = 200


def check_bus(make: Callable[[], Bus]) -> None:
    """Check a bus: its types, order, delivery, who publishes what, and closing.

    Args:
        make: Joins one domain, as a participant of its own each time; they are closed again.
    """
    for check in (check_types, _check_order, _check_delivery, _check_topics, _check_refusals):
        with ExitStack() as stack:
            here, there = (stack.enter_context(closing(make())) for _ in range(2))
            check(here, there)
    _check_closing(make)


def samples(bus: Bus) -> dict[str, Any]:
    """Return a message of every type that a bus must know, by type, with something in it."""
    make = bus.message
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    joints = messages.joint_state(bus, 12.5, ("a", "b"), np.array([0.5, -1.0]), np.zeros(2))
    axis = make("std_msgs/msg/MultiArrayDimension")(label="x", size=2, stride=2)
    pose = make("geometry_msgs/msg/Pose")(
        position=make("geometry_msgs/msg/Point")(x=1.0, y=-2.0, z=0.25),
        orientation=make("geometry_msgs/msg/Quaternion")(x=0.0, y=1.0, z=0.0, w=0.0),
    )
    return {
        "builtin_interfaces/msg/Time": messages.stamp(bus, 1.25),
        "std_msgs/msg/Header": joints.header,
        messages.TEXT: messages.text(bus, "pick up the rød block"),
        _BOOL: make(_BOOL)(data=True),
        _INT: make(_INT)(data=-(2**40)),
        "std_msgs/msg/Float32": make("std_msgs/msg/Float32")(data=0.5),
        "std_msgs/msg/Float64": make("std_msgs/msg/Float64")(data=0.1),
        messages.FLOATS: make(messages.FLOATS)(
            layout=make("std_msgs/msg/MultiArrayLayout")(dim=[axis]), data=[0.1, -2.0]
        ),
        messages.IMAGE: messages.raw_image(bus, image, 3.0),
        messages.COMPRESSED: messages.compressed_image(bus, image, 3.0),
        messages.JOINTS: joints,
        messages.POSE: pose,
        messages.STAMPED_POSE: make(messages.STAMPED_POSE)(header=joints.header, pose=pose),
    }


def check_types(here: Bus, there: Bus) -> None:
    """Check that every type goes from one bus to another, which may be of another kind.

    Args:
        here: Publishes.
        there: Listens.
    """
    expected = samples(there)
    for number, (kind, message) in enumerate(samples(here).items()):
        topic = f"/check/type_{number}"
        heard = _heard(there, topic, kind)
        _await(heard, here.advertise(topic, kind, Qos()), message, expected[kind])
        _demand(there.message(kind)() == there.message(kind)(), f"{kind} must have defaults.")


def _check_order(here: Bus, there: Bus) -> None:
    qos = Qos(depth=_MANY)
    heard = _heard(there, "/check/order", _INT, qos)
    make, publish = here.message(_INT), here.advertise("/check/order", _INT, qos)
    _await(heard, publish, make(data=-1))
    for number in range(_MANY):
        publish(make(data=number))
    came = [number for number in _until(heard, _MANY - 1) if number >= 0]
    _demand(came == list(range(_MANY)), "Reliable messages must all come, and in order.")


def _check_delivery(here: Bus, there: Bus) -> None:
    make = here.message(_INT)
    publish = {
        name: here.advertise(f"/check/{name}", _INT, qos)
        for name, qos in {"said": LATCHED, "told": Qos(), "sensed": SENSOR}.items()
    }
    for number in (1, 2):
        publish["said"](make(data=number))
        publish["told"](make(data=number))
    _demand(
        _until(_heard(there, "/check/said", _INT, LATCHED), 2) == [2],
        "Who comes later must be given the last latched message, and only that.",
    )
    told = _heard(there, "/check/told", _INT)
    strict = _heard(there, "/check/sensed", _INT, Qos())
    _await(_heard(there, "/check/sensed", _INT, SENSOR), publish["sensed"], make(data=4))
    time.sleep(_SILENCE_S)
    _demand(told.empty(), "Who comes later must not be given messages that are not latched.")
    _await(told, publish["told"], make(data=3))
    _demand(strict.empty(), "A best-effort publisher must not reach a reliable receiver.")


def _check_topics(here: Bus, there: Bus) -> None:
    here.advertise("/check/count", _INT, Qos())
    here.advertise("/check/both", _INT, Qos())
    said = here.advertise("/check/both", _BOOL, Qos())
    there.advertise("/check/own", _INT, Qos())
    expected = {"/check/count": {_INT}, "/check/both": {_INT, _BOOL}}
    end = time.monotonic() + _PATIENCE_S
    while (found := _checked(there)) != expected and time.monotonic() < end:
        time.sleep(0.01)
    _demand(found == expected, f"Topics must be {expected}, without one's own, and are {found}.")
    other = _heard(there, "/check/both", _INT)
    _await(_heard(there, "/check/both", _BOOL), said, here.message(_BOOL)(data=True))
    time.sleep(_SILENCE_S)
    _demand(other.empty(), "A message of another type must not be handed over.")


def _checked(bus: Bus) -> dict[str, set[str]]:
    return {name: set(kinds) for name, kinds in bus.topics().items() if name.startswith("/check/")}


def _check_refusals(here: Bus, there: Bus) -> None:
    publish = here.advertise("/check/refused", _INT, Qos())
    for error, asked in (
        (RobotError, lambda: here.message("std_msgs/msg/Strin")),
        (RobotError, lambda: here.advertise("/check/refused", "std_msgs/msg/Strin", Qos())),
        (RobotError, lambda: publish(here.message(_BOOL)(data=True))),
        (ConfigError, lambda: here.advertise("check refused", _INT, Qos())),
        (ConfigError, lambda: there.listen("check/", _INT, Qos(), lambda message: None)),
    ):
        _demand_refused(asked, error)


def _check_closing(make: Callable[[], Bus]) -> None:
    here, there = make(), make()
    heard = _heard(there, "/check/closing", _INT)
    message, publish = here.message(_INT)(data=1), here.advertise("/check/closing", _INT, Qos())
    _await(heard, publish, message)
    there.close()
    before = heard.qsize()
    publish(message)
    time.sleep(_SILENCE_S)
    _demand(heard.qsize() == before, "A closed bus must hand nothing over.")
    for bus in (here, there):
        bus.close()
        bus.close()
    for asked in (lambda: publish(message), here.topics):
        _demand_refused(asked, RobotError)


def _heard(bus: Bus, topic: str, kind: str, qos: Qos | None = None) -> queue.Queue[Any]:
    heard: queue.Queue[Any] = queue.Queue()
    bus.listen(topic, kind, qos or Qos(), heard.put)
    return heard


def _await(
    heard: queue.Queue[Any],
    publish: Callable[[Any], None],
    message: Any,
    expected: Any = None,
) -> None:
    """Publish until it is heard; participants need time to find each other."""
    expected = message if expected is None else expected
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        publish(message)
        try:
            came = heard.get(timeout=0.02)
        except queue.Empty:
            continue
        _demand(came == expected, f"What came must be what was sent: {message}, and is {came}.")
        return
    raise BosunError(f"{message} did not come within {_PATIENCE_S:g} s.")


def _until(heard: queue.Queue[Any], last: int) -> list[int]:
    """Return numbers as they came, until the last one, or none comes any more."""
    came: list[int] = []
    try:
        while last not in came[-1:]:
            came.append(heard.get(timeout=_PATIENCE_S).data)
    except queue.Empty:
        pass
    return came


def _demand_refused(asked: Callable[[], object], error: type[BosunError]) -> None:
    try:
        asked()
    except error:
        return
    raise BosunError(f"What cannot be done must be refused with {error.__name__}.")


def _demand(kept: bool, sentence: str) -> None:
    if not kept:
        raise BosunError(sentence)
