"""The model by which joints carry a tool: the Panda's, or one from a file."""

from __future__ import annotations

from pathlib import Path

import mujoco

from agent.errors import ConfigError, unknown
from agent.robots.kinematics import ArmKinematics
from agent.robots.ros2.joints import ArmJoints
from agent.sections import Ros2Config
from agent.types import Vector

_LIGHT = 1e-6
"""What a link without mass is taken to weigh, kg; kinematics do not depend on it."""


def kinematics_of(config: Ros2Config) -> ArmKinematics | None:
    """Return the kinematics of a robot's arm; None where its tool's pose has a topic.

    Raises:
        ConfigError: The file cannot be read, or has no such joint or frame.
    """
    if config.tool.model is None:
        return None
    if config.tool.model == "panda":
        from agent.robots.panda import ARM_JOINTS, panda_kinematics

        if len(config.joints.names) != len(ARM_JOINTS):
            raise ConfigError(
                f"tool.model 'panda' has {len(ARM_JOINTS)} joints, but robot.ros2.joints.names "
                f"has {len(config.joints.names)}; name an MJCF or URDF file of the arm."
            )
        return panda_kinematics()
    rest = ArmJoints.of(config).home
    return _from_file(Path(config.tool.model), config.joints.names, config.tool.frame or "", rest)


def _from_file(path: Path, joints: tuple[str, ...], frame: str, rest: Vector) -> ArmKinematics:
    if not path.is_file():
        raise ConfigError(f"There is no file {path} for robot.ros2.tool.model.")
    try:
        spec = mujoco.MjSpec.from_file(str(path))
        # How a link looks has no part in how the arm bends, and meshes are often elsewhere.
        for geom in list(spec.geoms):
            spec.delete(geom)
        for mesh in list(spec.meshes):
            spec.delete(mesh)
        # A URDF's fixed links would be merged into others, the tool among them.
        spec.compiler.fusestatic = False
        spec.compiler.boundmass = spec.compiler.boundinertia = _LIGHT
        model = spec.compile()
    except ValueError as error:
        raise ConfigError(f"{path} is no model of an arm: {str(error).splitlines()[0]}.") from error
    known = [model.joint(index).name for index in range(model.njnt)]
    for name in joints:
        if name not in known:
            raise ConfigError(unknown(f"joint of {path}", name, known))
    sites = [model.site(index).name for index in range(model.nsite)]
    bodies = [model.body(index).name for index in range(model.nbody)]
    if frame not in (*sites, *bodies):
        raise ConfigError(unknown(f"frame of {path}", frame, filter(None, (*sites, *bodies))))
    return ArmKinematics(model, joints, frame, rest, "site" if frame in sites else "body")
