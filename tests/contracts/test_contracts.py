"""Every light part keeps its protocol, and the checkers notice those that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.checks import check_estimator, check_monitor, check_planner, check_policy, check_robot
from agent.doubles import (
    STILL_SPEC,
    FixedEstimator,
    ScriptedMonitor,
    ScriptedPlanner,
    ScriptedPolicy,
    StillRobot,
)
from agent.errors import BosunError, RobotStopped
from agent.monitor.limits import MonitorLimits
from agent.monitor.monitor import SubgoalMonitor
from agent.planner.grammar import GrammarPlanner
from agent.protocols import Monitor, Policy, Robot, SceneEstimator
from agent.scene.blind import BlindEstimator
from agent.scene.tracker import SceneTracker
from agent.types import (
    ActionChunk,
    Image,
    Observation,
    Plan,
    Scene,
    SkillContract,
    Subgoal,
    SubgoalResult,
    Vector,
)
from skills.primitives import HomePrimitive, ReleasePrimitive, WaitPrimitive
from tests.parts import (
    ASKS,
    BEFORE,
    BODY,
    COMMAND,
    CONTRACTS,
    DONE,
    LATE,
    PICK,
    PLAN,
    chunk,
    observation,
)
from tests.scenes import scene

DOUBLES: Any = np.zeros((1, 7))


def _check_monitor(make: Callable[[], Monitor], watched: Subgoal = PICK) -> None:
    check_monitor(make, watched, BEFORE, observation(), seconds=15.0)


def _subgoal_monitor() -> Monitor:
    return SubgoalMonitor(CONTRACTS, FixedEstimator([BEFORE]), MonitorLimits())


def test_the_still_robot() -> None:
    check_robot(StillRobot)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ScriptedPolicy([chunk(), chunk(success=1.0)]),
        lambda: ScriptedPolicy(lambda observation: chunk(success=None)),
        lambda: HomePrimitive(BODY),
        lambda: HomePrimitive(BODY, settle_ticks=2),
        lambda: ReleasePrimitive(STILL_SPEC),
        lambda: WaitPrimitive(STILL_SPEC, seconds=0.0),
        lambda: WaitPrimitive(STILL_SPEC),
    ],
)
def test_policies(make: Callable[[], Policy]) -> None:
    check_policy(make, observation())


@pytest.mark.parametrize("plan", [PLAN, ASKS])
def test_the_scripted_planner(plan: Plan) -> None:
    check_planner(lambda: ScriptedPlanner([plan]), BEFORE, CONTRACTS, [COMMAND])


def test_the_grammar_planner() -> None:
    commands = [
        COMMAND,
        "pick up the green block",
        "put all blocks on the plate",
        "open the drawer",
        "put the block in the bowl",
        "go home",
        "colourless green ideas sleep furiously",
        "?",
    ]
    for there in (BEFORE, scene("red block"), scene(on={"red block": "hand"}), Scene(0.0)):
        check_planner(GrammarPlanner, there, CONTRACTS, commands)


@pytest.mark.parametrize(
    "make",
    [
        BlindEstimator,
        lambda: FixedEstimator([BEFORE]),
        lambda: FixedEstimator(lambda time_s: BEFORE),
        lambda: SceneTracker(FixedEstimator([BEFORE])),
        lambda: SceneTracker(
            FixedEstimator([scene(on={"red block": "hand", "blue block": "hand"}), BEFORE])
        ),
    ],
)
def test_estimators(make: Callable[[], SceneEstimator]) -> None:
    check_estimator(make, observation(2.5))


def test_monitors() -> None:
    _check_monitor(lambda: ScriptedMonitor([LATE]))
    for skill in ("pick", "place_in", "place_on"):
        target = {"place_in": "blue bowl", "place_on": "plate"}.get(skill)
        args = {"object": "red block"} | ({"target": target} if target else {})
        watched = Subgoal(skill=skill, args=args, phrase=CONTRACTS[skill].phrase(args))
        _check_monitor(_subgoal_monitor, watched)


class _Unlatched(StillRobot):
    def stop(self) -> None:
        pass


class _Silent(StillRobot):
    def act(self, action: Vector) -> Vector:
        try:
            return super().act(action)
        except RobotStopped:
            return action


class _Creeping(StillRobot):
    """Moves, although it says that it refused."""

    def act(self, action: Vector) -> Vector:
        if self.stopped:
            self._ticks += 1
        return super().act(action)


class _Unclipped(StillRobot):
    def act(self, action: Vector) -> Vector:
        super().act(action)
        return action


class _Remembering(StillRobot):
    """A mission leaves something over for the next."""

    def reset(self, seed: int | None) -> Observation:
        return super().reset((seed or 0) + len(self.sent))


class _Sticky(StillRobot):
    """The latch outlives a reset."""

    def reset(self, seed: int | None) -> Observation:
        stopped = self.stopped
        seen = super().reset(seed)
        if stopped:
            self.stop()
        return seen


class _Drifting(StillRobot):
    def observe(self) -> Observation:
        self._ticks += 1
        return super().observe()


class _Frozen(StillRobot):
    def observe(self) -> Observation:
        return replace(super().observe(), time_s=0.0)


class _Sensing(StillRobot):
    """Senses something odd."""

    def __init__(self, **odd: Any) -> None:
        super().__init__()
        self._odd = odd

    def observe(self) -> Observation:
        return replace(super().observe(), **self._odd)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (_Unlatched, "Stop must set"),
        (_Silent, "must refuse"),
        (_Creeping, "move nothing"),
        (_Unclipped, "clip"),
        (_Remembering, "same seed"),
        (_Sticky, "Reset must clear"),
        (_Drifting, "Observing twice"),
        (_Frozen, "clock"),
        (lambda: _Sensing(ee_pose=np.array([0.4, 0, 0.3, 1, 1, 0, 0])), "quaternion"),
        (lambda: _Sensing(gripper=80.0), "gripper"),
        (lambda: _Sensing(images={"front": np.zeros((4, 4, 3))}), "uint8"),
        (lambda: _Sensing(images={"front": np.zeros((3, 4, 4), np.uint8)}), "uint8"),
        (lambda: _Sensing(joint_pos=np.full(7, np.nan)), "finite"),
    ],
)
def test_check_robot_notices(broken: Callable[[], Robot], says: str) -> None:
    with pytest.raises(BosunError, match=says):
        check_robot(broken)


def _counting() -> Policy:
    count = iter(range(100))
    return ScriptedPolicy(lambda observation: chunk(action=[next(count)] * 7))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (chunk(success=1.5), "success"),
        (chunk(success=float("nan")), "success"),
        (replace(chunk(), progress=-0.1), "progress"),
        (replace(chunk(), dt_s=0.0), "dt_s"),
        (replace(chunk(), spread=np.zeros(3, np.float32)), "Spread"),
        (replace(chunk(), actions=np.zeros(7, np.float32)), "horizon"),
        (replace(chunk(), actions=np.zeros((0, 7), np.float32)), "horizon"),
        (replace(chunk(), actions=DOUBLES), "float32"),
        (chunk(action=[float("inf")] * 7), "finite"),
    ],
)
def test_check_policy_notices(answer: ActionChunk, says: str) -> None:
    with pytest.raises(BosunError, match=says):
        check_policy(lambda: ScriptedPolicy([answer]), observation())


def test_check_policy_notices_what_is_left_over() -> None:
    with pytest.raises(BosunError, match="After reset"):
        check_policy(_counting, observation())


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(command="something else", subgoals=(PICK,)), "is for"),
        (Plan(command=COMMAND), "subgoals or ask"),
        (Plan(command=COMMAND, subgoals=(PICK,), question="Which?"), "not both"),
        (Plan(command=COMMAND, subgoals=(PICK.model_copy(update={"skill": "fly"}),)), "no skill"),
        (Plan(command=COMMAND, subgoals=(PICK.model_copy(update={"args": {}}),)), "takes"),
        (Plan(command=COMMAND, subgoals=(PICK.model_copy(update={"phrase": "go"}),)), "phrase"),
    ],
)
def test_check_planner_notices(plan: Plan, says: str) -> None:
    with pytest.raises(BosunError, match=says):
        check_planner(lambda: ScriptedPlanner([plan]), BEFORE, CONTRACTS, [COMMAND])


def test_check_planner_notices_chance() -> None:
    plans = iter([PLAN, ASKS])

    class Fickle:
        def plan(
            self,
            command: str,
            scene: Scene,
            contracts: Mapping[str, SkillContract],
            history: Sequence[SubgoalResult],
            problems: Sequence[str] = (),
            images: Mapping[str, Image] | None = None,
        ) -> Plan:
            return next(plans)

    with pytest.raises(BosunError, match="differently"):
        check_planner(Fickle, BEFORE, CONTRACTS, [COMMAND])


def _with(**changes: Any) -> Scene:
    thing = replace(BEFORE.objects["plate"], **changes)
    return Scene(0.0, {"plate": thing})


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (scene(on={"red block": "hand", "blue block": "hand"}), "at once"),
        (_with(name="dish"), "own name"),
        (_with(position=np.zeros(2)), "position"),
        (_with(position=np.full(3, np.nan)), "position"),
        (_with(presence=1.2), "probabilities"),
        (_with(support_confidence=-1.0), "probabilities"),
        (_with(support="plate"), "carry itself"),
    ],
)
def test_check_estimator_notices(seen: Scene, says: str) -> None:
    with pytest.raises(BosunError, match=says):
        check_estimator(lambda: FixedEstimator([seen]), observation())


def test_check_estimator_notices_what_is_left_over() -> None:
    class Leftover(FixedEstimator):
        def reset(self) -> None:
            pass

    with pytest.raises(BosunError, match="After reset"):
        check_estimator(lambda: Leftover([BEFORE, scene("plate")]), observation())


def test_check_estimator_notices_an_old_scene() -> None:
    class Late:
        def reset(self) -> None:
            pass

        def estimate(self, observation: Observation) -> Scene:
            return BEFORE

    with pytest.raises(BosunError, match="time of its observation"):
        check_estimator(Late, observation(1.0))


class _Deaf(ScriptedMonitor):
    def check(self, observation: Observation, chunk: ActionChunk) -> None:
        return None


class _Tiring(ScriptedMonitor):
    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        self.watched.append(subgoal)


class _Acting(ScriptedMonitor):
    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        super().reset(subgoal, scene)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: _Deaf([LATE]), "no verdict"),
        (lambda: _Acting([LATE]), "at first sight"),
        (lambda: ScriptedMonitor([DONE]), "confirmed"),
        (lambda: ScriptedMonitor([LATE, LATE, DONE]), "confirmed"),
        (lambda: ScriptedMonitor([LATE, LATE, LATE, DONE]), "confirmed"),
        (lambda: ScriptedMonitor([replace(LATE, confidence=2.0)]), "confidence"),
        (lambda: _Tiring([LATE, DONE]), "After reset"),
    ],
)
def test_check_monitor_notices(make: Callable[[], Monitor], says: str) -> None:
    with pytest.raises(BosunError, match=says):
        _check_monitor(make)
