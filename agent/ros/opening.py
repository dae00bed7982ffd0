"""A bus by what carries it: a sourced ROS 2 installation, or plain DDS."""

from __future__ import annotations

from typing import Literal

from agent.errors import MissingDependency
from agent.ros.bus import Bus

Transport = Literal["auto", "rclpy", "dds"]


def open_bus(
    transport: Transport = "auto", domain: int | None = None, loopback: bool = False
) -> Bus:
    """Join a ROS 2 graph.

    Args:
        transport: rclpy or dds; auto is rclpy where it can be imported, and otherwise dds.
        domain: Which ROS domain, 0..232; None means `ROS_DOMAIN_ID`, or 0.
        loopback: Whether to stay on this machine whatever the environment says.

    Raises:
        MissingDependency: What carries it cannot be imported.
        ConfigError: There is no such domain.
        RobotError: The domain cannot be joined.
    """
    if transport != "dds":
        try:
            from agent.ros.rclpy_bus import RclpyBus
        except ImportError as error:
            if transport == "rclpy":
                raise MissingDependency(
                    f"rclpy cannot be imported ({error}); source a ROS 2 installation's set-up "
                    "file whose Python is this one, or take the transport 'dds'."
                ) from error
        else:
            return RclpyBus(domain, loopback)
    try:
        from agent.ros.dds import DdsBus
    except ImportError as error:
        raise MissingDependency(
            "Neither a sourced ROS 2 nor Cyclone DDS is there: pip install 'bosun[ros]'."
            if transport == "auto"
            else "Cyclone DDS is not installed: pip install 'bosun[ros]'."
        ) from error
    return DdsBus(domain, loopback)
