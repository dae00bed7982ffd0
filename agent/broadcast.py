"""What happens in a mission, as topics of ROS 2 for whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agent.episode.codec import encode
from agent.episode.schemas import PLAN
from agent.errors import BosunError
from agent.events import Event, Ticked
from agent.ros.bus import LATCHED, Bus, Qos
from agent.ros.messages import TEXT, text


class Broadcast:
    """Publishes events, plans, subgoals, verdicts and scenes as JSON in `std_msgs/String`.

    Topics and fields are those of an episode, under a prefix: `/bosun/verdict`, for example. The
    plan is latched, so that who comes later is told it too. Ticks are left out: pictures, joint
    states and commands are on the bus already.
    """

    def __init__(self, bus: Bus, prefix: str) -> None:
        """Advertise nothing yet; topics come with what is said on them."""
        self._bus, self._prefix = bus, prefix
        self._publish: dict[str, Callable[[Any], None]] = {}

    def on_event(self, event: Event) -> None:
        """Publish an event; a bus that does not carry it is no reason for a mission to fail."""
        if isinstance(event, Ticked):
            return
        for topic, message in encode(event):
            with suppress(BosunError):
                self._on(topic)(text(self._bus, json.dumps(message)))

    def _on(self, topic: str) -> Callable[[Any], None]:
        if topic not in self._publish:
            qos = LATCHED if topic == PLAN else Qos()
            self._publish[topic] = self._bus.advertise(self._prefix + topic, TEXT, qos)
        return self._publish[topic]
