"""What topics and types of ROS 2 are called on DDS, as every implementation of ROS maps them."""

from __future__ import annotations

import re

from agent.errors import ConfigError

_TOPIC = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+")


def dds_topic(topic: str) -> str:
    """Return the DDS name of a topic, such as `rt/joint_states` of `/joint_states`.

    Raises:
        ConfigError: It is no full name of a topic.
    """
    if not _TOPIC.fullmatch(topic):
        raise ConfigError(
            f"A topic's name must be like '/arm/joint_states', of letters, digits and underscores; "
            f"{topic!r} is not."
        )
    return f"rt{topic}"


def ros_topic(name: str) -> str | None:
    """Return the topic of a DDS name; None where it is none of ROS's topics."""
    return name.removeprefix("rt") if name.startswith("rt/") else None


def ros_type(name: str) -> str:
    """Return the ROS name of a type: `std_msgs/msg/Bool` of `std_msgs::msg::dds_::Bool_`."""
    return name.replace("::dds_::", "/").replace("::", "/").removesuffix("_")
