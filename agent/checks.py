"""Checks that a part keeps its protocol; run them on your own robot, policy or planner.

    from agent.checks import check_robot
    check_robot(MyRobot)

Each takes a function that makes a fresh part, tries it, and raises `BosunError` with one sentence
at the first promise that is broken. `check_robot` moves the robot by a few small actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agent.action_space import ActionSpace, ActionSpec, still
from agent.errors import BosunError, RobotStopped
from agent.protocols import Monitor, Planner, Policy, Robot, SceneEstimator
from agent.types import (
    HAND,
    ActionChunk,
    Observation,
    Plan,
    Scene,
    SkillContract,
    Subgoal,
    Verdict,
    VerdictValue,
)

_TICKS = 3
_Comparison = Callable[[Observation, Observation], bool]


def check_robot(make: Callable[[], Robot], seed: int = 0, *, live: bool = False) -> None:
    """Check a robot: its senses, clipping, determinism by seed and the stop latch.

    Args:
        make: Opens the robot; it is closed again.
        seed: Of the scene to try.
        live: Whether its world goes on by itself, so that nothing is ever the same to the bit.
    """
    runs, same = [], _near if live else _same
    for _ in range(2):
        robot = make()
        try:
            # Twice on one robot: nothing of a mission may be left over in the next.
            runs += [_drive(robot, seed, same), _drive(robot, seed, same)]
            _check_latch(robot, seed, same)
        finally:
            robot.close()
    for first, other in [] if live else pairwise(runs):
        alike = all(map(_same, first, other))
        _demand(alike, "The same seed and actions must give the same senses.")


def check_policy(
    make: Callable[[], Policy], observation: Observation, phrase: str = "pick up the red block"
) -> None:
    """Check a policy: the chunk's shapes, types and heads, and that `reset` begins anew.

    Args:
        make: Loads the policy.
        observation: Something it may be shown.
        phrase: Something it may be told.
    """
    policy, answers = make(), []
    for _ in range(2):
        policy.reset(phrase)
        answers.append(policy.infer(observation))
        _check_chunk(answers[-1])
    _demand(
        np.array_equal(answers[0].actions, answers[1].actions),
        "After reset, the same phrase and observation must give the same actions.",
    )


def check_planner(
    make: Callable[[], Planner],
    scene: Scene,
    contracts: Mapping[str, SkillContract],
    commands: Sequence[str],
) -> None:
    """Check a planner: every answer is a question or subgoals that the contracts know.

    Args:
        make: Makes the planner.
        scene: What it is told is there.
        contracts: The skills it may use.
        commands: What it is asked; sense and nonsense.
    """
    for command in commands:
        plan = make().plan(command, scene, contracts, ())
        _demand(plan.command == command, f"The plan for {command!r} is for {plan.command!r}.")
        _demand(
            bool(plan.subgoals) != bool(plan.question),
            f"The plan for {command!r} must have subgoals or ask a question, and not both.",
        )
        _check_subgoals(plan, contracts)
        again = make().plan(command, scene, contracts, ())
        _demand(plan == again, f"A fresh planner answered {command!r} differently.")


def check_estimator(make: Callable[[], SceneEstimator], observation: Observation) -> None:
    """Check a scene estimator: a well-formed scene, and that `reset` forgets.

    Args:
        make: Loads the estimator.
        observation: Something it may be shown.
    """
    estimator, places = make(), []
    for _ in range(2):
        estimator.reset()
        scene = estimator.estimate(observation)
        _check_scene(scene, observation.time_s)
        places.append({name: thing.position for name, thing in scene.objects.items()})
    _demand(
        places[0].keys() == places[1].keys()
        and all(np.array_equal(places[0][name], places[1][name]) for name in places[0]),
        "After reset, the same observation must give the same scene.",
    )


def check_monitor(
    make: Callable[[], Monitor],
    subgoal: Subgoal,
    scene: Scene,
    observation: Observation,
    seconds: float,
    dim: int = 7,
) -> None:
    """Check that a monitor fails closed: neither time nor nonsense is success, and it ends.

    Args:
        make: Makes the monitor.
        subgoal: What it watches.
        scene: How things stand; the subgoal must not be done in it.
        observation: How things look, and go on looking.
        seconds: When it must have given a verdict.
        dim: How many numbers an action has.
    """
    idle = ActionChunk(np.zeros((1, dim), np.float32), 0.1, success=0.0)
    monitor = make()
    verdicts = [_watched(monitor, subgoal, scene, observation, idle, seconds) for _ in range(2)]
    _demand(None not in verdicts, f"There was no verdict within {seconds:g} s of nothing.")
    _demand(verdicts[0] == verdicts[1], "After reset, the same ticks must give the same verdict.")
    broken = replace(idle, actions=np.full((1, dim), np.nan, np.float32), success=1.0)
    verdicts.append(_watched(monitor, subgoal, scene, observation, broken, seconds))
    monitor.reset(subgoal, scene, since=scene)
    verdicts.append(monitor.check(observation, replace(idle, success=None)))
    _demand(verdicts[-1] is not None, "What is looked at again must be judged at first sight.")
    for verdict in filter(None, verdicts):
        _demand(verdict.value is not VerdictValue.CONFIRMED, "Nothing was done, yet confirmed.")
        _demand(0.0 <= verdict.confidence <= 1.0, "A verdict's confidence must be in 0..1.")


def _demand(kept: bool, sentence: str) -> None:
    if not kept:
        raise BosunError(sentence)


def _drive(robot: Robot, seed: int, same: _Comparison) -> list[Observation]:
    """Return what is seen while a few actions are sent, some beyond the limits."""
    seen = [robot.reset(seed)]
    _check_observation(seen[0])
    low, high = robot.spec.low, robot.spec.high
    small = np.where(_far_reaching(robot.spec), 0.01, 0.1)
    _demand(not robot.stopped, "Reset must clear the stop latch.")
    for tick in range(_TICKS):
        _demand(same(seen[-1], robot.observe()), "Observing twice must give the same.")
        asked = still(robot.spec, seen[-1], float(low[-1] + high[-1]) / 2)
        asked += (high - low) * (small if tick else np.where(small < 0.1, small, 5.0))
        sent = robot.act(asked)
        _demand(sent.shape == low.shape, f"Act must return an action of shape {low.shape}.")
        _demand(
            bool(np.all((sent >= low) & (sent <= high))),
            "Act must clip to the action space, and return what it really sent.",
        )
        seen.append(robot.observe())
        _demand(seen[-1].time_s > seen[-2].time_s, "The clock must run when the robot acts.")
        _check_observation(seen[-1])
    return seen


def _far_reaching(spec: ActionSpec) -> npt.NDArray[np.bool_]:
    """Return (dim,) which numbers of an action may send the arm far in one go: joint positions."""
    far = np.full(spec.low.shape, spec.space is ActionSpace.JOINT_POSITION)
    far[-1] = False
    return far


def _check_latch(robot: Robot, seed: int, same: _Comparison) -> None:
    before = robot.reset(seed)
    stay = still(robot.spec, before, float(robot.spec.low[-1]))
    for _ in range(2):
        robot.stop()
        _demand(robot.stopped, "Stop must set the latch, and keep it set when called again.")
    for _ in range(2):
        try:
            robot.act(stay)
        except RobotStopped:
            continue
        raise BosunError("A stopped robot must refuse every action with RobotStopped.")
    _demand(same(before, robot.observe()), "An action that is refused must move nothing.")
    for again in (seed, None):
        seen = robot.reset(again)
        _demand(not robot.stopped, "Reset must clear the stop latch.")
        _demand(seen.time_s == 0.0, "Reset must begin a mission at time 0.")
        robot.act(stay)
        robot.stop()


def _check_observation(observation: Observation) -> None:
    for name, image in observation.images.items():
        _demand(
            image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3,
            f"Image {name!r} must be (H, W, 3) uint8, not {image.shape} {image.dtype}.",
        )
    _demand(observation.joint_pos.ndim == 1, "joint_pos must be (n,) rad.")
    _demand(observation.ee_pose.shape == (7,), "ee_pose must be (7,): m, then wxyz.")
    numbers = [*observation.joint_pos, *observation.ee_pose, observation.gripper]
    _demand(bool(np.all(np.isfinite(numbers))), "Every number that is sensed must be finite.")
    unit = abs(float(np.linalg.norm(observation.ee_pose[3:])) - 1.0) < 1e-3
    _demand(unit, "The quaternion in ee_pose must have length 1.")
    _demand(0.0 <= observation.gripper <= 1.0, "The gripper's opening must be in 0..1.")


def _same(left: Observation, right: Observation) -> bool:
    """Return whether two observations are equal to the last bit."""
    return (
        left.time_s == right.time_s
        and left.gripper == right.gripper
        and np.array_equal(left.joint_pos, right.joint_pos)
        and np.array_equal(left.ee_pose, right.ee_pose)
        and left.images.keys() == right.images.keys()
        and all(np.array_equal(left.images[name], right.images[name]) for name in left.images)
    )


def _near(left: Observation, right: Observation) -> bool:
    """Return whether an arm has turned less than 0.1 rad up to a later observation."""
    moved = np.abs(left.joint_pos - right.joint_pos).max(initial=0.0)
    return bool(right.time_s >= left.time_s and moved < 0.1)


def _check_chunk(chunk: ActionChunk) -> None:
    actions, spread = chunk.actions, chunk.spread
    _demand(
        actions.ndim == 2 and actions.size > 0 and actions.dtype == np.float32,
        f"Actions must be (horizon, dim) float32, not {actions.shape} {actions.dtype}.",
    )
    _demand(bool(np.all(np.isfinite(actions))), "Every number of an action must be finite.")
    _demand(chunk.dt_s > 0, "dt_s must be positive.")
    _demand(spread is None or spread.shape == actions.shape[:1], "Spread must be (horizon,).")
    for name, head in (("progress", chunk.progress), ("success", chunk.success)):
        _demand(head is None or 0.0 <= head <= 1.0, f"The {name} head must be None or in 0..1.")


def _check_subgoals(plan: Plan, contracts: Mapping[str, SkillContract]) -> None:
    for subgoal in plan.subgoals:
        contract = contracts.get(subgoal.skill)
        _demand(contract is not None, f"There is no skill {subgoal.skill!r}.")
        if contract is not None:
            fits = subgoal.args.keys() == contract.args.keys()
            _demand(fits, f"{subgoal.skill} takes {list(contract.args)}, not {list(subgoal.args)}.")
            phrase = contract.phrase(subgoal.args)
            _demand(subgoal.phrase == phrase, f"The phrase must be {phrase!r}.")


def _check_scene(scene: Scene, time_s: float) -> None:
    _demand(scene.time_s == time_s, "A scene must have the time of its observation.")
    held = [name for name, thing in scene.objects.items() if thing.support == HAND]
    _demand(len(held) <= 1, f"The hand cannot hold {' and '.join(held)} at once.")
    for name, thing in scene.objects.items():
        _demand(thing.name == name, f"{name!r} must be filed under its own name.")
        there = thing.position.shape == (3,) and bool(np.all(np.isfinite(thing.position)))
        _demand(there, f"The position of {name!r} must be (3,) finite numbers in m.")
        sure = (thing.presence, thing.support_confidence, thing.articulation_confidence)
        _demand(all(0 <= p <= 1 for p in sure), f"The probabilities of {name!r} must be in 0..1.")
        _demand(thing.support != name, f"{name!r} cannot carry itself.")


def _watched(
    monitor: Monitor,
    subgoal: Subgoal,
    scene: Scene,
    observation: Observation,
    chunk: ActionChunk,
    seconds: float,
) -> Verdict | None:
    """Return what a monitor says while nothing changes but the clock."""
    monitor.reset(subgoal, replace(scene, time_s=observation.time_s))
    for tick in range(1 + round(seconds / 0.1)):
        now = replace(observation, time_s=observation.time_s + 0.1 * tick)
        if verdict := monitor.check(now, chunk):
            return verdict
    return None
