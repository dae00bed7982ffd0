"""Corrections that are drawn can be obeyed, and change what was asked for."""

from __future__ import annotations

from collections import Counter

from agent.correction import corrected
from agent.facts import expected, holds
from agent.planner.grammar import GrammarPlanner
from agent.speech.turns import bare
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.corrections import find_corrections
from skills.registry import load_contracts

DRAWN = list(find_corrections(24, 1_000_000))


def test_every_kind_comes_as_often_each_in_a_scene_of_its_own() -> None:
    assert set(Counter(drawn.kind for drawn in DRAWN).values()) == {3}
    assert len({drawn.seed for drawn in DRAWN}) == len(DRAWN)
    assert list(find_corrections(24, 1_000_000)) == DRAWN


def test_what_is_meant_is_neither_so_already_nor_what_was_asked_for() -> None:
    for drawn in DRAWN:
        scene = initial_scene(drawn.seed)
        assert not any(holds(goal, scene) for goal in (*drawn.goals, *drawn.old)), drawn
        assert not set(drawn.goals) & set(drawn.old), drawn


def test_the_plain_words_mean_the_goals() -> None:
    planner, contracts = GrammarPlanner(), load_contracts()
    for drawn in DRAWN:
        scene = in_sight(initial_scene(drawn.seed))
        command = corrected(drawn.command, bare(drawn.plainly))
        plan = planner.plan(command, scene, contracts, ())
        assert set(drawn.goals) <= set(expected(plan, scene, contracts)), drawn
