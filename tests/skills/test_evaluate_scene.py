"""The figures of a scene estimate: what counts, what does not, and what confidence is worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.errors import UsageError
from agent.types import HAND, TABLE, Observation, Scene, SceneObject
from agent.workspace import BUTTON, DRAWER, OBJECTS
from skills.evaluate.looks import (
    Look,
    compare,
    opening_errors,
    position_errors,
    presence,
    presence_answers,
    reliability,
    state_answers,
    support_answers,
)
from skills.evaluate.plot import plot_reliability
from skills.evaluate.scene import SceneBench, evaluate_scene

RED, GREEN, BLUE, CAN = "red block", "green block", "blue block", "can"


def thing(
    name: str, x: float = 0.5, support: str = TABLE, part: float | None = None
) -> SceneObject:
    return SceneObject(
        name, OBJECTS[name], np.array([x, 0.0, 0.02]), support=support, articulation=part
    )


def scene(*things: SceneObject) -> Scene:
    return Scene(0.0, {each.name: each for each in things})


TRUTH = scene(
    thing(RED),
    thing(GREEN, support=RED),
    thing(BLUE, support="drawer"),
    thing("drawer", part=0.0),
    thing("button", part=1.0),
)


def looks(*said: SceneObject) -> list[Look]:
    """Return how the truth compares with it and these changes."""
    told = scene(*({**TRUTH.objects, **{each.name: each for each in said}}).values())
    return compare(7, TRUTH, told, 0.5)


def test_a_perfect_estimate() -> None:
    """Everything is 1, and every error 0."""
    found = looks()
    assert set(presence(found).values()) == {1.0}
    assert set(position_errors(found)) == {0.0}
    assert opening_errors(found) == [0.0]
    for answers in (
        presence_answers(found),
        support_answers(found),
        state_answers(found, DRAWER),
        state_answers(found, BUTTON),
    ):
        assert answers
        assert all(answer.right for answer in answers)


def test_what_is_hidden_counts_neither_way() -> None:
    """The blue block lies in the shut drawer: seen or not, right or wrong, nothing changes."""
    absent = looks(replace(thing(BLUE), presence=0.0))
    wrong = looks(thing(BLUE, x=9.0, support="plate"))
    for found in (absent, wrong):
        assert BLUE not in {look.name for look in found}
        assert set(presence(found).values()) == {1.0}
        assert set(position_errors(found)) == {0.0}


def test_missed_and_invented_things() -> None:
    """Recall falls with what is missed, precision with what is invented."""
    missed = presence(looks(replace(thing(RED), presence=0.4)))
    assert missed == pytest.approx(
        {"presence_precision": 1.0, "presence_recall": 3 / 4, "presence_f1": 6 / 7}
    )
    invented = presence(looks(thing(CAN)))
    assert invented == pytest.approx(
        {"presence_precision": 4 / 5, "presence_recall": 1.0, "presence_f1": 8 / 9}
    )
    # What is missed has no position that could be wrong.
    assert len(position_errors(looks(replace(thing(RED, x=2.0), presence=0.4)))) == 3


def test_errors_are_in_millimetres() -> None:
    """Of position and of the drawer's opening, by kind."""
    found = looks(thing(RED, x=0.51), thing("drawer", part=0.012))
    assert max(position_errors(found)) == pytest.approx(10)
    assert max(position_errors(found, "button")) == 0
    assert opening_errors(found) == pytest.approx([12])
    assert all(answer.right for answer in state_answers(found, DRAWER))


def test_wrong_relations_and_states() -> None:
    """Each is one wrong answer, which says about what."""
    found = looks(
        replace(thing(GREEN, support=HAND), support_confidence=0.6),
        replace(thing("button", part=0.0), articulation_confidence=0.7),
        thing("drawer", part=0.09),
    )
    (support,) = [a for a in support_answers(found) if not a.right]
    assert (support.about, support.stated, support.seed) == ("green block on red block", 0.6, 7)
    (lamp,) = state_answers(found, BUTTON)
    assert (lamp.right, lamp.stated, lamp.about) == (False, 0.7, "button lit")
    (drawer,) = state_answers(found, DRAWER)
    assert (drawer.right, drawer.about) == (False, "drawer closed")


def test_a_drawer_in_between_is_not_asked_about() -> None:
    """It is neither open nor closed; its opening still counts."""
    half = scene(thing("drawer", part=0.05))
    found = compare(0, half, scene(thing("drawer", part=0.1)), 0.5)
    assert state_answers(found, DRAWER) == []
    assert opening_errors(found) == pytest.approx([50])


def test_reliability_bins() -> None:
    """Confidence that means what it says has no error; overconfidence has its gap."""
    honest = reliability([(0.75, i < 3) for i in range(4)] + [(0.25, i < 1) for i in range(4)])
    assert honest["calibration_error"] == pytest.approx(0.0)
    assert [cell["count"] for cell in honest["bins"]] == [0, 0, 4, 0, 0, 0, 0, 4, 0, 0]
    assert honest["bins"][7] == {
        "low": 0.7,
        "high": 0.8,
        "count": 4,
        "stated": 0.75,
        "observed": 0.75,
    }
    proud = reliability([(1.0, i % 2 == 0) for i in range(10)])
    assert proud["calibration_error"] == pytest.approx(0.5)
    assert proud["bins"][9]["count"] == 10
    assert reliability([])["calibration_error"] == 0.0


def test_plot_is_a_picture(tmp_path: Path) -> None:
    """One panel per table, with bars as high as what was observed."""
    tables = {
        "presence": reliability([(0.95, True)] * 9 + [(0.95, False)]),
        "support": reliability([]),
    }
    plot_reliability(tmp_path / "plot.png", tables)
    with Image.open(tmp_path / "plot.png") as image:
        assert image.width > 1.5 * image.height
        assert len(image.convert("RGB").getcolors() or ()) > 3
    with pytest.raises(UsageError, match="nowhere"):
        plot_reliability(tmp_path / "nowhere" / "plot.png", tables)


class Blind:
    """Says the same of every scene."""

    def reset(self) -> None:
        """Nothing is remembered."""

    def estimate(self, observation: Observation) -> Scene:
        return Scene(
            observation.time_s,
            {name: replace(thing(name, part=0.0), presence=0.9) for name in OBJECTS},
        )


def test_scenes_hold_all_there_is_to_see() -> None:
    """Things in and on things and in the hand, drawers and lamps both ways, with the arm home."""
    bench = SceneBench(Blind, 0.5)
    try:
        found = [look for seed in range(2_000_000, 2_000_040) for look in bench(seed)]
        again = [look for look in bench(2_000_007)]
    finally:
        bench.close()
    true = [look.true for look in found if look.true]
    kinds = {OBJECTS.get(each.support, each.support) for each in true}
    assert {TABLE, HAND, "bowl", "plate", "block", "drawer"} <= kinds
    assert 0.05 < np.mean([each.support == HAND for each in true if each.kind == "block"]) < 0.3
    openings = [each.articulation or 0.0 for each in true if each.kind == DRAWER]
    assert min(openings) < 0.015
    assert max(openings) > 0.075
    assert {each.articulation for each in true if each.kind == BUTTON} == {0.0, 1.0}
    first = [look for look in found if look.seed == 2_000_007]
    assert [look.name for look in again] == [look.name for look in first]
    assert position_errors(again) == position_errors(first)


def test_report_does_not_depend_on_workers(tmp_path: Path) -> None:
    """The keys that are promised, and the same figures from one process and from two."""
    plot = tmp_path / "plot.png"
    one, two = (
        evaluate_scene(Blind, 4, 2_000_000, workers, plot=plot if workers == 1 else None)
        for workers in (1, 2)
    )
    assert one == two
    assert plot.exists()
    assert [row["name"] for row in one["rows"]] == ["presence", "support", "drawer", "lamp"]
    assert {
        "suite", "seed_base", "mean", "scenes", "presence_precision", "presence_recall",
        "presence_f1", "position_mm_median", "position_mm_p95", "opening_mm_median",
        "opening_mm_p95", "position_by_kind", "reliability",
    } <= set(one)  # fmt: skip
    assert one["presence_recall"] == 1.0
    assert set(one["reliability"]) == {"presence", "support", "state"}
