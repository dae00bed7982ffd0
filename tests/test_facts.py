from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from agent.facts import after, confidence, expected, holds, seen_to_hold
from agent.types import HAND, TABLE, Fact, Plan, Scene, Subgoal
from agent.workspace import (
    BLOCK_HALF,
    DIRECTIONS,
    DRAWER_CLOSED,
    DRAWER_OPEN,
    DRAWER_TRAVEL,
    PUSH_DISTANCE,
    PUSH_LEAST,
    ZONES,
)
from tests.parts import AFTER, BEFORE, CONTRACTS, HELD, PICK, PLACE, subgoal
from tests.scenes import HOMES, scene, tower

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
R, G, B = "red block", "green block", "blue block"
SHUT, AJAR = scene("drawer", R, "button"), scene("drawer", opening=0.045)
OUT = scene("drawer", R, "can", "button", opening=DRAWER_TRAVEL)
STOWED = scene("drawer", R, "can", on={R: "drawer"})
SHOWN = scene("drawer", R, on={R: "drawer"}, opening=DRAWER_TRAVEL)
FULL_DRAWER = scene(
    "drawer", R, G, B, on=dict.fromkeys([R, G], "drawer"), opening=DRAWER_TRAVEL
).moved(G, "drawer", np.array([0.236, 0.042, 0.02]))
FULL_DRAWER = FULL_DRAWER.moved(R, "drawer", np.array([0.236, -0.042, 0.02]))
LIT, DARK = scene("button", lit=True), scene("button")
STACK = tower(R, G, others=("can", B))


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
        ("in(red block, drawer)", STOWED, True),
        ("in(red block, drawer)", SHUT, False),
        ("on(green block, red block)", STACK, True),
        ("on(red block, green block)", STACK, False),
        ("on(green block, left zone)", tower(R, G).moved(R, TABLE, np.array([0.5, 0.2, 0])), False),
        ("room(red block)", BEFORE, True),
        ("room(red block)", STACK, False),
        ("room(green block)", STACK, True),
        ("room(blue block)", STACK.moved("can", HAND, np.array([0.5, 0, 0.3])), False),
        ("room(blue block)", STACK.moved(G, HAND, np.array([0.5, 0, 0.3])), True),
        ("room(can)", STACK, False),
        ("room(button)", SHUT, False),
        ("room(drawer)", OUT, True),
        ("room(drawer)", FULL_DRAWER, False),
        ("open(drawer)", OUT, True),
        ("open(drawer)", AJAR, False),
        ("open(drawer)", SHUT, False),
        ("open(drawer)", scene("drawer", opening=DRAWER_OPEN), True),
        ("open(drawer)", BEFORE, False),
        ("open(blue bowl)", BEFORE, True),
        ("open(blue bowl)", SHUT, False),
        ("closed(drawer)", SHUT, True),
        ("closed(drawer)", AJAR, False),
        ("closed(drawer)", OUT, False),
        ("closed(drawer)", scene("drawer", opening=DRAWER_CLOSED), True),
        ("closed(blue bowl)", BEFORE, False),
        ("lit(button)", LIT, True),
        ("lit(button)", DARK, False),
        ("unlit(button)", DARK, True),
        ("unlit(button)", LIT, False),
        ("lit(button)", BEFORE, False),
        ("unlit(button)", BEFORE, False),
        ("lit(red block)", BEFORE, False),
        ("unlit(red block)", BEFORE, False),
        ("clear(red block)", BEFORE, True),
        ("clear(red block)", STACK, False),
        ("clear(green block)", STACK, True),
        ("clear(red block)", DARK, False),
        ("reachable(red block)", BEFORE, True),
        ("reachable(red block)", AFTER, True),
        ("reachable(red block)", STOWED, False),
        ("reachable(red block)", SHOWN, True),
        ("reachable(red block)", scene("drawer", R, on={R: "drawer"}, opening=0.045), False),
        ("reachable(green block)", STACK, True),
        ("reachable(red block)", HELD, True),
        ("reachable(red block)", DARK, False),
        ("loose(red block)", BEFORE, True),
        ("loose(red block)", STACK, False),
        ("loose(green block)", STACK, False),
        ("loose(can)", STACK, True),
        ("loose(red block)", HELD, False),
        ("loose(red block)", AFTER, False),
        ("loose(red block)", STOWED, False),
        ("loose(red block)", DARK, False),
    ],
)
def test_holds(fact: str, where: Scene, true: bool) -> None:
    assert holds(Fact.parse(fact), where) is true


def test_what_is_held_takes_no_room() -> None:
    full = FULL_BOWL.objects["green block"]
    held = FULL_BOWL.moved("green block", HAND, full.position)
    assert holds(Fact.parse("room(blue bowl)"), held)


def _pushed(way: str, metres: float, support: str = TABLE) -> Scene:
    """Return the scene with the red block so far from its home."""
    x, y = np.array(HOMES[R]) + metres * np.array(DIRECTIONS[way])
    return BEFORE.moved(R, support, np.array([x, y, BLOCK_HALF]))


@pytest.mark.parametrize("way", DIRECTIONS)
def test_a_thing_has_moved_that_has_gone_far_enough_in_that_direction(way: str) -> None:
    fact = Fact(predicate="moved", args=(R, way))
    gone, back = _pushed(way, PUSH_LEAST + 0.001), _pushed(way, -PUSH_DISTANCE)
    assert holds(fact, gone, BEFORE)
    assert not holds(fact, gone)
    assert not holds(fact, gone, scene(G))
    assert not holds(fact, scene(G), BEFORE)
    assert not holds(fact, BEFORE, BEFORE)
    assert not holds(fact, _pushed(way, PUSH_LEAST - 0.001), BEFORE)
    assert not holds(fact, back, BEFORE)
    others = [w for w in DIRECTIONS if holds(Fact(predicate="moved", args=(R, w)), gone, BEFORE)]
    assert others == [way]


@pytest.mark.parametrize("support", [HAND, "plate", G])
def test_what_was_carried_off_has_not_been_pushed(support: str) -> None:
    assert not holds(Fact.parse("moved(red block, left)"), _pushed("left", 0.09, support), BEFORE)


@pytest.mark.parametrize(
    ("now", "before", "true"),
    [
        (LIT, DARK, True),
        (DARK, LIT, True),
        (LIT, LIT, False),
        (DARK, DARK, False),
        (LIT, None, False),
        (LIT, BEFORE, False),
        (BEFORE, LIT, False),
    ],
)
def test_a_lamp_is_toggled_that_differs_from_before(
    now: Scene, before: Scene | None, *, true: bool
) -> None:
    assert holds(Fact.parse("toggled(button)"), now, before) is true


@pytest.mark.parametrize(
    "fact",
    [
        "held()",
        "hand_empty(red block)",
        "in(red block)",
        "on(a, b, c)",
        "room()",
        "open()",
        "lit(button, drawer)",
        "clear()",
        "moved(red block)",
        "toggled(button, left)",
    ],
)
def test_a_fact_with_the_wrong_arguments_is_an_error(fact: str) -> None:
    with pytest.raises(ValueError, match="arguments"):
        holds(Fact.parse(fact), BEFORE)


def test_an_unknown_predicate_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Fact.parse("near(red block, plate)")


@pytest.mark.parametrize(
    "text",
    [
        "hand_empty()",
        "held(red block)",
        "in(red block, blue bowl)",
        "moved(can, left)",
        "lit(button)",
    ],
)
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
        ("clear(red block)", _sure(0.8, 0.5), 0.8),
        ("room(red block)", _sure(0.8, 0.5), 0.8),
        ("reachable(red block)", _sure(0.8, 0.5), 0.4),
        ("loose(red block)", _sure(0.8, 0.5), 0.4),
        ("open(blue bowl)", BEFORE, 1.0),
        ("open(drawer)", BEFORE, 0.0),
        ("lit(button)", BEFORE, 0.0),
        ("toggled(button)", LIT, 0.0),
        ("moved(red block, left)", BEFORE, 0.0),
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


def _part(where: Scene, name: str, sure: float, presence: float = 1.0) -> Scene:
    """Return a scene that is not sure of a part, or of the whole thing."""
    thing = replace(where.objects[name], articulation_confidence=sure, presence=presence)
    return Scene(0.0, {**where.objects, name: thing})


@pytest.mark.parametrize(
    ("fact", "opening", "sure"),
    [
        ("open(drawer)", DRAWER_OPEN, 0.5),
        ("open(drawer)", DRAWER_OPEN + 0.01, 0.8413),
        ("open(drawer)", DRAWER_OPEN - 0.01, 0.8413),
        ("open(drawer)", 0.0, 1.0),
        ("closed(drawer)", DRAWER_CLOSED, 0.5),
        ("closed(drawer)", DRAWER_CLOSED - 0.01, 0.8413),
        ("closed(drawer)", DRAWER_TRAVEL, 1.0),
    ],
)
def test_how_far_a_drawer_is_out_is_uncertain(fact: str, opening: float, sure: float) -> None:
    where = scene("drawer", opening=opening)
    assert confidence(Fact.parse(fact), where) == pytest.approx(sure, abs=1e-3)
    doubted = _part(where, "drawer", 0.5, presence=0.5)
    assert confidence(Fact.parse(fact), doubted) == pytest.approx(sure / 4, abs=1e-3)


@pytest.mark.parametrize("fact", ["lit(button)", "unlit(button)"])
def test_a_lamp_is_as_sure_as_it_is_seen(fact: str) -> None:
    assert confidence(Fact.parse(fact), _part(LIT, "button", 0.6, presence=0.5)) == 0.3


def test_a_change_of_a_lamp_is_as_sure_as_both_looks() -> None:
    fact = Fact.parse("toggled(button)")
    assert confidence(fact, _part(LIT, "button", 0.9), _part(DARK, "button", 0.9)) == (
        pytest.approx(0.81)
    )
    assert confidence(fact, LIT, BEFORE) == 0.0
    assert not seen_to_hold(fact, _part(LIT, "button", 0.7), 0.8, DARK)
    assert seen_to_hold(fact, LIT, 0.8, DARK)
    assert not seen_to_hold(fact, LIT, 0.8)


@pytest.mark.parametrize(
    ("metres", "sure"), [(PUSH_LEAST, 0.5), (PUSH_LEAST + 0.01, 0.8413), (PUSH_DISTANCE, 1.0)]
)
def test_a_push_that_barely_counts_is_uncertain(metres: float, sure: float) -> None:
    fact, now = Fact.parse("moved(red block, back)"), _pushed("back", metres)
    assert confidence(fact, now, BEFORE) == pytest.approx(sure, abs=1e-3)
    assert confidence(fact, now, scene(G)) == 0.0
    assert confidence(fact, now) == 0.0


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
        (HELD, "on(red block, green block)"),
        (OUT, "in(red block, drawer)"),
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


@pytest.mark.parametrize(
    ("before", "effect", "changed"),
    [
        (SHUT, "open(drawer)", ["drawer"]),
        (AJAR, "open(drawer)", ["drawer"]),
        (OUT, "closed(drawer)", ["drawer"]),
        (SHOWN, "closed(drawer)", ["drawer", R]),
        (FULL_DRAWER, "closed(drawer)", ["drawer", R, G]),
        (DARK, "toggled(button)", ["button"]),
        (LIT, "toggled(button)", ["button"]),
        *[(BEFORE, f"moved(red block, {way})", [R]) for way in DIRECTIONS],
        *[(STACK, f"moved(can, {way})", ["can"]) for way in DIRECTIONS],
    ],
)
def test_an_effect_changes_what_it_is_about(before: Scene, effect: str, changed: list[str]) -> None:
    fact = Fact.parse(effect)
    then = after(before, fact)
    assert holds(fact, then, before)
    assert [n for n in before.objects if then.objects[n] is not before.objects[n]] == changed
    supports = {name: thing.support for name, thing in before.objects.items()}
    assert {name: thing.support for name, thing in then.objects.items()} == supports


def test_a_drawer_takes_with_it_what_lies_in_it() -> None:
    out = after(STOWED, Fact.parse("open(drawer)"))
    for name, way in (("drawer", DRAWER_TRAVEL), (R, DRAWER_TRAVEL), ("can", 0.0)):
        moved = out.objects[name].position - STOWED.objects[name].position
        assert moved == pytest.approx([way, 0, 0])
    assert holds(Fact.parse("reachable(red block)"), out)
    again = after(out, Fact.parse("closed(drawer)"))
    assert again.objects[R].position == pytest.approx(STOWED.objects[R].position)
    assert not holds(Fact.parse("reachable(red block)"), again)


def test_a_second_press_turns_the_lamp_off_again() -> None:
    once = after(DARK, Fact.parse("toggled(button)"))
    twice = after(once, Fact.parse("toggled(button)"))
    assert holds(Fact.parse("lit(button)"), once)
    assert holds(Fact.parse("unlit(button)"), twice)


def test_blocks_are_stacked_on_top_of_each_other() -> None:
    built = BEFORE
    for name, target in ((G, R), (B, G)):
        held = after(built, Fact(predicate="held", args=(name,)))
        built = after(held, Fact(predicate="on", args=(name, target)))
    heights = [built.objects[name].position[2] for name in (R, G, B)]
    assert heights == pytest.approx([0.02, 0.06, 0.10])
    for name in (G, B):
        assert built.objects[name].position[:2] == pytest.approx(built.objects[R].position[:2])
    assert not holds(Fact.parse("room(blue block)"), built)
    assert [n for n in (R, G, B) if holds(Fact(predicate="clear", args=(n,)), built)] == [B]


def _on(name: str, target: str) -> Subgoal:
    return subgoal("place_on", object=name, target=target)


def _push(way: str, name: str = R) -> Subgoal:
    return subgoal("push", object=name, direction=way)


OPEN, CLOSE = subgoal("open", object="drawer"), subgoal("close", object="drawer")
PRESS = subgoal("press", object="button")


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
        ((OPEN,), SHUT, ["open(drawer)"]),
        ((OPEN, CLOSE), SHUT, ["closed(drawer)"]),
        (
            (OPEN, PICK, subgoal("place_in", object=R, target="drawer"), CLOSE),
            SHUT,
            ["closed(drawer)", "in(red block, drawer)"],
        ),
        ((PICK, _on(R, G)), BEFORE, ["on(red block, green block)"]),
        ((PRESS,), DARK, ["lit(button)"]),
        ((PRESS,), LIT, ["unlit(button)"]),
        ((PRESS, PRESS), DARK, ["unlit(button)"]),
        ((PRESS, PRESS, PRESS), DARK, ["lit(button)"]),
        ((_push("left"),), BEFORE, ["moved(red block, left)"]),
        ((_push("left"), _push("left")), BEFORE, ["moved(red block, left)"]),
        ((_push("left"), _push("right")), BEFORE, []),
        ((_push("left"), _push("back")), BEFORE, []),
        ((_push("left"), _push("back"), PICK, PLACE), BEFORE, ["in(red block, blue bowl)"]),
        ((PICK, _on(R, "left zone"), _push("back")), BEFORE, []),
        ((_on(R, "left zone"), _push("back")), HELD, []),
        ((subgoal("release"), _push("back")), HELD, []),
        ((_push("left"), PICK), BEFORE, ["held(red block)"]),
        (
            (_push("left"), _push("back", G), _push("left", G)),
            BEFORE,
            ["moved(red block, left)"],
        ),
    ],
)
def test_expected(subgoals: tuple[Subgoal, ...], start: Scene, facts: list[str]) -> None:
    found = expected(Plan(command="", subgoals=subgoals), start, CONTRACTS)
    assert [str(fact) for fact in found] == facts
