"""The registry: the shipped contracts, and what it says about broken ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agent.errors import SkillError
from agent.types import Fact
from agent.workspace import BLOCK, BOWL, BUTTON, CAN, DIRECTION, DRAWER, PLATE, ZONE
from skills.dataset import SKILLS, call_of
from skills.phrases import calls, paraphrases
from skills.policy.language import words
from skills.registry import load_contracts, load_heldout

BUDGETS = {
    "close": 12,
    "home": 6,
    "look": 6,
    "open": 12,
    "pick": 12,
    "place_in": 12,
    "place_on": 12,
    "press": 12,
    "push": 12,
    "release": 2,
    "wait": 2,
}
PRIMITIVES = {
    "home": "go home",
    "look": "look again from home",
    "release": "open the gripper",
    "wait": "wait",
}
LEARNED: list[tuple[str, dict[str, str], str, list[str], str]] = [
    (
        "pick",
        {"object": "can"},
        "pick up the can",
        ["hand_empty()", "reachable(can)", "clear(can)"],
        "held(can)",
    ),
    (
        "place_in",
        {"object": "red block", "target": "drawer"},
        "put the red block in the drawer",
        ["held(red block)", "open(drawer)", "room(drawer)"],
        "in(red block, drawer)",
    ),
    (
        "place_on",
        {"object": "red block", "target": "green block"},
        "put the red block on the green block",
        ["held(red block)", "room(green block)"],
        "on(red block, green block)",
    ),
    (
        "push",
        {"object": "red block", "direction": "left"},
        "push the red block left",
        ["hand_empty()", "loose(red block)"],
        "moved(red block, left)",
    ),
    ("open", {"object": "drawer"}, "open the drawer", ["hand_empty()"], "open(drawer)"),
    ("close", {"object": "drawer"}, "close the drawer", ["hand_empty()"], "closed(drawer)"),
    ("press", {"object": "button"}, "press the button", ["hand_empty()"], "toggled(button)"),
]
KINDS = {
    "pick": {"object": (BLOCK, CAN)},
    "place_in": {"object": (BLOCK, CAN), "target": (BOWL, DRAWER)},
    "place_on": {"object": (BLOCK, CAN), "target": (PLATE, ZONE, BLOCK)},
    "push": {"object": (BLOCK, CAN), "direction": (DIRECTION,)},
    "open": {"object": (DRAWER,)},
    "close": {"object": (DRAWER,)},
    "press": {"object": (BUTTON,)},
}
GOOD = """
name: pick
description: Grasp.
args: {object: {kinds: [block]}}
preconditions: [hand_empty()]
effects: [held(object)]
time_budget_s: 12
phrases: ["pick up the {object}"]
"""


def test_shipped_contracts() -> None:
    """Names and budgets, and which skills are learned; what is not needs no arguments."""
    found = load_contracts()
    assert {name: contract.time_budget_s for name, contract in found.items()} == BUDGETS
    learned = {name for name, contract in found.items() if contract.learned}
    assert learned == set(SKILLS) == set(KINDS)
    for name, phrase in PRIMITIVES.items():
        assert found[name].phrases[0] == phrase
        assert not found[name].args
        assert not found[name].preconditions
    assert [name for name in PRIMITIVES if found[name].effects] == ["release"]


@pytest.mark.parametrize(("skill", "args", "phrase", "needs", "effect"), LEARNED)
def test_what_a_learned_skill_promises(
    skill: str, args: dict[str, str], phrase: str, needs: list[str], effect: str
) -> None:
    """Phrase, preconditions and effect over real names; it is done when its effect holds."""
    contract = load_contracts()[skill]
    assert {name: spec.kinds for name, spec in contract.args.items()} == KINDS[skill]
    assert contract.phrase(args) == phrase
    assert [str(fact) for fact in contract.facts("preconditions", args)] == needs
    assert contract.facts("effects", args) == (Fact.parse(effect),)
    assert contract.done == contract.effects


def test_every_call_that_the_kinds_allow_is_named_once() -> None:
    """Calls fit the arrays of a shard, and nothing is put on itself."""
    found = list(calls())
    counts = Counter(skill for skill, _ in found)
    wanted = {"pick": 5, "place_in": 15, "place_on": 46, "push": 20}
    assert counts == {**wanted, "open": 1, "close": 1, "press": 1}
    rows = {tuple(call_of(skill, args).values()) for skill, args in found}
    assert len(rows) == len(found)
    assert all(len(set(args.values())) == len(args) for _, args in found)


def test_learned_skills_have_paraphrases() -> None:
    """Training has many, none of them twice; the held-out ones are others."""
    heldout = load_heldout()
    assert set(heldout) == set(KINDS)
    for name, contract in load_contracts().items():
        assert len(set(contract.phrases)) == len(contract.phrases)
        if contract.learned:
            assert len(contract.phrases) >= 13
            assert len(set(heldout[name])) == len(heldout[name]) >= 8


def test_every_sentence_means_one_call_and_none_held_out_is_trained_on() -> None:
    """Whatever names are filled in: case and punctuation do not tell sentences apart."""
    heldout, trained, held = load_heldout(), Counter[str](), Counter[str]()
    for skill, args in calls():
        trained.update({" ".join(words(sentence)) for sentence in paraphrases(skill, args)})
        held.update({" ".join(words(t.format(**args))) for t in heldout[skill]})
    assert set((trained + held).values()) == {1}


BROKEN: list[tuple[str, str, list[str]]] = [
    ("time_budget_s: 12", "time_budget_s: -1", ["'time_budget_s'", "greater than 0"]),
    ("time_budget_s: 12", "budget: 12", ["'time_budget_s'"]),
    ("description", "colour", ["'description'"]),
    ("kinds: [block]", "kind: block", ["'args.object.kinds'"]),
    ("name: pick", "name: grab", ["'name'", "'grab'"]),
    ("held(object)", "hold(object)", ["'effects'", "Did you mean 'held'"]),
    ("held(object)", "held(thing)", ["'effects'", "'thing'", "object"]),
    ("held(object)", "held()", ["'effects'", "1 arguments"]),
    ("held(object)", "moved(object)", ["'effects'", "2 arguments"]),
    ("held(object)", "toggld(object)", ["'effects'", "Did you mean 'toggled'"]),
    ("hand_empty()", "loose(thing)", ["'preconditions'", "'thing'"]),
    ("the {object}", "the {target}", ["'phrases'", "target"]),
    ("the {object}", "the {object", ["'phrases'", "no template"]),
    ("name: pick", "name: [pick", ["cannot be read as YAML"]),
    (GOOD, "- pick", ["mapping"]),
]


@pytest.mark.parametrize(("old", "new", "parts"), BROKEN)
def test_broken_contracts_name_file_and_key(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    """The error is a sentence with the file and the key in it."""
    (tmp_path / "pick.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(SkillError) as caught:
        load_contracts(tmp_path)
    for part in ["pick.yaml", *parts]:
        assert part in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """No skills at all is never what was meant."""
    with pytest.raises(SkillError, match="no skill contract"):
        load_contracts(tmp_path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("grab: ['grab the {object}']", "no skill 'grab'"),
        ("pick: grab the {object}", "list of templates"),
        ("pick: [grab it]", "blanks"),
        ("pick: ['pick up the {object}']", "also used for training"),
    ],
)
def test_broken_heldout(tmp_path: Path, text: str, part: str) -> None:
    """Held-out templates must fit their skill and be held out."""
    (tmp_path / "pick.yaml").write_text(GOOD)
    (tmp_path / "heldout").mkdir()
    (tmp_path / "heldout" / "paraphrases.yaml").write_text(text)
    with pytest.raises(SkillError, match=part):
        load_heldout(tmp_path)
    (tmp_path / "heldout" / "paraphrases.yaml").unlink()
    with pytest.raises(SkillError, match=r"paraphrases\.yaml"):
        load_heldout(tmp_path)
