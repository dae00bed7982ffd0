"""The registry: the shipped contracts, and what it says about broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import SkillError
from agent.types import Fact
from agent.workspace import BLOCK, BOWL, PLATE, ZONE
from skills.registry import load_contracts, load_heldout

CANONICAL = {
    "pick": ("pick up the {object}", 12),
    "place_in": ("put the {object} in the {target}", 12),
    "place_on": ("put the {object} on the {target}", 12),
    "home": ("go home", 6),
    "look": ("look again from home", 6),
    "release": ("open the gripper", 2),
    "wait": ("wait", 2),
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
    """Names, canonical phrases and budgets are what the policy was trained for."""
    found = load_contracts()
    assert {n: (c.phrases[0], c.time_budget_s) for n, c in found.items()} == CANONICAL
    learned = {name for name, contract in found.items() if contract.learned}
    assert learned == {"pick", "place_in", "place_on"}
    assert found["pick"].args["object"].kinds == (BLOCK,)
    assert found["place_in"].args["target"].kinds == (BOWL,)
    assert found["place_on"].args["target"].kinds == (PLATE, ZONE)
    args = {"object": "red block", "target": "plate"}
    assert found["place_on"].facts("effects", args) == (Fact.parse("on(red block, plate)"),)


def test_learned_skills_have_paraphrases() -> None:
    """Training has many, none of them twice; the held-out ones are others."""
    heldout = load_heldout()
    for name, contract in load_contracts().items():
        assert len(set(contract.phrases)) == len(contract.phrases)
        if contract.learned:
            assert len(contract.phrases) >= 13
            assert len(heldout[name]) == 4
            assert not set(heldout[name]) & set(contract.phrases)


BROKEN: list[tuple[str, str, list[str]]] = [
    ("time_budget_s: 12", "time_budget_s: -1", ["'time_budget_s'", "greater than 0"]),
    ("time_budget_s: 12", "budget: 12", ["'time_budget_s'"]),
    ("description", "colour", ["'description'"]),
    ("kinds: [block]", "kind: block", ["'args.object.kinds'"]),
    ("name: pick", "name: grab", ["'name'", "'grab'"]),
    ("held(object)", "hold(object)", ["'effects'", "Did you mean 'held'"]),
    ("held(object)", "held(thing)", ["'effects'", "'thing'", "object"]),
    ("held(object)", "held()", ["'effects'", "1 arguments"]),
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
