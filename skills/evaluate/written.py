"""The written suite of missions: its commands, the scenes they are given in, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import yaml

from agent.errors import SkillError
from agent.facts import after, expected, holds
from agent.protocols import Planner, Verifier
from agent.types import Fact, Plan, Scene
from agent.workspace import ZONES
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.missions import Bench, Record, honesty, mission_row
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report
from skills.registry import load_contracts
from skills.tasks import Task, possible

SUITE_FILE = Path(__file__).with_name("suite.yaml")
FEWEST, MOST = 2, 6
"""How many subgoals the plan of a command has."""
_CENTRE = ("centre", "center", "middle")
_SCENES = 3000
"""Scenes looked at for each command."""


@dataclass(frozen=True, slots=True)
class Case:
    """One command in one scene.

    Attributes:
        kind: The command's class.
        command: What the human says.
        seed: Of the scene.
        goals: What should be true at the end, from a plan made on the world's truth.
        seconds: The time budgets of that plan's subgoals, summed.
    """

    kind: str
    command: str
    seed: int
    goals: tuple[Fact, ...]
    seconds: float


class WholeBench(Bench, Protocol):
    """A bench that can also give a whole command to the bare policy."""

    def flat(self, command: str, seed: int, goals: Sequence[Fact], seconds: float) -> bool:
        """Return whether the policy, told the whole command, reaches the goals in that time."""
        ...


def load_suite(path: Path = SUITE_FILE) -> dict[str, list[str]]:
    """Return command class -> commands.

    Raises:
        SkillError: The file is damaged.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SkillError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(data, dict) or not all(
        isinstance(commands, list) and all(isinstance(text, str) for text in commands)
        for commands in data.values()
    ):
        raise SkillError(f"{path} must hold a list of commands for each class.")
    return data


def find_cases(
    suite: Mapping[str, Sequence[str]],
    planner: Planner,
    verifier: Verifier,
    seed_base: int,
    each: int,
) -> list[Case]:
    """Return every command in the first scenes that it fits.

    A scene fits when a plan made on what is truly in sight there has two to six subgoals, is
    verified on all that is truly there, pushes nothing into another thing, and is for something
    that is not so already.

    Args:
        suite: Command class -> commands.
        planner: Makes the plans; it never sees the cameras.
        verifier: Checks them.
        seed_base: First seed.
        each: Scenes per command.

    Raises:
        SkillError: A command fits too few scenes.
    """
    scenes = lru_cache(maxsize=None)(initial_scene)
    cases = []
    for kind, commands in suite.items():
        for command in commands:
            found: list[Case] = []
            for seed in range(seed_base, seed_base + _SCENES):
                if len(found) == each:
                    break
                case = _case(kind, command, seed, scenes(seed), planner, verifier)
                found += [] if case is None else [case]
            if len(found) < each:
                raise SkillError(
                    f"{command!r} can be carried out in only {len(found)} of the {_SCENES} scenes "
                    f"from seed {seed_base} on, and {each} are needed; change the command."
                )
            cases += found
    return cases


def _ways_are_free(plan: Plan, scene: Scene) -> bool:
    """Return whether nothing is pushed into another thing, which nobody would ask for."""
    for subgoal in plan.subgoals:
        if subgoal.skill == "push" and Task(subgoal.skill, subgoal.args) not in possible(scene):
            return False
        for effect in _contracts()[subgoal.skill].facts("effects", subgoal.args):
            scene = after(scene, effect)
    return True


def _aside(goal: Fact, command: str) -> bool:
    """Return whether a thing is only put out of the way, into a zone nobody named.

    Another plan for the same command may well put it elsewhere.
    """
    target = goal.args[-1]
    names = _CENTRE if target == "centre zone" else (target.split()[0],)
    return target in ZONES and not any(name in command for name in names)


_contracts = lru_cache(maxsize=1)(load_contracts)


def _case(
    kind: str, command: str, seed: int, truth: Scene, planner: Planner, verifier: Verifier
) -> Case | None:
    """Return a command's case in a scene, None where it does not fit."""
    contracts, seen = _contracts(), in_sight(truth)
    plan: Plan = planner.plan(command, seen, contracts, ())
    if plan.question is not None or not FEWEST <= len(plan.subgoals) <= MOST:
        return None
    if any(verifier.problems(plan, scene, contracts) for scene in (seen, truth)):
        return None
    if not _ways_are_free(plan, truth):
        return None
    goals = tuple(g for g in expected(plan, seen, contracts) if not _aside(g, command))
    if all(holds(goal, truth, truth) for goal in goals):
        return None
    seconds = sum(contracts[subgoal.skill].time_budget_s for subgoal in plan.subgoals)
    return Case(kind, command, seed, goals, seconds)


class CaseBench:
    """Runs a case, with all of Bosun or with the bare policy."""

    def __init__(self, make_bench: Callable[[], WholeBench]) -> None:
        """Load an agent."""
        self._bench = make_bench()

    def __call__(self, job: tuple[Case, bool]) -> Record | bool:
        """Run one job, (case, bare policy)."""
        case, flat = job
        if flat:
            return self._bench.flat(case.command, case.seed, case.goals, case.seconds)
        return self._bench(case.command, case.seed, case.goals)


def evaluate_written(
    make_bench: Callable[[], WholeBench],
    cases: Sequence[Case],
    seed_base: int,
    workers: int,
    *,
    flat: bool,
) -> dict[str, Any]:
    """Return the report of the written suite.

    Args:
        make_bench: Loads an agent; called once in each worker.
        cases: From `find_cases`.
        seed_base: Where they were looked for.
        workers: Processes.
        flat: Also give every command whole to the bare policy.

    Returns:
        A row per command class, then `bosun` over all of them, and `flat_policy`; `mean` is that of
        the classes. `commands` lists every command with its share of successes.
    """
    jobs = {"bosun": [(case, False) for case in cases]}
    if flat:
        jobs["flat_policy"] = [(case, True) for case in cases]
    found = parallel(
        CaseBench, (make_bench,), jobs, dict.fromkeys(jobs, len(cases)), workers, "missions"
    )
    records: list[Record] = found["bosun"]
    pairs = list(zip(cases, records, strict=True))
    classes = [
        mission_row(kind, [(c.seed, c.command, r) for c, r in pairs if c.kind == kind])
        for kind in dict.fromkeys(case.kind for case in cases)
    ]
    won = [record.world_success for record in records]
    together = [Row("bosun", len(cases), sum(won), {"classes": _shares(cases, won)})]
    commands = {"bosun": _shares(cases, won, "command")}
    if flat:
        bare: list[bool] = found["flat_policy"]
        more = {"classes": _shares(cases, bare), "failed": _failed(cases, bare)}
        together.append(Row("flat_policy", len(cases), sum(bare), more))
        commands["flat_policy"] = _shares(cases, bare, "command")
    return report(
        "missions",
        seed_base,
        classes,
        together=together,
        overall=sum(won) / len(won),
        commands=commands,
        **honesty(records),
    )


def _shares(
    cases: Sequence[Case], won: Sequence[bool], key: str = "kind"
) -> dict[str, dict[str, float]]:
    """Return how many cases succeeded, by class or command."""
    groups: dict[str, list[bool]] = {}
    for case, success in zip(cases, won, strict=True):
        groups.setdefault(getattr(case, key), []).append(success)
    return {
        name: {"episodes": len(of), "successes": sum(of), "rate": sum(of) / len(of)}
        for name, of in groups.items()
    }


def _failed(cases: Iterable[Case], won: Iterable[bool]) -> list[dict[str, Any]]:
    return [
        {"seed": case.seed, "command": case.command}
        for case, success in zip(cases, won, strict=True)
        if not success
    ]
