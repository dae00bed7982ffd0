"""How often each learned skill succeeds, alone, from pixels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.facts import after
from agent.protocols import Policy
from agent.robots.tabletop.layout import NOMINAL, Variation
from agent.robots.tabletop.robot import TabletopRobot
from agent.types import Fact, Scene, Vector
from agent.workspace import kind_of
from skills.dataset import SKILLS
from skills.evaluate.scoring import achieved
from skills.experts import expert_for
from skills.phrases import phrase_for
from skills.registry import load_contracts, load_heldout
from skills.tasks import Task, possible

SUITE = SKILLS
"""Every learned skill; a row of that name tries it."""
HELDOUT = "/heldout"
"""What is added to a skill's name for its row with sentences that training never sees."""
SWAP = "pick/instruction_swap"
"""The row on the scenes of `pick`, with another thing named."""
_DONE_TICKS = 3
_DONE_HEAD = 0.5
_HAND_OVER_TICKS = 150


@dataclass(frozen=True, slots=True)
class Trial:
    """One try: its seed, the skill call, and what came of it by the world's truth.

    Attributes:
        row: The row it belongs to.
        seed: Of the scene.
        args: Of the skill call.
        phrase: What the policy was told.
        success: Whether the skill's done facts hold at the end.
        claimed: Whether the policy said so.
        ticks: How long it took.
        infer_ms: Of every inference.
        instead: What the hand held at the end, where that is not what was named.
    """

    row: str
    seed: int
    args: dict[str, str]
    phrase: str
    success: bool
    claimed: bool
    ticks: int
    infer_ms: tuple[float, ...]
    instead: str | None = None


class SkillBench:
    """A robot and a policy; runs one try at a time."""

    def __init__(self, make_policy: Callable[[], Policy], variation: Variation = NOMINAL) -> None:
        """Load the policy and build a world whose scenes stray this far from the nominal one."""
        self._policy = make_policy()
        self._robot = TabletopRobot(variation=variation)
        self._contracts = load_contracts()
        self._heldout = load_heldout()

    def __call__(self, job: tuple[str, int]) -> Trial | None:
        """Try one row's skill in the scene of a seed; None where the scene has no such task.

        A skill is given the same call in the same scene whatever the row is; only the swap names
        another thing.
        """
        row, seed = job
        self._robot.reset(seed)
        skill = row.split("/")[0]
        rng = np.random.default_rng([seed, 23])
        task = draw_task(skill, self._robot.world.truth(), rng)
        if task is None:
            return None
        if row == SWAP:
            other = _another(task, self._robot.world.truth(), rng)
            return None if other is None else self._try(row, seed, other, phrase_of(other))
        if "target" in task.args and not self._hand_over(task.args["object"]):
            return None
        phrase = phrase_of(task)
        if row.endswith(HELDOUT):
            templates = self._heldout[skill]
            phrase = templates[seed % len(templates)].format(**task.args)
        return self._try(row, seed, task, phrase)

    def close(self) -> None:
        """Release the robot."""
        self._robot.close()

    def _hand_over(self, name: str) -> bool:
        """Let the teacher pick the thing up, so that placing is tried alone."""
        world, expert = self._robot.world, expert_for("pick", {"object": name})
        expert.reset(world)
        for _ in range(_HAND_OVER_TICKS):
            self._robot.act(expert.act(world))
            if expert.done(world):
                return True
        return False

    def _try(self, row: str, seed: int, task: Task, phrase: str) -> Trial:
        """Run the policy until it says it is done or its time budget is spent."""
        contract, robot = self._contracts[task.skill], self._robot
        before = robot.world.truth()
        self._policy.reset(phrase)
        budget = round(contract.time_budget_s * robot.spec.rate_hz)
        done, ticks, spent = 0, 0, []
        while ticks < budget and done < _DONE_TICKS:
            observation = robot.observe()
            began = time.perf_counter()
            chunk = self._policy.infer(observation)
            spent.append((time.perf_counter() - began) * 1000)
            done = done + 1 if (chunk.success or 0.0) > _DONE_HEAD else 0
            robot.act(_action(chunk.actions))
            ticks += 1
        held = robot.world.truth().held
        return Trial(
            row=row,
            seed=seed,
            args=dict(task.args),
            phrase=phrase,
            success=achieved(robot.world, contract.facts("done", task.args), before),
            claimed=done >= _DONE_TICKS,
            ticks=ticks,
            infer_ms=tuple(spent),
            instead=held.name if held and held.name != task.args["object"] else None,
        )


def draw_task(skill: str, scene: Scene, rng: np.random.Generator) -> Task | None:
    """Draw a call of a skill that a scene allows, None where it allows none.

    Every thing that can be acted on is equally likely, then every kind of target, then every target
    of that kind. What is to be placed is picked up first, so its place is drawn as if it were held.
    """
    options: dict[str, list[Task]] = {}
    for held, start in _starts(skill, scene).items():
        for task in possible(start):
            if task.skill == skill and held in ("", task.args["object"]):
                options.setdefault(task.args["object"], []).append(task)
    if not options:
        return None
    tasks = options[str(rng.choice(sorted(options)))]
    kinds: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda t: list(t.args.values())):
        kinds.setdefault(kind_of(list(task.args.values())[-1]) or "", []).append(task)
    alike = kinds[str(rng.choice(sorted(kinds)))]
    return alike[int(rng.integers(len(alike)))]


def _starts(skill: str, scene: Scene) -> dict[str, Scene]:
    """Return the scenes from which a skill may start, by what is then held."""
    if not skill.startswith("place"):
        return {"": scene}
    names = [task.args["object"] for task in possible(scene) if task.skill == "pick"]
    return {name: after(scene, Fact(predicate="held", args=(name,))) for name in names}


def _another(task: Task, scene: Scene, rng: np.random.Generator) -> Task | None:
    """Return the same skill called with another thing of the scene, None where there is none."""
    others = [
        other
        for other in possible(scene)
        if other.skill == task.skill and other.args["object"] != task.args["object"]
    ]
    others.sort(key=lambda other: other.args["object"])
    return others[int(rng.integers(len(others)))] if others else None


def phrase_of(task: Task) -> str:
    """Return the canonical phrase of a skill call."""
    return phrase_for(task.skill, dict(task.args))


def _action(actions: np.ndarray) -> Vector:
    return np.asarray(actions[0], dtype=np.float64)
