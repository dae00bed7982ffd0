"""What is really there, told by a simulated world over the bus. Privileged: for scoring only."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from agent.errors import RobotError
from agent.ros.bus import Bus, Qos
from agent.ros.messages import TEXT
from agent.types import Scene, SceneObject

QOS = Qos(depth=1)


def encoded(scene: Scene) -> str:
    """Return a scene as JSON."""
    things = {n: asdict(o) | {"position": o.position.tolist()} for n, o in scene.objects.items()}
    return json.dumps({"time_s": scene.time_s, "objects": things})


def decoded(text: str) -> Scene:
    """Return the scene of JSON; the inverse of `encoded`."""
    data: Mapping[str, Any] = json.loads(text)
    things = {
        name: SceneObject(**{**thing, "position": np.array(thing["position"])})
        for name, thing in data["objects"].items()
    }
    return Scene(data["time_s"], things)


class RemoteTruth:
    """Knows what is really there from a topic."""

    def __init__(self, bus: Bus, topic: str, wait_s: float) -> None:
        """Listen; `wait_s` is how long an answer may take."""
        self._topic, self._wait_s = topic, wait_s
        self._came = threading.Condition()
        self._told, self._count = "", 0
        bus.listen(topic, TEXT, QOS, self._on_message)

    def truth(self) -> Scene:
        """Return what is there from now on: the second scene to come, for one may be under way.

        Raises:
            RobotError: Nothing comes.
        """
        with self._came:
            asked = self._count
            if not self._came.wait_for(lambda: self._count >= asked + 2, self._wait_s):
                raise RobotError(
                    f"The world does not say on {self._topic} what is there, so there is no score; "
                    "see whether it still runs."
                )
            return decoded(self._told)

    def _on_message(self, message: Any) -> None:
        with self._came:
            self._told, self._count = message.data, self._count + 1
            self._came.notify_all()
