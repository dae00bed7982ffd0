"""What domains, topics and types of ROS 2 are called, and what DDS calls them."""

from __future__ import annotations

import os
import re

from agent.errors import ConfigError

HIGHEST_DOMAIN = 232
"""Beyond it there are no ports."""

_TOPIC = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+")


def domain_number(asked: int | None) -> int:
    """Return the number of a ROS domain; None means `ROS_DOMAIN_ID`, or 0.

    Raises:
        ConfigError: There is no such domain.
    """
    said = (os.environ.get("ROS_DOMAIN_ID") or "0") if asked is None else str(asked)
    if not (said.isascii() and said.isdigit() and int(said) <= HIGHEST_DOMAIN):
        raise ConfigError(f"A ROS domain is a number 0..{HIGHEST_DOMAIN}, and {said!r} is not.")
    return int(said)


def is_topic(name: str) -> bool:
    """Return whether something is the full name of a topic."""
    return _TOPIC.fullmatch(name) is not None


def check_topic(topic: str) -> str:
    """Return a topic's name as it is.

    Raises:
        ConfigError: It is no full name of a topic.
    """
    if not is_topic(topic):
        raise ConfigError(
            f"A topic's name must be like '/arm/joint_states', of letters, digits and underscores; "
            f"{topic!r} is not."
        )
    return topic


def dds_topic(topic: str) -> str:
    """Return the DDS name of a topic, such as `rt/joint_states` of `/joint_states`."""
    return f"rt{check_topic(topic)}"


def ros_topic(name: str) -> str | None:
    """Return the topic of a DDS name; None where it is none of ROS's topics."""
    return name.removeprefix("rt") if name.startswith("rt/") else None


def ros_type(name: str) -> str:
    """Return the ROS name of a type: `std_msgs/msg/Bool` of `std_msgs::msg::dds_::Bool_`."""
    return name.replace("::dds_::", "/").replace("::", "/").removesuffix("_")
