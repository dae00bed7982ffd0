"""The Panda arm as a MuJoCo specification, from the meshes in the gymnasium-robotics package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import mujoco
import numpy as np

from agent.errors import MissingDependency
from agent.robots.kinematics import ArmKinematics

ARM_JOINTS = tuple(f"robot:panda0_joint{i}" for i in range(1, 8))
FINGER_JOINTS = ("robot:panda0_finger_joint1", "robot:panda0_finger_joint2")
FINGER_BODIES = ("panda0_leftfinger", "panda0_rightfinger")
TOOL_SITE = "tool"
FINGER_TRAVEL = 0.04
"""Travel of one finger, m; the opening is twice this."""
HOME_JOINTS = np.array([0.0, -0.55, 0.0, -2.55, 0.0, 0.43, 0.0])
"""(7,) rad, near the home pose; inverse kinematics finishes it."""

_ARM_GAINS = {
    1: (2200.0, 85.0),
    2: (2200.0, 85.0),
    3: (1800.0, 70.0),
    4: (1800.0, 70.0),
    5: (450.0, 12.0),
    6: (450.0, 12.0),
    7: (450.0, 12.0),
}
"""Joint number -> (stiffness in N m/rad, damping in N m s/rad)."""
_FINGER_GAINS = (900.0, 30.0)
"""(stiffness in N/m, damping in N s/m) of one finger."""
TOOL_IN_HAND = (0.0, 0.0, 0.243)
"""(3,) m: the tool site in the hand's frame, which shares link 7's origin."""
WRIST_EYE = np.array([0.09, 0.0, 0.10])
"""(3,) m, hand's frame: from here the camera sees the finger tips and what is between them."""
WRIST_TARGET = np.array([0.01, 0.0, 0.24])
WRIST_UP = (1.0, 0.0, 0.0)
WRIST_FOVY = 70.0
_HAND_QUAT = (0.92388, 0.0, 0.0, -0.382683)
"""The hand's frame in link 7, wxyz."""


def _assets() -> Path:
    package = find_spec("gymnasium_robotics")
    if package is None or package.origin is None:
        raise MissingDependency(
            "The Panda's meshes come with gymnasium-robotics; run `pip install gymnasium-robotics`."
        )
    return Path(package.origin).parent / "envs/assets/kitchen_franka/franka_assets"


def panda_spec() -> mujoco.MjSpec:
    """Return an arm with position actuators, a tool site at the finger tips and a wrist camera.

    The file's own gains are for slow motion (and its joint damping would eat the motors' torque),
    its arm links collide with each other, and its tool site is 4 cm short of the finger tips; all
    three are mended here. Gravity is compensated on the
    arm as the real controller does, else a steady error leaves the hand off its target.
    """
    assets = _assets()
    spec = mujoco.MjSpec.from_string(
        f'<mujoco><include file="{assets}/assets.xml"/>'
        f'<worldbody><include file="{assets}/chain.xml"/></worldbody>'
        f'<include file="{assets}/actuator.xml"/></mujoco>'
    )
    for mesh in spec.meshes:
        # Included files resolve mesh names against their own folder, which lacks "meshes".
        mesh.file = str(assets / "meshes" / Path(*Path(mesh.file).parts[-2:]))
    for body in spec.bodies:
        if body.name != "world":
            body.gravcomp = 1.0
    for geom in spec.geoms:
        geom.conaffinity = 0
    for site in spec.sites:
        site.group = 4
    for joint in spec.joints:
        if joint.name in FINGER_JOINTS:
            joint.damping[0], joint.armature = _FINGER_GAINS[1], 0.5
        else:
            joint.damping[0] = _ARM_GAINS[int(joint.name[-1])][1]
            joint.armature = 0.1
    for actuator in spec.actuators:
        finger = "gripper" in actuator.name
        stiffness = _FINGER_GAINS[0] if finger else _ARM_GAINS[int(actuator.name[-1])][0]
        actuator.gainprm[0], actuator.biasprm[1] = stiffness, -stiffness
    hand = spec.body("panda0_link7").add_body(name="hand", quat=_HAND_QUAT)
    hand.add_site(name=TOOL_SITE, pos=TOOL_IN_HAND, size=(0.005, 0, 0), group=4)
    wrist = look_at(WRIST_EYE, WRIST_TARGET, WRIST_UP)
    hand.add_camera(name="wrist", pos=WRIST_EYE, quat=wrist, fovy=WRIST_FOVY)
    for name in FINGER_BODIES:
        for geom in spec.body(name).geoms:
            geom.friction = np.array([1.5, 0.05, 0.0005])
    return spec


def panda_kinematics() -> ArmKinematics:
    """Return the kinematics of this arm, its tool at the finger tips."""
    return ArmKinematics(panda_spec().compile(), ARM_JOINTS, TOOL_SITE, HOME_JOINTS)


def look_at(eye: np.ndarray, target: np.ndarray, up: tuple[float, float, float]) -> np.ndarray:
    """Return the (4,) wxyz orientation of a camera at `eye` that looks at `target`."""
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.column_stack([right, np.cross(back, right), back]).ravel())
    return quat
