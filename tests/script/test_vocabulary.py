"""Facts, calls and needs are read as written, and no others."""

from __future__ import annotations

from typing import get_args

import pytest

from agent.script.vocabulary import Call, Claim, parse_call, parse_claim, parse_need, spelled
from agent.types import Fact, Predicate, Subgoal
from skills.registry import load_contracts
from tests.script.samples import PICK, PLACE

WORDS = {
    "held": "held(can)",
    "hand_empty": "hand_empty()",
    "in": "in(can, drawer)",
    "on": "on(can, left zone)",
    "room": "room(plate)",
    "clear": "clear(plate)",
    "reachable": "reachable(can)",
    "loose": "loose(red block)",
    "open": "open(drawer)",
    "closed": "closed(drawer)",
    "lit": "lit(button)",
    "unlit": "unlit(button)",
    "moved": "moved(can, left)",
    "toggled": "toggled(button)",
}


def _predicates() -> set[str]:
    return {word for part in get_args(Predicate) for word in (get_args(part) or (part,))}


def test_every_predicate_of_contracts_can_be_claimed() -> None:
    assert set(WORDS) == _predicates()
    for predicate, text in WORDS.items():
        for written in (text, f"not {text}"):
            claim = parse_claim(written)
            assert claim.fact.predicate == predicate
            assert claim.holds is (written == text)
            assert str(claim) == written


@pytest.mark.parametrize("text", ["open(blue bowl)", "on(can, drawer)", "held(plate)", "lit(can)"])
def test_a_fact_that_could_never_change_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="There is no"):
        parse_claim(text)


def test_calls_match_by_position_and_by_star() -> None:
    for text, fits in (
        ("place_in", True),
        ("place_in(red block, drawer)", True),
        ("place_in(*, drawer)", True),
        ("place_in(*, *)", True),
        ("place_in(can, *)", False),
        ("pick(red block)", False),
    ):
        call = parse_call(text)
        assert call.fits(PLACE.skill, PLACE.args) is fits
        assert str(call) == text
    assert [spelled(PICK), spelled(PLACE)] == ["pick(red block)", "place_in(red block, drawer)"]


def test_every_skill_can_be_spelled() -> None:
    for name, contract in load_contracts().items():
        bare = Subgoal(skill=name, args={}, phrase=name)
        stars = ", ".join("*" for _ in contract.args)
        assert spelled(bare) == f"{name}({stars})"
        assert parse_call(name).fits(name, {})


def test_needs_are_things_facts_and_calls() -> None:
    assert parse_need("not can") == "not can"
    assert parse_need("push(can, left)") == Call("push", ("can", "left"))
    fact = Fact(predicate="open", args=("drawer",))
    assert parse_need("open(drawer)") == Claim(fact, True)
