"""Missions for tests, put together from doubles and the shipped contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agent.body import Body
from agent.doubles import (
    STILL_SPEC,
    FixedEstimator,
    Recorder,
    ScriptedMonitor,
    ScriptedPlanner,
    ScriptedPolicy,
    StillRobot,
)
from agent.parts import Budget, Parts
from agent.planner.verify import PlanVerifier
from agent.protocols import Policy
from agent.runtime import Runtime
from agent.shield import Shield
from agent.types import (
    ActionChunk,
    Observation,
    Plan,
    Reason,
    Scene,
    Subgoal,
    Verdict,
    VerdictValue,
)
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW
from skills.registry import load_contracts
from tests.scenes import scene

CONTRACTS = load_contracts()
COMMAND = "put the red block in the blue bowl"
BEFORE = scene()
HELD = scene(on={"red block": "hand"})
AFTER = scene(on={"red block": "blue bowl"})

DONE = Verdict(VerdictValue.CONFIRMED, Reason.DONE, 0.9)
MISSED = Verdict(VerdictValue.REFUTED, Reason.GRASP_MISSED, 0.9)
DROPPED = Verdict(VerdictValue.REFUTED, Reason.DROPPED, 0.9)
UNSURE = Verdict(VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE, 0.4)
ALONE = Verdict(VerdictValue.INSUFFICIENT, Reason.ONE_WITNESS, 0.9)
LATE = Verdict(VerdictValue.REFUTED, Reason.TIMEOUT, 0.9)


def subgoal(skill: str, **args: str) -> Subgoal:
    return Subgoal(skill=skill, args=args, phrase=CONTRACTS[skill].phrase(args))


PICK = subgoal("pick", object="red block")
PLACE = subgoal("place_in", object="red block", target="blue bowl")
LOOK = subgoal("look")
PLAN = Plan(command=COMMAND, subgoals=(PICK, PLACE))
BAD = Plan(command=COMMAND, subgoals=(PLACE,))
ASKS = Plan(command=COMMAND, question="Which block?")


BODY = Body(
    spec=STILL_SPEC,
    home=np.array([0.40, 0.0, 0.30, 0.0, 1.0, 0.0, 0.0]),
    clear_z=0.18,
    low=WORKSPACE_LOW,
    high=WORKSPACE_HIGH,
)


def chunk(
    success: float | None = 0.0, action: Sequence[float] = (0.01, 0, 0, 0, 0, 0, 1), rows: int = 1
) -> ActionChunk:
    return ActionChunk(np.array([action] * rows, dtype=np.float32), 0.1, success=success)


def observation(
    time_s: float = 0.0,
    tool: Sequence[float] = (0.4, 0.0, 0.3),
    gripper: float = 1.0,
) -> Observation:
    pose = np.array([*tool, 1.0, 0.0, 0.0, 0.0])
    return Observation(time_s, {}, np.zeros(7), pose, gripper)


def shield(robot: StillRobot) -> Shield:
    return Shield(robot.spec, WORKSPACE_LOW, WORKSPACE_HIGH, 0.5, 1.5)


class Bench:
    """A mission of doubles; every part can be replaced."""

    def __init__(
        self,
        plans: Sequence[Plan] = (PLAN,),
        verdicts: Sequence[Verdict] = (DONE,),
        scenes: Sequence[Scene] | Callable[[float], Scene] = (BEFORE,),
        policy: Policy | None = None,
        budget: Budget | None = None,
        **parts: Any,
    ) -> None:
        self.robot: StillRobot = parts.get("robot") or StillRobot()
        self.planner = ScriptedPlanner(plans)
        self.monitor = ScriptedMonitor(verdicts)
        self.policy = policy or ScriptedPolicy([chunk()])
        self.recorder = Recorder()
        chosen: dict[str, Any] = {
            "robot": self.robot,
            "planner": self.planner,
            "verifier": PlanVerifier(),
            "policies": dict.fromkeys(CONTRACTS, self.policy),
            "contracts": CONTRACTS,
            "estimator": FixedEstimator(scenes),
            "monitor": self.monitor,
            "shield": shield(self.robot),
            "budget": budget or Budget(replans=2, attempts=2, seconds=60.0),
            "subscribers": [self.recorder],
        }
        self.runtime = Runtime(Parts(**{**chosen, **parts}))
