"""How often each learned skill succeeds, alone, from pixels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.facts import holds
from agent.protocols import Policy
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import TabletopWorld
from agent.spots import free_spot
from agent.types import Fact, Vector
from agent.workspace import BLOCK, BOWL, OBJECTS, ZONES, kind_of
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report
from skills.experts import PickExpert
from skills.phrases import phrase_for
from skills.registry import load_contracts

SUITE = ("pick", "place_in", "place_on")
SWAP = "pick/instruction_swap"
_DONE_TICKS = 3
_DONE_HEAD = 0.5
_HELD_Z = 0.06


@dataclass(frozen=True, slots=True)
class Trial:
    """One try: its seed, the skill call, and what came of it by the world's truth."""

    row: str
    seed: int
    args: dict[str, str]
    success: bool
    claimed: bool
    ticks: int
    infer_ms: tuple[float, ...]


class SkillBench:
    """A robot and a policy; runs one try at a time."""

    def __init__(self, make_policy: Callable[[], Policy]) -> None:
        """Load the policy and build the world."""
        self._policy = make_policy()
        self._robot = TabletopRobot()
        self._contracts = load_contracts()

    def __call__(self, job: tuple[str, int]) -> Trial | None:
        """Try one row's skill in the scene of a seed; None where the scene has no such task."""
        row, seed = job
        self._robot.reset(seed)
        rng = np.random.default_rng([seed, 23])
        skill = row.split("/")[0]
        args = self._arguments(skill, rng)
        if args is None or (skill != "pick" and not self._hand_over(args["object"])):
            return None
        if row == SWAP:
            return self._swapped(seed, args["object"], rng)
        return self._try(row, skill, seed, args)

    def close(self) -> None:
        """Release the robot."""
        self._robot.close()

    def _swapped(self, seed: int, first: str, rng: np.random.Generator) -> Trial:
        """Name another block in the same scene: the named one must be picked."""
        others = [n for n in self._blocks() if n != first]
        return self._try(SWAP, "pick", seed, {"object": str(rng.choice(others))})

    def _blocks(self) -> list[str]:
        return [n for n in self._robot.world.layout.poses if OBJECTS[n] == BLOCK]

    def _arguments(self, skill: str, rng: np.random.Generator) -> dict[str, str] | None:
        """Draw what to act on among what is there and has room."""
        name = str(rng.choice(self._blocks()))
        if skill == "pick":
            return {"object": name}
        scene = self._robot.world.truth()
        targets = [
            t
            for t in [*scene.objects, *ZONES]
            if (kind_of(t) == BOWL) == (skill == "place_in")
            and kind_of(t) != BLOCK
            and free_spot(t, scene, name) is not None
        ]
        return {"object": name, "target": str(rng.choice(targets))} if targets else None

    def _hand_over(self, name: str) -> bool:
        """Let the teacher pick the block up, so that placing is tried alone."""
        world, expert = self._robot.world, PickExpert(name)
        for _ in range(90):
            self._robot.act(expert.act(world))
            if expert.done(world):
                return True
        return False

    def _try(self, row: str, skill: str, seed: int, args: dict[str, str]) -> Trial:
        """Run the policy until it says it is done or its time budget is spent."""
        self._policy.reset(phrase_for(skill, args))
        budget = round(self._contracts[skill].time_budget_s * self._robot.spec.rate_hz)
        done, ticks, spent = 0, 0, []
        while ticks < budget and done < _DONE_TICKS:
            observation = self._robot.observe()
            began = time.perf_counter()
            chunk = self._policy.infer(observation)
            spent.append((time.perf_counter() - began) * 1000)
            done = done + 1 if (chunk.success or 0.0) > _DONE_HEAD else 0
            self._robot.act(_action(chunk.actions))
            ticks += 1
        facts = self._contracts[skill].facts("done", args)
        return Trial(
            row,
            seed,
            args,
            achieved(self._robot.world, facts),
            done >= _DONE_TICKS,
            ticks,
            tuple(spent),
        )


def _action(actions: np.ndarray) -> Vector:
    return np.asarray(actions[0], dtype=np.float64)


def achieved(world: TabletopWorld, facts: tuple[Fact, ...]) -> bool:
    """Return whether facts hold in truth; what is held must hang clear of the table."""
    scene = world.truth()
    lifted = all(world.position(f.args[0])[2] > _HELD_Z for f in facts if f.predicate == "held")
    return lifted and all(holds(fact, scene) for fact in facts)


def evaluate_skills(
    make_policy: Callable[[], Policy], episodes: int, seed_base: int, workers: int
) -> dict[str, Any]:
    """Return the report of every learned skill and of the instruction swap.

    Scenes without the task (no bowl with room, say) are passed over for the next seed, so that
    every row has as many episodes as asked for.
    """
    rows, times = [], []
    for index, name in enumerate((*SUITE, SWAP)):
        # Three times the seeds are enough for any row to find its scenes; rows share none, but
        # the swap runs on the scenes of `pick`.
        start = seed_base + (0 if name == SWAP else index * 3 * episodes)
        jobs = [(name, seed) for seed in range(start, start + 3 * episodes)]
        trials: list[Trial] = parallel(SkillBench, (make_policy,), jobs, workers, episodes, name)
        times += [ms for trial in trials for ms in trial.infer_ms]
        successes = sum(trial.success for trial in trials)
        rows.append(
            Row(
                name,
                len(trials),
                successes,
                {
                    "claimed": sum(t.claimed for t in trials),
                    "claimed_falsely": sum(t.claimed and not t.success for t in trials),
                    "ticks_mean": float(np.mean([t.ticks for t in trials])),
                    "failed_seeds": [t.seed for t in trials if not t.success],
                },
            )
        )
    return report(
        "skills",
        seed_base,
        rows,
        infer_ms_median=float(np.median(times)),
        infer_ms_p99=float(np.percentile(times, 99)),
    )
