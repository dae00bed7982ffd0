"""The Fetch at its table as a MuJoCo model, from the assets in the gymnasium-robotics package.

The package's own environments do not run on MuJoCo 4, which no longer takes a number for a kind of
joint; its assets do.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import mujoco
import numpy as np

from agent.errors import MissingDependency
from agent.robots.panda import look_at

ARM_JOINTS = tuple(
    f"robot0:{name}_joint"
    for name in (
        "shoulder_pan",
        "shoulder_lift",
        "upperarm_roll",
        "elbow_flex",
        "forearm_roll",
        "wrist_flex",
        "wrist_roll",
    )
)
FINGER_JOINTS = ("robot0:r_gripper_finger_joint", "robot0:l_gripper_finger_joint")
FINGER_BODIES = ("robot0:r_gripper_finger_link", "robot0:l_gripper_finger_link")
FINGER_TRAVEL = 0.05
"""Travel of one finger, m; the opening is twice this."""
TOOL_SITE, HAND_BODY, MOCAP_BODY = "robot0:grip", "robot0:gripper_link", "robot0:mocap"
BLOCK, BLOCK_JOINT = "object0", "object0:joint"
BLOCK_HALF = 0.025
"""Half an edge of the block, m."""
TABLE_Z = 0.4
"""Height of the table, m, base frame."""
BASE_JOINTS = {"robot0:slide0": 0.405, "robot0:slide1": 0.48, "robot0:slide2": 0.0}
"""Where the base stands in the package's world, m."""
BASE = np.array([0.6919, 0.7441, 0.0])
"""(3,) m: the base frame in the package's world; both are turned the same way."""
CAMERAS: dict[str, tuple[int, int]] = {"front": (120, 160), "wrist": (96, 96)}
"""Camera name -> (height, width) in pixels."""
_FRONT_EYE, _FRONT_TARGET = np.array([1.45, 0.0, 1.15]), np.array([0.62, 0.0, 0.42])
_WRIST_EYE, _WRIST_TARGET = np.array([-0.04, 0.0, 0.13]), np.array([0.05, 0.0, 0.0])
"""(3,) m, in the hand's frame, whose x points along the fingers."""
_RED = (0.8, 0.12, 0.1, 1.0)


def fetch_model() -> mujoco.MjModel:
    """Return the package's scene for picking and placing, its block red, with our two cameras."""
    package = find_spec("gymnasium_robotics")
    if package is None or package.origin is None:
        raise MissingDependency(
            "The Fetch's meshes come with gymnasium-robotics; run `pip install gymnasium-robotics`."
        )
    file = Path(package.origin).parent / "envs/assets/fetch/pick_and_place.xml"
    spec = mujoco.MjSpec.from_file(str(file))
    for mark in (*spec.sites, *spec.body(MOCAP_BODY).geoms):
        mark.group = 4
    block = spec.geom(BLOCK)
    block.material, block.rgba = "", _RED
    spec.worldbody.add_camera(
        name="front",
        pos=BASE + _FRONT_EYE,
        quat=look_at(_FRONT_EYE, _FRONT_TARGET, (0.0, 0.0, 1.0)),
        fovy=36.0,
    )
    spec.body(HAND_BODY).add_camera(
        name="wrist",
        pos=_WRIST_EYE,
        quat=look_at(_WRIST_EYE, _WRIST_TARGET, (-1.0, 0.0, 0.0)),
        fovy=70.0,
    )
    spec.visual.quality.offsamples = 0
    model = spec.compile()
    # The hand is carried by a body without mass, to which it is welded as it is, without an offset.
    model.eq_data[0, 3:10] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    return model
