from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from agent.facts import after, confidence, expected, holds
from agent.types import HAND, TABLE, Fact, Plan, Scene, Subgoal
from agent.workspace import ZONES
from tests.parts import AFTER, BEFORE, CONTRACTS, HELD, PICK, PLACE, subgoal
from tests.scenes import scene

IN_ZONE = scene(at={"red block": (0.50, 0.26)})
FULL_BOWL = scene(on=dict.fromkeys(["green block", "blue block", "yellow block"], "blue bowl"))
FULL_PLATE = scene(at={"green block": (0.70, -0.2275), "blue block": (0.70, -0.3125)})
FULL_PLATE = replace(
    FULL_PLATE,
    objects={
        name: replace(thing, support="plate") if name in ("green block", "blue block") else thing
        for name, thing in FULL_PLATE.objects.items()
    },
)


@pytest.mark.parametrize(
    ("fact", "where", "true"),
    [
        ("hand_empty()", BEFORE, True),
        ("hand_empty()", HELD, False),
        ("hand_empty()", Scene(0.0), True),
        ("held(red block)", HELD, True),
        ("held(red block)", BEFORE, False),
        ("held(green block)", HELD, False),
        ("held(red block)", Scene(0.0), False),
        ("in(red block, blue bowl)", AFTER, True),
        ("in(red block, white bowl)", AFTER, False),
        ("in(red block, blue bowl)", BEFORE, False),
        ("in(red block, blue bowl)", scene("blue bowl"), False),
        ("on(red block, plate)", scene(on={"red block": "plate"}), True),
        ("on(red block, plate)", BEFORE, False),
        ("on(red block, left zone)", IN_ZONE, True),
        ("on(red block, right zone)", IN_ZONE, False),
        (
            "on(red block, left zone)",
            IN_ZONE.moved("red block", HAND, np.array([0.5, 0.26, 0.3])),
            False,
        ),
        ("on(red block, left zone)", Scene(0.0), False),
        ("room(blue bowl)", BEFORE, True),
        ("room(blue bowl)", FULL_BOWL, False),
        ("room(blue bowl)", scene("red block"), False),
        ("room(plate)", BEFORE, True),
        ("room(plate)", FULL_PLATE, False),
        ("room(centre zone)", BEFORE, True),
    ],
)
def test_holds(fact: str, where: Scene, true: bool) -> None:
    assert holds(Fact.parse(fact), where) is true


def test_what_is_held_takes_no_room() -> None:
    full = FULL_BOWL.objects["green block"]
    held = FULL_BOWL.moved("green block", HAND, full.position)
    assert holds(Fact.parse("room(blue bowl)"), held)


@pytest.mark.parametrize(
    "fact", ["held()", "hand_empty(red block)", "in(red block)", "on(a, b, c)", "room()"]
)
def test_a_fact_with_the_wrong_arguments_is_an_error(fact: str) -> None:
    with pytest.raises(ValueError, match="arguments"):
        holds(Fact.parse(fact), BEFORE)


def test_an_unknown_predicate_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Fact.parse("near(red block, plate)")


@pytest.mark.parametrize("text", ["hand_empty()", "held(red block)", "in(red block, blue bowl)"])
def test_a_fact_reads_as_it_is_written(text: str) -> None:
    assert str(Fact.parse(text)) == text


def test_a_fact_is_bound_by_arguments() -> None:
    fact = Fact.parse("in(object, target)", {"object": "red block", "target": "plate"})
    assert fact == Fact(predicate="in", args=("red block", "plate"))


def _sure(presence: float, support: float, on: str = TABLE) -> Scene:
    thing = replace(
        BEFORE.objects["red block"], presence=presence, support_confidence=support, support=on
    )
    return Scene(0.0, {**BEFORE.objects, "red block": thing})


@pytest.mark.parametrize(
    ("fact", "where", "sure"),
    [
        ("held(red block)", _sure(0.8, 0.5), 0.4),
        ("in(red block, blue bowl)", _sure(0.8, 0.5), 0.4),
        ("on(red block, left zone)", _sure(0.8, 0.5), 0.4),
        ("held(green block)", _sure(0.8, 0.5), 1.0),
        ("hand_empty()", _sure(0.8, 0.5), 1.0),
        ("hand_empty()", _sure(0.8, 0.5, HAND), 0.4),
        ("hand_empty()", Scene(0.0), 1.0),
        ("held(red block)", Scene(0.0), 0.0),
        ("in(red block, blue bowl)", Scene(0.0), 0.0),
        ("room(centre zone)", BEFORE, 1.0),
    ],
)
def test_confidence(fact: str, where: Scene, sure: float) -> None:
    # In the middle of a zone its border still takes a hundred-thousandth away.
    assert confidence(Fact.parse(fact), where) == pytest.approx(sure, abs=1e-4)


@pytest.mark.parametrize(("inside_m", "sure"), [(0.0, 0.5), (0.01, 0.8413), (-0.01, 0.8413)])
def test_a_zones_border_is_uncertain(inside_m: float, sure: float) -> None:
    """One standard deviation of position, 1 cm, from the border: the normal's 84 %, either way."""
    block = BEFORE.objects["red block"]
    position = np.array([0.5, ZONES["left zone"].low[1] + inside_m, 0.02])
    where = Scene(0.0, {"red block": replace(block, position=position)})
    fact = Fact.parse("on(red block, left zone)")
    assert confidence(fact, where) == pytest.approx(sure, abs=1e-3)


def test_where_a_thing_is_that_is_not_seen_is_not_known_even_if_the_bowl_is() -> None:
    assert confidence(Fact.parse("in(red block, blue bowl)"), scene("blue bowl")) == 0.0


@pytest.mark.parametrize(
    ("before", "effect"),
    [
        (BEFORE, "held(red block)"),
        (HELD, "in(red block, blue bowl)"),
        (HELD, "on(red block, plate)"),
        *[(HELD, f"on(red block, {zone})") for zone in ZONES],
        (HELD, "hand_empty()"),
        (BEFORE, "hand_empty()"),
    ],
)
def test_an_effect_holds_after_it_came_about(before: Scene, effect: str) -> None:
    fact = Fact.parse(effect)
    then = after(before, fact)
    assert holds(fact, then)
    assert then.objects.keys() == before.objects.keys()
    assert [n for n in then.objects if then.objects[n] is not before.objects[n]] in (
        [],
        ["red block"],
    )


def test_after_leaves_the_scene_as_it_was() -> None:
    position = HELD.objects["red block"].position.copy()
    after(HELD, Fact.parse("on(red block, left zone)"))
    assert HELD.held is not None
    assert np.array_equal(HELD.objects["red block"].position, position)


def _on(name: str, target: str) -> Subgoal:
    return subgoal("place_on", object=name, target=target)


@pytest.mark.parametrize(
    ("subgoals", "start", "facts"),
    [
        ((), BEFORE, []),
        ((), HELD, ["held(red block)"]),
        ((PICK,), BEFORE, ["held(red block)"]),
        ((PICK, PLACE), BEFORE, ["in(red block, blue bowl)"]),
        ((PLACE,), HELD, ["in(red block, blue bowl)"]),
        ((PICK, PLACE, PICK, _on("red block", "plate")), BEFORE, ["on(red block, plate)"]),
        ((PICK, subgoal("release")), BEFORE, []),
        ((subgoal("release"), subgoal("pick", object="blue block")), HELD, ["held(blue block)"]),
        ((PICK, PLACE, subgoal("release")), BEFORE, ["in(red block, blue bowl)"]),
        (
            (PICK, PLACE, subgoal("pick", object="blue block"), _on("blue block", "left zone")),
            BEFORE,
            ["in(red block, blue bowl)", "on(blue block, left zone)"],
        ),
        ((subgoal("home"), subgoal("wait"), subgoal("look")), HELD, ["held(red block)"]),
        ((Subgoal(skill="fly", phrase="fly"), PICK), BEFORE, ["held(red block)"]),
    ],
)
def test_expected(subgoals: tuple[Subgoal, ...], start: Scene, facts: list[str]) -> None:
    found = expected(Plan(command="", subgoals=subgoals), start, CONTRACTS)
    assert [str(fact) for fact in found] == facts
