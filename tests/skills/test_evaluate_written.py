"""The written suite: thirty commands over every skill, in scenes where they make sense."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from agent.build import grammar, verifier
from agent.config import Config
from agent.errors import SkillError
from agent.facts import holds
from agent.types import Fact, MissionOutcome
from skills.dataset import SKILLS, in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.missions import Record
from skills.evaluate.written import Case, evaluate_written, find_cases, load_suite
from skills.registry import load_contracts

CONTRACTS = load_contracts()
SEED_BASE = 2_000_000
PLANNER, VERIFIER = grammar(Config()), verifier(Config())


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return find_cases(load_suite(), PLANNER, VERIFIER, SEED_BASE, 2)


def test_thirty_commands_each_once() -> None:
    """In classes of the same size, so that their mean is that of the commands."""
    suite = load_suite()
    commands = [command for of_class in suite.values() for command in of_class]
    assert len(commands) == len(set(commands)) == 30
    assert len({len(of_class) for of_class in suite.values()}) == 1


def test_cases_are_work_to_do(cases: list[Case]) -> None:
    """Two to six subgoals that verify on the truth, for goals that are not so already."""
    used = set()
    assert len(cases) == 60
    for case in cases:
        truth = initial_scene(case.seed)
        plan = PLANNER.plan(case.command, in_sight(truth), CONTRACTS, ())
        assert 2 <= len(plan.subgoals) <= 6, case
        assert VERIFIER.problems(plan, truth, CONTRACTS) == [], case
        assert case.goals
        assert not all(holds(goal, truth, truth) for goal in case.goals), case
        assert case.seconds == sum(CONTRACTS[s.skill].time_budget_s for s in plan.subgoals)
        used |= {subgoal.skill for subgoal in plan.subgoals}
    assert used >= set(SKILLS)


def test_cases_are_the_first_that_fit(cases: list[Case]) -> None:
    """More scenes for each command begin with the same ones; seeds go up."""
    command = cases[0].command
    more = find_cases({"x": [command]}, PLANNER, VERIFIER, SEED_BASE, 3)
    assert [case.seed for case in more][:2] == [case.seed for case in cases[:2]]
    assert [case.seed for case in more] == sorted({case.seed for case in more})


def test_a_command_that_fits_nowhere_is_said() -> None:
    """Not passed over: the suite would silently be another one."""
    with pytest.raises(SkillError, match="juggle"):
        find_cases({"x": ["juggle the blocks"]}, PLANNER, VERIFIER, SEED_BASE, 1)


def test_damaged_suite_is_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    path = tmp_path / "suite.yaml"
    path.write_text("drawer: open it\n")
    with pytest.raises(SkillError, match=r"suite\.yaml"):
        load_suite(path)


class FakeBench:
    """Reaches the goals of even seeds, says so of all, and as a bare policy reaches none."""

    def __call__(self, command: str, seed: int, goals: Sequence[Fact]) -> Record:
        return Record(MissionOutcome.SUCCESS, seed % 2 == 0, 0, 10.0, 2.0)

    def flat(self, command: str, seed: int, goals: Sequence[Fact], seconds: float) -> bool:
        assert seconds > 0
        return False


GOALS = (Fact.parse("open(drawer)"),)
CASES = [
    Case(kind, command, seed, GOALS, 24.0)
    for kind, command in (("drawer", "a"), ("drawer", "b"), ("lamp", "c"))
    for seed in (1, 2, 4, 6)
]


@pytest.mark.parametrize("workers", [1, 2])
def test_report_has_a_row_per_class_and_both_in_all(workers: int) -> None:
    """The mean is of the classes; the agent's word is held against the truth."""
    found = evaluate_written(FakeBench, CASES, 7, workers, flat=True)
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == ["drawer", "lamp", "bosun", "flat_policy"]
    assert (rows["drawer"]["successes"], rows["drawer"]["episodes"]) == (6, 8)
    assert rows["lamp"]["failed"] == [{"seed": 1, "command": "c", "outcome": "success"}]
    assert (rows["bosun"]["successes"], rows["bosun"]["episodes"]) == (9, 12)
    assert (rows["flat_policy"]["successes"], rows["flat_policy"]["episodes"]) == (0, 12)
    assert found["mean"] == found["overall"] == 0.75
    assert (found["agreement"], found["false_success"]) == (0.75, 0.25)
    assert found["commands"]["bosun"]["a"] == {"episodes": 4, "successes": 3, "rate": 0.75}
    assert found["commands"]["flat_policy"]["a"]["rate"] == 0.0


def test_without_the_bare_policy() -> None:
    """No row for what was not run."""
    found = evaluate_written(partial(FakeBench), CASES, 7, 1, flat=False)
    assert [row["name"] for row in found["rows"]] == ["drawer", "lamp", "bosun"]
    assert set(found["commands"]) == {"bosun"}
