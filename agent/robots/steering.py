"""A policy that moves the tool, on an arm that takes joints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.action_space import ActionSpace
from agent.body import Body, Kinematics
from agent.protocols import Policy
from agent.robots.commanded import CommandedPose
from agent.robots.kinematics import compose
from agent.types import ActionChunk, FloatArray, Observation, Vector


class SteeredPolicy:
    """Turns (7,) deltas of the tool into joints, as an arm does that is sent those deltas.

    The deltas of every first row, the one that is acted on, add up on a commanded pose from tick to
    tick, inside the robot's box; inverse kinematics begins at the joints that were last asked for.
    """

    def __init__(self, policy: Policy, body: Body, kinematics: Kinematics) -> None:
        """Steer an arm of joints by a policy whose actions are `ActionSpace.DELTA_EE`."""
        self._policy, self._body, self._kinematics = policy, body, kinematics
        self._commanded: CommandedPose | None = None
        self._joints = body.home[:0]

    def reset(self, phrase: str) -> None:
        """Begin a subgoal, from wherever the arm is when it is first seen."""
        self._policy.reset(phrase)
        self._commanded = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the policy's chunk in the robot's action space.

        A row that holds what is no number, and every one after it, is none either.
        """
        chunk = self._policy.infer(observation)
        if self._commanded is None:
            self._commanded = CommandedPose(observation.ee_pose)
            self._joints = observation.joint_pos
        rows = self._targets(chunk.actions.astype(np.float64), observation)
        if self._body.spec.space is ActionSpace.DELTA_JOINT:
            rows = np.diff(rows, axis=0, prepend=observation.joint_pos[None])
        actions: FloatArray = np.column_stack([rows, chunk.actions[:, -1]]).astype(np.float32)
        return replace(chunk, actions=actions)

    def _targets(self, deltas: Vector, observation: Observation) -> Vector:
        """Return (horizon, n) rad: where the joints shall be after each (horizon, 7) delta."""
        assert self._commanded is not None
        rows = np.full((len(deltas), self._joints.size), np.nan)
        joints, pose = self._joints, observation.ee_pose
        for number, delta in enumerate(deltas):
            if not np.isfinite(delta).all():
                break
            first = number == 0
            pose = self._commanded.move(delta[:6], pose) if first else compose(pose, delta[:6])
            pose = self._boxed(pose, observation)
            rows[number] = joints = self._kinematics.solve(joints, pose)
            if first:
                self._commanded.begin(pose)
                self._joints = joints
        return rows

    def _boxed(self, pose: Vector, observation: Observation) -> Vector:
        """Keep a commanded pose in the robot's box; from outside it may come back."""
        tool = observation.ee_pose[:3]
        low, high = np.minimum(self._body.low, tool), np.maximum(self._body.high, tool)
        return np.concatenate([np.clip(pose[:3], low, high), pose[3:]])
