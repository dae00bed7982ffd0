"""Drawn commands: they can be carried out, and the grammar reads them as they are meant."""

from __future__ import annotations

import numpy as np
import pytest

from agent.facts import CERTAIN, after, expected, holds
from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.robots.tabletop.robot import TabletopRobot
from agent.spots import free_spot
from agent.workspace import BLOCK, BOWL, kind_of
from skills.dataset import in_sight
from skills.evaluate.commands import draw_command, draw_stack, initial_scene
from skills.registry import load_contracts

CONTRACTS = load_contracts()
SEEDS = range(2_000_000, 2_000_200)


@pytest.mark.parametrize(("objects", "least"), [(1, 180), (2, 150), (3, 60)])
def test_goals_can_be_reached(objects: int, least: int) -> None:
    """There is room for every block in its turn, and none is where it should be already."""
    drawn = {seed: draw_command(seed, objects) for seed in SEEDS}
    assert sum(command is not None for command in drawn.values()) >= least
    targets = set()
    for seed, command in drawn.items():
        if command is None:
            continue
        scene = initial_scene(seed)
        assert len({goal.args[0] for goal in command.goals}) == objects
        for goal in command.goals:
            name, target = goal.args
            assert name in in_sight(scene).objects
            targets.add(kind_of(target))
            assert kind_of(name) == BLOCK
            assert goal.predicate == ("in" if kind_of(target) == BOWL else "on")
            assert free_spot(target, scene, name) is not None, (seed, command)
            assert not holds(goal, scene), (seed, command)
            scene = after(scene, goal)
        assert all(holds(goal, scene) for goal in command.goals), (seed, command)
    assert targets == {"bowl", "plate", "zone"}


@pytest.mark.parametrize("objects", [1, 2, 3])
def test_the_grammar_reads_them_as_meant(objects: int) -> None:
    """The plan for a command verifies, and is expected to end in the command's goals."""
    for seed in SEEDS:
        if (command := draw_command(seed, objects)) is None:
            continue
        scene = in_sight(initial_scene(seed))
        plan = GrammarPlanner().plan(command.text, scene, CONTRACTS, [])
        assert plan.question is None, (seed, command, plan.question)
        assert set(expected(plan, scene, CONTRACTS)) == set(command.goals), (seed, command)
        assert PlanVerifier().problems(plan, scene, CONTRACTS) == [], (seed, command)


def test_commands_vary_and_repeat() -> None:
    """A seed gives one command; seeds give many, with shared targets and sequences among them."""
    commands, again = (
        [command for seed in SEEDS if (command := draw_command(seed, 2))] for _ in range(2)
    )
    assert commands == again
    texts = [command.text for command in commands]
    assert len(set(texts)) > 0.8 * len(texts)
    assert any("then" in text for text in texts)
    assert any(len({goal.args[1] for goal in command.goals}) == 1 for command in commands)


def test_the_initial_scene_is_the_worlds() -> None:
    """What is computed without physics is what the world lays out."""
    robot = TabletopRobot()
    try:
        for seed in SEEDS[:20]:
            robot.reset(seed)
            truth, drawn = robot.world.truth(), initial_scene(seed)
            assert truth.objects.keys() == drawn.objects.keys()
            for name, thing in drawn.objects.items():
                real = truth.objects[name]
                assert np.allclose(real.position, thing.position, atol=0.012), name
                assert (real.kind, real.support) == (thing.kind, thing.support), name
                if thing.articulation is not None:
                    assert real.articulation == pytest.approx(thing.articulation, abs=0.004)
    finally:
        robot.close()


def test_stacks_are_of_three_blocks_and_are_planned_as_meant() -> None:
    planner, drawn = GrammarPlanner(0.5, CERTAIN), 0
    for seed in SEEDS:
        command, scene = draw_stack(seed), initial_scene(seed)
        if command is None:
            continue
        drawn += 1
        (middle, low), (top, below) = (goal.args for goal in command.goals)
        assert below == middle
        assert len({low, middle, top}) == 3
        assert {kind_of(name) for name in (low, middle, top)} == {BLOCK}
        assert not holds(command.goals[1], scene)
        plan = planner.plan(command.text, scene, CONTRACTS, ())
        assert set(expected(plan, scene, CONTRACTS)) == set(command.goals)
    assert drawn > 50
