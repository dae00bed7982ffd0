"""What is known of a robot before it is opened: what it takes, where home is, how its arm bends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.action_space import ActionSpec
from agent.types import Vector


class Kinematics(Protocol):
    """How the joints of an arm carry its tool; poses are in the base frame."""

    def pose(self, joints: Vector) -> Vector:
        """Return the (7,) tool pose, m and wxyz, at (n,) joint positions in rad."""
        ...

    def jacobian(self, joints: Vector) -> Vector:
        """Return (6, n): how the tool moves, m and rad, for each rad that a joint turns."""
        ...

    def solve(self, joints: Vector, pose: Vector) -> Vector:
        """Return (n,) joint positions in rad for a (7,) tool pose, near the given ones."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Joints:
    """The joints of an arm, in the order in which they are sensed.

    Attributes:
        low: (n,) rad, how far each may turn one way.
        high: (n,) rad, and the other.
        home: (n,) rad, where it rests.
        kinematics: How they carry the tool, where that is known.
    """

    low: Vector
    high: Vector
    home: Vector
    kinematics: Kinematics | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A robot as policies, primitives and the shield need to know it.

    Attributes:
        spec: What it may be sent.
        home: (7,) tool pose at rest: m and wxyz, base frame.
        clear_z: Height of the tool in m, base frame, above which nothing stands in its way.
        low: (3,) m, base frame: the tool never needs to go below or outside.
        high: (3,) m, base frame: the tool never needs to go above or outside.
        joints: Its joints, where actions are about them, and only there.
    """

    spec: ActionSpec
    home: Vector
    clear_z: float
    low: Vector
    high: Vector
    joints: Joints | None = None

    @property
    def caveat(self) -> str:
        """What whoever starts it must know in one sentence; empty where there is nothing."""
        if self.joints is None or self.joints.kinematics is not None:
            return ""
        return (
            f"The robot takes {self.spec.space} and its kinematics are not known, so the shield "
            "limits its joints alone and keeps its tool in no box."
        )

    @property
    def kinematics(self) -> Kinematics | None:
        """How joints that are commanded carry the tool, where that is known."""
        return None if self.joints is None else self.joints.kinematics
