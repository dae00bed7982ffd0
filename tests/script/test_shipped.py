"""The missions in configs/missions cover what the robot can do, and each of them can fail."""

from __future__ import annotations

import pytest

from agent.resources import resource
from agent.script.load import Script, load_scripts
from agent.script.schema import Steps
from agent.script.vocabulary import parse_call
from skills.registry import load_contracts

FEWEST = 12


@pytest.fixture(scope="module")
def scripts() -> list[Script]:
    return load_scripts(sorted(resource("configs/missions").glob("*.yaml")))


def test_what_is_known_to_fail_says_so_and_where() -> None:
    known = load_scripts(sorted(resource("configs/missions/failing").glob("*.yaml")))
    assert known
    for script in known:
        assert script.mission.description.startswith("Fails.")
        assert "failing" in script.mission.tags
        assert script.seed is not None


def steps(script: Script) -> list[Steps]:
    expected = [script.mission.expect, *(c.expect for c in script.mission.spoken)]
    return [s for e in expected if e is not None for s in (e.plan, e.runs) if s is not None]


def test_there_are_enough_and_each_says_what_it_shows(scripts: list[Script]) -> None:
    assert len({script.name for script in scripts}) >= FEWEST
    assert all(script.mission.description and script.mission.tags for script in scripts)


def test_every_skill_is_expected_in_some_plan(scripts: list[Script]) -> None:
    calls = [
        parse_call(text).skill
        for script in scripts
        for step in steps(script)
        for text in (*(step.exactly or ()), *step.contains)
    ]
    assert set(calls) == set(load_contracts())


def test_every_success_is_held_against_the_world(scripts: list[Script]) -> None:
    for script in scripts:
        expected = [script.mission.expect, *(c.expect for c in script.mission.spoken)]
        judged = [e for e in expected if e is not None and (e.world or e.agrees or e.ticks == 0)]
        assert judged, script.name
