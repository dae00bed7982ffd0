"""What one look tells of each thing, held against the truth, and the figures of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.facts import confidence, holds
from agent.types import Fact, Predicate, Scene, SceneObject
from agent.workspace import BUTTON, DRAWER, MOVABLE, OBJECTS
from skills.dataset import in_sight
from skills.evaluate.report import Row

BINS = 10
_STATES: dict[str, tuple[Predicate, ...]] = {DRAWER: ("open", "closed"), BUTTON: ("lit", "unlit")}


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One named thing in one look.

    Attributes:
        seed: Of the scene.
        true: What is really there, None where the thing is not.
        said: What the estimator says of it, None where it says nothing.
        detected: Whether the estimator says that it is there.
    """

    seed: int
    name: str
    true: SceneObject | None
    said: SceneObject | None
    detected: bool

    @property
    def stated(self) -> float:
        """Probability 0..1 that the estimator gives to the thing's being there."""
        return self.said.presence if self.said else 0.0

    @property
    def found(self) -> tuple[SceneObject, SceneObject] | None:
        """What is true and what is said of a thing that is there and was seen."""
        return (self.true, self.said) if self.true and self.said and self.detected else None


def compare(seed: int, truth: Scene, said: Scene, threshold: float) -> list[Look]:
    """Hold a scene against the truth; what no camera can see counts neither for nor against.

    Args:
        seed: Of the scene.
        truth: The world's own.
        said: The estimator's.
        threshold: Probability 0..1 from which a thing counts as seen.
    """
    seen = in_sight(truth).objects
    looks = []
    for name in OBJECTS:
        if name in seen or name not in truth.objects:
            thing = said.objects.get(name)
            detected = thing is not None and thing.presence >= threshold
            looks.append(Look(seed, name, seen.get(name), thing, detected))
    return looks


def presence(looks: Sequence[Look]) -> dict[str, Any]:
    """Return precision, recall and F1 of saying that a thing is there, 0..1."""
    right = sum(look.detected and look.true is not None for look in looks)
    said = sum(look.detected for look in looks)
    there = sum(look.true is not None for look in looks)
    return {
        "presence_precision": right / said if said else 0.0,
        "presence_recall": right / there if there else 0.0,
        "presence_f1": 2 * right / (said + there) if said + there else 0.0,
    }


def position_errors(looks: Iterable[Look], kind: str | None = None) -> list[float]:
    """Return how far things of a kind, or all, are from where they are said to be, mm."""
    return [
        1000 * float(np.linalg.norm(true.position - said.position))
        for look in looks
        if (pair := look.found) and kind in (None, pair[0].kind)
        for true, said in [pair]
    ]


def opening_errors(looks: Iterable[Look]) -> list[float]:
    """Return how wrong the openings of drawers are, mm."""
    return [
        1000 * abs((true.articulation or 0.0) - (said.articulation or 0.0))
        for look in looks
        if (pair := look.found) and pair[0].kind == DRAWER
        for true, said in [pair]
    ]


def spread(errors: Sequence[float], name: str) -> dict[str, Any]:
    """Return the median and the 95th percentile under names with the unit, mm; None of nothing."""
    return {
        f"{name}_mm_median": float(np.median(errors)) if errors else None,
        f"{name}_mm_p95": float(np.percentile(errors, 95)) if errors else None,
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing said with a confidence.

    Attributes:
        seed: Of the scene.
        about: What was asked: the thing, and how it truly is.
        stated: Probability 0..1 that the estimator gives to being right.
        right: Whether it was.
    """

    seed: int
    about: str
    stated: float
    right: bool


def presence_answers(looks: Iterable[Look]) -> list[Answer]:
    """Return for each thing whether it was rightly said to be there or not."""
    return [
        Answer(
            look.seed,
            f"{look.name} {'there' if look.true else 'absent'}",
            max(look.stated, 1 - look.stated),
            look.detected == (look.true is not None),
        )
        for look in looks
    ]


def support_answers(looks: Iterable[Look]) -> list[Answer]:
    """Return for each thing that can be moved whether it was rightly said what carries it."""
    return [
        Answer(
            look.seed,
            f"{true.name} on {true.support}",
            said.support_confidence,
            true.support == said.support,
        )
        for look in looks
        if (pair := look.found) and pair[0].kind in MOVABLE
        for true, said in [pair]
    ]


def state_answers(looks: Iterable[Look], kind: str) -> list[Answer]:
    """Return for each drawer or button whether it was rightly said how its part stands.

    A drawer that is neither open nor closed is not asked about.
    """
    answers = []
    for look in looks:
        if (pair := look.found) is None or pair[0].kind != kind:
            continue
        truth, said = (Scene(0.0, {look.name: thing}) for thing in pair)
        for predicate in _STATES[kind]:
            fact = Fact(predicate=predicate, args=(look.name,))
            if holds(fact, truth):
                answers.append(
                    Answer(
                        look.seed,
                        f"{look.name} {predicate}",
                        confidence(fact, said),
                        holds(fact, said),
                    )
                )
    return answers


def answers_row(name: str, answers: Sequence[Answer]) -> Row:
    """Return a row of right answers, with the wrong ones."""
    wrong = [answer for answer in answers if not answer.right]
    listed = [{"seed": a.seed, "about": a.about, "stated": a.stated} for a in wrong]
    return Row(name, len(answers), len(answers) - len(wrong), {"failed": listed})


def reliability(answers: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Return how stated probabilities compare with what is so, in ten bins of them.

    Args:
        answers: Stated probability 0..1, and whether it was so.

    Returns:
        `bins`, each with `low`, `high`, how many answers (`count`), their mean `stated` probability
        and the share that was so (`observed`), both None in an empty bin; and `calibration_error`,
        the mean gap between the two over all answers (Guo et al. 2017, arXiv 1706.04599).
    """
    stated = np.array([probability for probability, _ in answers], dtype=float)
    so = np.array([was for _, was in answers], dtype=float)
    place = np.minimum((stated * BINS).astype(int), BINS - 1)
    bins, error = [], 0.0
    for index in range(BINS):
        inside = place == index
        count = int(inside.sum())
        means = (float(stated[inside].mean()), float(so[inside].mean())) if count else None
        if means:
            error += count / len(answers) * abs(means[0] - means[1])
        bins.append(
            {
                "low": index / BINS,
                "high": (index + 1) / BINS,
                "count": count,
                "stated": means[0] if means else None,
                "observed": means[1] if means else None,
            }
        )
    return {"bins": bins, "calibration_error": error}
