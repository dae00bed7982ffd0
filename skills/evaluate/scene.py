"""How well the scene is estimated from one look, with the arm where the agent looks from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.protocols import SceneEstimator
from agent.robots.tabletop.robot import TabletopRobot
from agent.workspace import BUTTON, DRAWER, MOVABLE, OBJECTS
from skills.evaluate.looks import (
    Answer,
    Look,
    answers_row,
    compare,
    opening_errors,
    position_errors,
    presence,
    presence_answers,
    reliability,
    spread,
    state_answers,
    support_answers,
)
from skills.evaluate.parallel import parallel
from skills.evaluate.plot import plot_reliability
from skills.evaluate.report import report
from skills.perception.snapshots import rearrange

_HELD = 0.25
"""Share of the scenes in which the hand holds something, where there is anything to hold."""
_GRIP_OPENING = 0.75
_GRIP_STEPS = 60
_SLIP_M = 0.004


class SceneBench:
    """A robot and an estimator; looks at one scene at a time."""

    def __init__(self, make_estimator: Callable[[], SceneEstimator], threshold: float) -> None:
        """Load the estimator and build the world.

        Args:
            make_estimator: Loads it.
            threshold: Probability 0..1 from which a thing counts as seen.
        """
        self._estimator = make_estimator()
        self._threshold = threshold
        self._robot = TabletopRobot()

    def __call__(self, seed: int) -> list[Look]:
        """Return what one look at the rearranged scene of a seed tells of each thing."""
        self._robot.reset(seed)
        rng = np.random.default_rng([seed, 29])
        rearrange(self._robot, rng, arm=False)
        if rng.random() < _HELD:
            self._give_hold(rng)
        self._estimator.reset()
        said = self._estimator.estimate(self._robot.observe())
        return compare(seed, self._robot.world.truth(), said, self._threshold)

    def close(self) -> None:
        """Release the robot."""
        self._robot.close()

    def _give_hold(self, rng: np.random.Generator) -> None:
        """Put something that carries nothing between the fingers, the arm staying near home."""
        world = self._robot.world
        scene = world.truth()
        free = [n for n, o in scene.objects.items() if o.kind in MOVABLE and not scene.contents(n)]
        if not free:
            return
        pose = world.ee_pose
        world.pose_arm(pose, opening=_GRIP_OPENING)
        yaw = 2 * float(np.arctan2(pose[2], pose[1]))
        world.put(str(rng.choice(free)), pose[:3] + rng.uniform(-_SLIP_M, _SLIP_M, 3), -yaw)
        world.close_fingers()
        world.settle(_GRIP_STEPS)


def evaluate_scene(
    make_estimator: Callable[[], SceneEstimator],
    episodes: int,
    seed_base: int,
    workers: int,
    *,
    threshold: float = 0.5,
    plot: Path | None = None,
) -> dict[str, Any]:
    """Return the report of single looks at scenes with things in, on and under each other.

    Args:
        make_estimator: Loads the estimator; called once in each worker.
        episodes: Scenes.
        seed_base: First seed.
        workers: Processes.
        threshold: Probability 0..1 from which a thing counts as seen.
        plot: PNG for the reliability plot; None draws none.
    """
    jobs = {"scene": range(seed_base, seed_base + episodes)}
    found: list[list[Look]] = parallel(
        SceneBench, (make_estimator, threshold), jobs, {"scene": episodes}, workers, "scene"
    )["scene"]
    looks = [look for of_scene in found for look in of_scene]
    answers = {
        "presence": presence_answers(looks),
        "support": support_answers(looks),
        "drawer": state_answers(looks, DRAWER),
        "lamp": state_answers(looks, BUTTON),
    }
    tables = _tables(looks, answers)
    if plot is not None:
        plot_reliability(plot, tables)
    kinds = dict.fromkeys(OBJECTS.values())
    return report(
        "scene",
        seed_base,
        [answers_row(name, of_row) for name, of_row in answers.items()],
        scenes=episodes,
        **presence(looks),
        **spread(position_errors(looks), "position"),
        **spread(opening_errors(looks), "opening"),
        position_by_kind={kind: spread(position_errors(looks, kind), "position") for kind in kinds},
        **{f"{name}_calibration_error": t["calibration_error"] for name, t in tables.items()},
        reliability=tables,
    )


def _tables(looks: Sequence[Look], answers: dict[str, list[Answer]]) -> dict[str, Any]:
    """Return the reliability of what is said to be there, on what, and in which state."""
    said = {
        "support": answers["support"],
        "state": [*answers["drawer"], *answers["lamp"]],
    }
    return {
        "presence": reliability([(look.stated, look.true is not None) for look in looks]),
        **{name: reliability([(a.stated, a.right) for a in of]) for name, of in said.items()},
    }
