"""What a robot's topics tell, put together to moments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.errors import CameraLost, MessageError, RobotLost, RobotStopped
from agent.robots.kinematics import one_sided
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.stream import Bounds, Stream
from agent.ros.bus import Bus, Qos
from agent.ros.messages import COMPRESSED, IMAGE, JOINTS, STAMPED_POSE, image_of, joints_of, pose_of
from agent.sections import CameraConfig, Ros2Config
from agent.types import Image, Vector

KINDS = {"compressed": COMPRESSED, "raw": IMAGE}
"""How a camera's kind is configured -> its ROS type."""
_PICTURES = 8
_STATES = 500
_LOOK_BACK_S, _LOOK_AHEAD_S = 0.02, 0.05
"""Over how long the joints' speeds are taken, and for how long they are believed, s."""
_APART_S = 0.1
"""How far joint positions may be from the pictures they belong to, s."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """All that belongs to one time.

    Attributes:
        stamp_s: Of the pictures, s of the robot's clock.
        pictures: Camera -> its message, not yet decoded.
        joints: (n,) rad, zeros as the policy has them.
        fingers: (m,) the gripper's joints, m or rad.
        pose: (7,) tool pose, where a topic tells it.
    """

    stamp_s: float
    pictures: Mapping[str, Any]
    joints: Vector
    fingers: Vector
    pose: Vector | None


class Senses:
    """Listens to cameras, joints and, where it has a topic, the tool's pose.

    Attributes:
        came: Notified when a message came, and by whoever ends the waiting.
        on_fault: Called from a thread of the bus as soon as a message is a fault.
        on_joints: Called from there after joint positions came that are none.
    """

    def __init__(self, config: Ros2Config, bus: Bus) -> None:
        """Subscribe; messages come from now on."""
        self._config = config
        self.came = threading.Condition(threading.RLock())
        self.on_fault: Callable[[RobotStopped], None] = lambda fault: None
        self.on_joints: Callable[[], None] = lambda: None
        self._latest: Vector | None = None
        self._offsets = ArmJoints.of(config).offsets
        self.cameras = {name: self._camera(name, c, bus) for name, c in config.cameras.items()}
        joints = config.joints
        self.joints: Stream[Vector] = Stream(
            lambda why: RobotLost(f"Of the joints on {joints.topic}, {why}"),
            self._positions,
            self._bounds(joints.max_age_s),
            _STATES,
            self.came,
            self._on_fault,
        )
        bus.listen(joints.topic, JOINTS, Qos(reliable=joints.reliable), self._on_joints)
        self.pose: Stream[Vector] | None = None
        if (topic := config.tool.topic) is not None:
            self.pose = Stream(
                lambda why: RobotLost(f"Of the tool's pose on {topic}, {why}"),
                _pose,
                self._bounds(joints.max_age_s),
                _STATES,
                self.came,
                self._on_fault,
            )
            bus.listen(topic, STAMPED_POSE, Qos(reliable=joints.reliable), self.pose.on_message)

    @property
    def streams(self) -> Sequence[Stream[Any]]:
        """All that is listened to."""
        return [*self.cameras.values(), self.joints, *([self.pose] if self.pose else [])]

    @property
    def now_s(self) -> float:
        """The robot's clock by its last joint positions, s; 0 before there are any."""
        newest = self.joints.newest
        return newest[0] + time.monotonic() - self.joints.received_s if newest else 0.0

    @property
    def latest(self) -> tuple[Vector, Vector] | None:
        """The last (n,) joint and (m,) gripper positions; None where there never were any."""
        return None if self._latest is None else self._apart(self._latest)

    def present(self) -> tuple[Vector, Vector] | None:
        """Return where the (n,) joints and the (m,) gripper's are now, by how they moved last.

        An arm that shall stay where it was some hundredths of a second ago is pulled back, and
        comes to rest the later.
        """
        with self.came:
            newest = self.joints.newest
            before = self.joints.nearest(newest[0] - _LOOK_BACK_S) if newest else None
            age_s = time.monotonic() - self.joints.received_s
        if newest is None or before is None or newest[0] <= before[0] or age_s > _LOOK_AHEAD_S:
            return self.latest
        speeds = (newest[1] - before[1]) / (newest[0] - before[0])
        return self._apart(newest[1] + speeds * age_s)

    def begin(self) -> None:
        """Forget all that came, and every fault."""
        for stream in self.streams:
            stream.begin()

    def fault(self) -> RobotStopped | None:
        """Return what is wrong for good with the first topic of which something is."""
        return next((stream.fault for stream in self.streams if stream.fault), None)

    def stale(self, since_s: float) -> RobotStopped | None:
        """Return the fault of a topic on which nothing came for too long, though waited for.

        Args:
            since_s: When the waiting began, s of `time.monotonic`.
        """
        now_s = time.monotonic()
        for stream in self.streams:
            if now_s - max(stream.received_s, since_s) > stream.max_age_s:
                return stream.lost()
        return None

    def fresh(self) -> bool:
        """Return whether nothing is older than it may be."""
        now_s = time.monotonic()
        return all(now_s - stream.received_s <= stream.max_age_s for stream in self.streams)

    def moment(self, due_s: float) -> Moment | None:
        """Return the newest complete moment from a time on, s of the robot's clock, if there is."""
        with self.came:
            newest = [stream.newest for stream in self.cameras.values()]
            stamps = [kept[0] for kept in newest if kept is not None]
            if len(stamps) < len(newest) or min(stamps) < due_s:
                return None
            stamp_s = min(stamps)
            taken = {name: camera.nearest(stamp_s) for name, camera in self.cameras.items()}
            state = self.joints.nearest(stamp_s)
            pose = self.pose.nearest(stamp_s) if self.pose else None
            period_s = 1.0 / self._config.rate_hz
            near = all(kept and abs(kept[0] - stamp_s) < period_s / 2 for kept in taken.values())
            if not near or state is None or abs(state[0] - stamp_s) > _APART_S:
                return None
            if self.pose and (pose is None or abs(pose[0] - stamp_s) > _APART_S):
                return None
            joints, fingers = self._apart(state[1])
            pictures = {name: kept[1] for name, kept in taken.items() if kept}
            return Moment(stamp_s, pictures, joints, fingers, pose[1] if pose else None)

    def pictures(self, moment: Moment) -> dict[str, Image]:
        """Return camera -> (H, W, 3) uint8 RGB of a moment.

        Raises:
            CameraLost: A picture cannot be decoded, or has another size than configured.
        """
        shown = {}
        for name, message in moment.pictures.items():
            try:
                shown[name] = image_of(message)
            except MessageError as error:
                raise CameraLost(f"The camera {name!r} shows nothing: {error}") from error
            height, width = self._config.cameras[name].size
            if shown[name].shape[:2] != (height, width):
                raise CameraLost(
                    f"The camera {name!r} shows {_size(shown[name])} pixels instead of "
                    f"{width}x{height}."
                )
        return shown

    def opening(self, fingers: Vector) -> float:
        """Return how far the gripper is open, 0..1, by its (m,) joints."""
        shut, wide = self._config.gripper.closed, self._config.gripper.open
        return float(np.clip(np.mean((fingers - shut) / (wide - shut)), 0.0, 1.0))

    def _camera(self, name: str, camera: CameraConfig, bus: Bus) -> Stream[Any]:
        stream: Stream[Any] = Stream(
            lambda why: CameraLost(f"Of the camera {name!r} on {camera.topic}, {why}"),
            lambda message: message,
            self._bounds(camera.max_age_s),
            _PICTURES,
            self.came,
            self._on_fault,
        )
        # Of pictures that come faster than they are taken, the newest is wanted.
        qos = Qos(reliable=camera.reliable, depth=1)
        bus.listen(camera.topic, KINDS[camera.kind], qos, stream.on_message)
        return stream

    def _bounds(self, max_age_s: float) -> Bounds:
        return Bounds(max_age_s, self._config.max_jump_s, self._config.clock == "system")

    def _positions(self, message: Any) -> Vector:
        """Return (n + m,) of the arm's joints and the gripper's, as they come."""
        names = (*self._config.joints.names, *self._config.gripper.names)
        positions = joints_of(message, names)
        if not np.all(np.isfinite(positions)):
            strange = names[int(np.argmin(np.isfinite(positions)))]
            raise ValueError(f"The position of {strange!r} is no finite number")
        self._latest = positions
        return positions

    def _on_joints(self, message: Any) -> None:
        self.joints.on_message(message)
        if self.joints.fault is None:
            self.on_joints()

    def _on_fault(self, fault: RobotStopped) -> None:
        self.on_fault(fault)

    def _apart(self, positions: Vector) -> tuple[Vector, Vector]:
        count = len(self._offsets)
        return positions[:count] + self._offsets, positions[count:]


def _pose(message: Any) -> Vector:
    pose = pose_of(message)
    length = float(np.linalg.norm(pose[3:]))
    if not (np.all(np.isfinite(pose)) and abs(length - 1.0) < 1e-2):
        raise ValueError("It holds no finite position and unit quaternion")
    return np.concatenate([pose[:3], one_sided(pose[3:] / length)])


def _size(image: Image) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
