"""Where a model and a robot do not belong together."""

from __future__ import annotations

from collections.abc import Iterator

from agent.action_space import ActionSpace, ActionSpec
from agent.errors import unknown
from agent.types import Observation
from skills.interface.decode import CONVERTIBLE
from skills.interface.pictures import enlargement
from skills.interface.schema import Interface

_SAME = 1e-3
"""Share by which rates of the same name differ."""


def misfits(interface: Interface, spec: ActionSpec, observation: Observation) -> list[str]:
    """Return what keeps a model from driving a robot, one sentence each; empty when it may.

    Args:
        interface: What the model expects and gives.
        spec: The action space of the robot.
        observation: What the robot senses.
    """
    return [
        *_cameras(interface, observation),
        *_state(interface, observation),
        *_actions(interface, spec, observation),
    ]


def _cameras(interface: Interface, observation: Observation) -> Iterator[str]:
    for key, expected in interface.cameras.items():
        image = observation.images.get(expected.camera)
        if image is None:
            yield f"cameras.{key}: {unknown('camera', expected.camera, observation.images)}"
            continue
        larger = enlargement(expected, image)
        if larger > expected.enlarge and expected.size is not None:
            yield (
                f"cameras.{key}: {expected.camera!r} gives {image.shape[0]}x{image.shape[1]} px, "
                f"but {expected.size[0]}x{expected.size[1]} px are expected; that enlarges it "
                f"{larger:.2g} times, and `enlarge` allows {expected.enlarge:g}."
            )


def _state(interface: Interface, observation: Observation) -> Iterator[str]:
    have = len(observation.joint_pos)
    for key, expected in interface.state.items():
        if expected.joints not in (None, have):
            yield f"state.{key}: {expected.joints} joints are expected, but the robot has {have}."


def _actions(interface: Interface, spec: ActionSpec, observation: Observation) -> Iterator[str]:
    given, dim = interface.actions, len(spec.names)
    if given.space is not spec.space and (given.space, spec.space) not in CONVERTIBLE:
        yield (
            f"actions.space: the model gives {given.space}, but the robot takes {spec.space}, and "
            "the one cannot be made from the other exactly."
        )
    elif given.space in (ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT) and given.dim != dim:
        yield f"actions.dim: the model gives {given.dim} numbers, but the robot takes {dim}."
    if (spec.low[-1], spec.high[-1]) != (0.0, 1.0):
        yield (
            f"actions.gripper: the robot's last number {spec.names[-1]!r} is in {spec.low[-1]:g}.."
            f"{spec.high[-1]:g}, but a gripper's opening is in 0..1."
        )
    times = given.rate_hz / spec.rate_hz
    if round(times) < 1 or abs(times - round(times)) > _SAME:
        yield (
            f"actions.rate_hz: the model gives {given.rate_hz:g} rows a second, but the robot "
            f"takes {spec.rate_hz:g}; that many, or a whole number of times as many, would do."
        )
    elif given.horizon < round(times):
        yield (
            f"actions.horizon: {round(times)} rows of the model make one action of the robot, but "
            f"a chunk has {given.horizon}."
        )
