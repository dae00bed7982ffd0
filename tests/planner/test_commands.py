"""Written commands: what a sensible person expects of each, feature by feature of the language."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from agent.facts import expected
from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.types import TABLE, Scene, SceneObject
from agent.workspace import BUTTON, half_height, kind_of
from skills.registry import load_contracts

CONTRACTS = load_contracts()
DATA = yaml.safe_load((Path(__file__).parents[1] / "data" / "commands.yaml").read_text())
LEAST = 200
LEAST_PER_FEATURE = 5


def scene_of(things: Mapping[str, Mapping[str, Any]]) -> Scene:
    """Return a scene as it is written: at or carrier, opening, lamp, sure."""
    objects: dict[str, SceneObject] = {}
    for name, said in sorted(things.items(), key=lambda item: "at" not in item[1]):
        kind = str(kind_of(name))
        support = said.get("carrier", TABLE)
        height = half_height(kind)
        if "at" in said:
            x, y = said["at"]
            height += 0.02 if "carrier" in said else 0.0
        elif support in objects:
            x, y, under = objects[support].position
            height += under + half_height(objects[support].kind)
        else:
            x, y, height = 0.4, 0.0, 0.3
        sure = float(said.get("sure", 1.0))
        objects[name] = SceneObject(
            name,
            kind,
            np.array([x, y, height]),
            support=support,
            support_confidence=sure,
            articulation=said.get("lamp" if kind == BUTTON else "opening"),
            articulation_confidence=sure,
        )
    return Scene(0.0, {name: objects[name] for name in things})


SCENES = {name: scene_of(things) for name, things in DATA["scenes"].items()}
ENTRIES = DATA["commands"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e['command']} | {e['scene']}")
def test_commands(entry: Mapping[str, Any]) -> None:
    """What is understood becomes exactly these phrases, and can be carried out."""
    where = SCENES[entry["scene"]]
    made = GrammarPlanner().plan(entry["command"], where, CONTRACTS, [])
    if "question" in entry:
        assert made.question is not None, [s.phrase for s in made.subgoals]
        for part in entry["question"]:
            assert part in made.question
        assert made.subgoals == ()
    else:
        assert made.question is None
        assert [s.phrase for s in made.subgoals] == entry["plan"]
        assert PlanVerifier(max_seconds=600).problems(made, where, CONTRACTS) == []
        assert expected(made, where, CONTRACTS) is not None


def test_every_feature_is_covered() -> None:
    """There are enough commands in all, and of each feature."""
    assert len(ENTRIES) >= LEAST
    assert len({(e["command"], e["scene"]) for e in ENTRIES}) == len(ENTRIES)
    counts = Counter(feature for entry in ENTRIES for feature in entry["features"])
    assert {f: counts[f] for f in DATA["features"] if counts[f] < LEAST_PER_FEATURE} == {}


def test_planning_is_quick_and_repeats() -> None:
    """The same words give the same plan, whatever was planned before, in no time to speak of."""
    one = GrammarPlanner()
    took = []
    for entry in ENTRIES:
        where = SCENES[entry["scene"]]
        start = time.process_time()
        made = one.plan(entry["command"], where, CONTRACTS, [])
        took.append(time.process_time() - start)
        assert made == GrammarPlanner().plan(entry["command"], where, CONTRACTS, [])
    assert float(np.median(took)) < 0.02
