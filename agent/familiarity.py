"""Whether a robot senses what Bosun's own networks were trained on, told before it is opened."""

from __future__ import annotations

from agent.sections import RobotConfig

_JOINTS = 7


def unfamiliar(config: RobotConfig) -> str:
    """Return in a clause how a robot differs from the one in training; empty where it does not."""
    if config.kind == "tabletop":
        return ""
    if config.kind == "fetch":
        return "they have never seen a Fetch"
    from skills.dataset import CAMERAS

    names = config.ros2.joints.names
    if len(names) != _JOINTS:
        return f"they know an arm of {_JOINTS} joints, and this one has {len(names)}"
    there = {name: camera.size for name, camera in config.ros2.cameras.items()}
    for name, (height, width) in CAMERAS.items():
        if name not in there:
            return f"they need a camera {name!r}, and there are: {', '.join(sorted(there))}"
        if there[name] != (height, width):
            return (
                f"they need pictures of {width}x{height} pixels from {name!r}, and get "
                f"{there[name][1]}x{there[name][0]}"
            )
    return ""
