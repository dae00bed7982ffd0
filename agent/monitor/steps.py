"""How the tool is moved by the rows of a chunk, whatever their numbers mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agent.action_space import ActionSpace
from agent.body import Kinematics
from agent.types import ActionChunk, Observation, Vector

_BOUND = 2.0
"""m, rad and share of a gripper's opening: no sane action of one tick has a number that large."""
_JOINT_BOUND = 4 * np.pi
"""rad: nor does one that says where a joint shall be; few turn more than once round."""


class ToolSteps:
    """Follows what the tool is told over one subgoal."""

    def __init__(
        self, space: ActionSpace = ActionSpace.DELTA_EE, kinematics: Kinematics | None = None
    ) -> None:
        """Read actions of a space; joints tell of the tool where their kinematics are known."""
        self._space, self._kinematics = space, kinematics
        self._told: Vector | None = None

    @property
    def bound(self) -> float:
        """What no number of an action reaches, m, rad and share of a gripper's opening."""
        return _JOINT_BOUND if self._space is ActionSpace.JOINT_POSITION else _BOUND

    def reset(self) -> None:
        """Begin a subgoal."""
        self._told = None

    def __call__(self, observation: Observation, chunk: ActionChunk) -> npt.NDArray[np.floating]:
        """Return (horizon, 3) m, base frame: by how much each row moves the tool on.

        The first row of joints moves it on from where the last chunk's first row told it to be, as
        deltas of the tool do. Where nothing can be told, all is NaN.
        """
        actions = chunk.actions
        if not self._space.of_joints:
            return actions[:, :3]
        if self._kinematics is None:
            return np.full((len(actions), 3), np.nan)
        joints = actions[:, :-1].astype(np.float64)
        if self._space is ActionSpace.DELTA_JOINT:
            joints = observation.joint_pos + np.cumsum(joints, axis=0)
        tool = np.array([self._kinematics.pose(row)[:3] for row in joints])
        began = observation.ee_pose[:3] if self._told is None else self._told
        self._told = tool[0]
        return np.diff(tool, axis=0, prepend=began[None])
