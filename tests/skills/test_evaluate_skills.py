"""Trying skills: the teachers succeed, idling does not, and the sentence decides what is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import pytest

from agent.protocols import Policy
from agent.robots.tabletop.layout import NOMINAL
from agent.robots.tabletop.world import TabletopWorld
from agent.types import ActionChunk, Observation
from agent.workspace import DIRECTIONS, kind_of
from skills.dataset import SKILLS
from skills.evaluate.commands import initial_scene
from skills.evaluate.rates import AXES, evaluate_axes, evaluate_skills
from skills.evaluate.skills import HELDOUT, SUITE, SWAP, SkillBench, Trial, draw_task, phrase_of
from skills.experts import expert_for
from skills.registry import load_contracts, load_heldout
from skills.tasks import possible

FIRST_SEED = 2_000_000
CONTRACTS = load_contracts()
HELDOUT_PHRASES = load_heldout()


class Idle:
    """Does nothing, and says that it is done when told to."""

    def __init__(self, claims: bool = False) -> None:
        self.claims = claims
        self.told: list[str] = []

    def reset(self, phrase: str) -> None:
        self.told.append(phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        actions = np.zeros((4, 7), np.float32)
        actions[:, 6] = round(observation.gripper > 0.8)
        return ActionChunk(actions, 0.1, success=float(self.claims))


class Lazy(Idle):
    """Says at once that it is done."""

    def __init__(self) -> None:
        super().__init__(claims=True)


class Teacher:
    """Does what the phrase says by the world's truth."""

    def __init__(self) -> None:
        self.world: TabletopWorld

    def reset(self, phrase: str) -> None:
        scene = self.world.truth()
        (task,) = {
            phrase_of(task): task for task in possible(scene) if phrase_of(task) == phrase
        }.values()
        self._expert = expert_for(task.skill, dict(task.args))
        self._expert.reset(self.world)

    def infer(self, observation: Observation) -> ActionChunk:
        action = np.asarray(self._expert.act(self.world), np.float32)
        return ActionChunk(action[None], 0.1, success=float(self._expert.done(self.world)))


def bench_of(policy: Policy) -> SkillBench:
    return SkillBench(lambda: policy)


@pytest.fixture(scope="module")
def idle() -> Iterator[tuple[Idle, SkillBench]]:
    policy = Lazy()
    bench = bench_of(policy)
    yield policy, bench
    bench.close()


@pytest.fixture(scope="module")
def taught() -> Iterator[SkillBench]:
    policy = Teacher()
    bench = bench_of(policy)
    policy.world = bench._robot.world
    yield bench
    bench.close()


def first(bench: Callable[[tuple[str, int]], Trial | None], row: str, count: int) -> list[Trial]:
    """Return the first tries of a row."""
    found: list[Trial] = []
    seed = FIRST_SEED
    while len(found) < count:
        trial = bench((row, seed))
        found += [] if trial is None else [trial]
        seed += 1
    return found


@pytest.mark.parametrize("row", [*SUITE, SWAP])
def test_teachers_succeed(row: str, taught: SkillBench) -> None:
    """What is asked for can be done, and is found to be done."""
    trials = first(taught, row, 3)
    assert sum(trial.success for trial in trials) >= 2, trials
    assert all(trial.claimed for trial in trials if trial.success)
    assert all(trial.instead is None for trial in trials if trial.success)


@pytest.mark.parametrize("row", SUITE)
def test_doing_nothing_achieves_nothing(row: str, idle: tuple[Idle, SkillBench]) -> None:
    """No call is so already, and a claim is no success."""
    for trial in first(idle[1], row, 4):
        assert not trial.success, trial
        assert trial.claimed
        assert trial.ticks == 3


def test_swap_names_another_thing_of_the_same_scene(idle: tuple[Idle, SkillBench]) -> None:
    """So a policy that does not listen picks the wrong one."""
    for trial in first(idle[1], SWAP, 4):
        plain = idle[1](("pick", trial.seed))
        assert plain is not None
        assert plain.args["object"] != trial.args["object"]
        assert trial.phrase == f"pick up the {trial.args['object']}"


@pytest.mark.parametrize("skill", SUITE)
def test_heldout_words_for_the_same_call(skill: str, idle: tuple[Idle, SkillBench]) -> None:
    """Turn by turn every sentence comes up, none of them one of training."""
    policy, bench = idle
    assert len(HELDOUT_PHRASES[skill]) >= 8
    for trial in first(bench, skill + HELDOUT, 3):
        plain = bench((skill, trial.seed))
        assert plain is not None
        assert plain.args == trial.args
        template = HELDOUT_PHRASES[skill][trial.seed % len(HELDOUT_PHRASES[skill])]
        assert trial.phrase == template.format(**trial.args)
        assert trial.phrase in policy.told
        assert trial.phrase not in [p.format(**trial.args) for p in CONTRACTS[skill].phrases]


@pytest.mark.parametrize("skill", SUITE)
def test_calls_are_balanced(skill: str) -> None:
    """Over things, kinds of target and directions, as far as scenes have them."""
    drawn = [
        draw_task(skill, initial_scene(seed), np.random.default_rng(seed))
        for seed in range(FIRST_SEED, FIRST_SEED + 600)
    ]
    tasks = [task for task in drawn if task is not None]
    assert len(tasks) >= 60
    things = Counter(task.args["object"] for task in tasks)
    seconds = Counter(list(task.args.values())[1] for task in tasks if len(task.args) > 1)
    if skill in ("open", "close", "press"):
        assert len(things) == 1
    else:
        assert len(things) == 5
        assert max(things.values()) < 2.5 * min(things.values()), things
    if skill == "push":
        assert set(seconds) == set(DIRECTIONS)
        assert max(seconds.values()) < 2.5 * min(seconds.values()), seconds
    kinds = {kind_of(name) for name in seconds}
    if skill == "place_in":
        assert kinds == {"bowl", "drawer"}
    if skill == "place_on":
        assert kinds == {"plate", "zone", "block"}


def test_report_of_skills_does_not_depend_on_workers() -> None:
    """A row for every skill and the swap, with its failures by thing and target."""
    one, two = (evaluate_skills(Lazy, 2, FIRST_SEED, workers) for workers in (1, 2))
    for found in (one, two):
        found.pop("infer_ms_median")
        found.pop("infer_ms_p99")
    assert one == two
    assert [row["name"] for row in one["rows"]] == [*SKILLS, SWAP]
    for row in one["rows"]:
        assert (row["episodes"], row["successes"], row["claimed_falsely"]) == (2, 0, 2)
        assert len(row["failed_seeds"]) == len(row["failed"]) == 2
        assert sum(share["episodes"] for share in row["by_object"].values()) == 2


def test_report_of_heldout_words() -> None:
    """Its rows say what they are."""
    found = evaluate_skills(Lazy, 1, FIRST_SEED, 2, heldout=True)
    assert [row["name"] for row in found["rows"]] == [f"{skill}/heldout" for skill in SKILLS]


def test_report_of_axes() -> None:
    """A row per axis, its tries spread over the skills."""
    found = evaluate_axes(Lazy, ["camera", "outside"], 8, FIRST_SEED, 2)
    assert [row["name"] for row in found["rows"]] == ["axis/camera", "axis/outside"]
    for row in found["rows"]:
        assert row["episodes"] == 8
        assert [share["episodes"] for share in row["skills"].values()] == [2, 1, 1, 1, 1, 1, 1]
        assert list(row["skills"]) == list(SKILLS)


def test_axes_change_one_thing_each() -> None:
    """Each differs from the nominal world in its own settings only."""
    nominal = asdict(NOMINAL)
    changed = {
        name: {key for key, value in asdict(axis).items() if value != nominal[key]}
        for name, axis in AXES.items()
    }
    assert changed == {
        "light": {"light"},
        "camera": {"camera_m", "camera_rad", "camera_exact"},
        "table": {"table"},
        "distractors": {"distractors"},
        "start": {"start"},
        "outside": {"outside_m"},
    }
