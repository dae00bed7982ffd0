"""Random events, and the comparison that leaves nothing to rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from agent.events import (
    Answered,
    Corrected,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    Stopped,
    StopWordJudged,
    Strain,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.timing import Timing
from agent.types import (
    ActionChunk,
    Image,
    MissionOutcome,
    MissionResult,
    Observation,
    Plan,
    Reason,
    Scene,
    SceneObject,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Verdict,
    VerdictValue,
)

PICK = Subgoal(skill="pick", args={"object": "red block"}, phrase="pick up the red block")
PLACE = Subgoal(
    skill="place_in",
    args={"object": "red block", "target": "blue bowl"},
    phrase="put the red block in the blue bowl",
)
PLAN = Plan(command="put the red block in the blue bowl", subgoals=(PICK, PLACE), reply="Will do.")
MISSED = Verdict(VerdictValue.REFUTED, Reason.GRASP_MISSED, 0.1 + 0.2, {"width_m": 1 / 3})
DONE = Verdict(VerdictValue.CONFIRMED, Reason.DONE, 0.97, {"facts": ["held(red block)"]})
FAILURE = SubgoalResult(PICK, SubgoalOutcome.FAILED, MISSED, 1, 12)
SUCCESS = SubgoalResult(PICK, SubgoalOutcome.SUCCESS, DONE, 2, 20)


def image(rng: np.random.Generator, size: int = 32) -> Image:
    return rng.integers(0, 256, (size, size, 3), dtype=np.uint8)


def tick(rng: np.random.Generator, time_s: float, heads: bool = True, size: int = 32) -> Ticked:
    horizon = int(rng.integers(1, 9))
    return Ticked(
        time_s=time_s,
        observation=Observation(
            time_s=time_s,
            images={"wrist": image(rng, size), "front": image(rng, size)},
            joint_pos=rng.normal(size=7),
            ee_pose=rng.normal(size=7) * 10.0 ** rng.integers(-300, 300, 7),
            gripper=float(rng.random()),
        ),
        chunk=ActionChunk(
            actions=rng.normal(size=(horizon, 7)).astype(np.float32),
            dt_s=0.1,
            spread=rng.random(horizon).astype(np.float32) if heads else None,
            progress=float(rng.random()) if heads else None,
            success=float(rng.random()) if heads else None,
            timing=Timing(time_s / 3, 1 / 7, starved=horizon > 4) if heads else None,
        ),
        action=rng.normal(size=7),
        sent=rng.normal(size=7) if heads else None,
        strain=_strain(rng) if heads else None,
    )


def _strain(rng: np.random.Generator) -> Strain:
    score, stall, setback = rng.normal(size=3).tolist()
    return Strain(score, 1.8, {"stall": stall, "setback": setback})


def heard(rng: np.random.Generator, time_s: float, size: int = 400) -> Heard:
    """Return an utterance with all there may be told of it; its sound is any bytes."""
    return Heard(
        time_s=time_s,
        unix_s=1.7e9 + 1 / 3,
        began_s=1 / 7,
        ended_s=2 / 7,
        became="asked_back",
        text="put it there",
        confidence=0.1 + 0.2,
        no_speech=float("nan"),
        alternatives=("put it here", "pull it there"),
        language="en",
        scores={"avg_logprob": -1 / 3, "worst": float("-inf")},
        ruling="confirm",
        cause="doubtful",
        reason="confidence is 0.30; 0.6 would do.",
        evidence={"confidence": 0.1 + 0.2, "words": 3.0},
        seconds={"endpointing": 0.6, "waiting": 1e-5, "transcription": 0.2, "understanding": 0.1},
        flac=rng.bytes(size),
    )


def mission(rng: np.random.Generator, ticks: int = 6, size: int = 32) -> list[Event]:
    """Return the events of a mission with a missed grasp, a replan and a success."""
    scene = Scene(
        1 / 7,
        {
            "red block": SceneObject(
                "red block", "block", rng.normal(size=3), 0.9, "hand", 0.3, 1 / 3
            ),
            "blue bowl": SceneObject("blue bowl", "bowl", rng.normal(size=3)),
            "drawer": SceneObject(
                "drawer",
                "drawer",
                rng.normal(size=3),
                articulation=0.1 / 3,
                articulation_confidence=2 / 3,
            ),
        },
    )
    result = MissionResult(MissionOutcome.NEEDS_HELP, PLAN, (FAILURE, SUCCESS), 1, 2 / 3, "Which?")
    metadata = {"seed": 7, "versions": {"bosun": "0.1"}, "threshold": 0.1 + 0.7, "none": None}
    events: list[Event] = [
        MissionStarted(0.0, PLAN.command, metadata),
        heard(rng, 0.0),
        Heard(0.0, 1.7e9, 0.0, 1.0, "ignored", flac=rng.bytes(9)),
        SceneEstimated(0.1, scene),
        Planned(0.1, PLAN, ("The drawer is closed.",), 0),
        Planned(0.1, PLAN, (), 0),
        SubgoalStarted(0.1, PICK, 1),
        *(tick(rng, 0.1 * i, heads=i % 2 == 0, size=size) for i in range(ticks)),
        heard(rng, 0.1 * ticks, size=5000),
        StopWordJudged(0.1 * ticks, 1.7e9, 1 / 3, 2 / 3, False),
        VerdictGiven(0.1 * ticks, PICK, MISSED),
        SubgoalEnded(0.1 * ticks, FAILURE),
        Planned(0.1 * ticks, PLAN, (), 1),
        SubgoalStarted(0.1 * ticks, PICK, 2),
        VerdictGiven(0.1 * ticks, PICK, DONE),
        SubgoalEnded(0.1 * ticks, SUCCESS),
        Answered(0.1 * ticks, "Shall I try again, or leave it?", "again"),
        Corrected(0.1 * ticks, "the green one"),
        Stopped(0.1 * ticks, "stop word"),
        MissionEnded(0.1 * ticks, result),
    ]
    return events


def same(left: Any, right: Any) -> bool:
    """Return whether two values are of one type and equal to the last bit; nan equals nan."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return bool(left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True))
    if is_dataclass(left):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    if isinstance(left, Mapping):
        return list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right or (left != left and right != right))
