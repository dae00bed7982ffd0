"""Whether what came of a mission is what its file expects; every miss is one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.facts import holds, whereabouts
from agent.script.schema import Bounds, Expectations, Reasons, Steps
from agent.script.trace import Trace
from agent.script.vocabulary import Call, Claim, parse_call, parse_claim, spelled
from agent.types import HAND, MissionOutcome, Scene, Subgoal
from agent.workspace import DIRECTIONS, ZONES
from skills.evaluate.scoring import achieved

_COUNTS = ("replans", "attempts", "seconds", "wall_s", "ticks", "tokens")
_NAMES = {"wall_s": "seconds of wall-clock time", "seconds": "seconds of robot time"}


def judge(expect: Expectations, trace: Trace) -> list[str]:
    """Return a sentence for each expectation that is missed; none where all are met."""
    return [
        *_outcome(expect, trace),
        *_claims(expect.world, trace.world, "In the world", _true_of),
        *_claims(expect.believes, trace.believed, "In the robot's scene", _believed_of),
        *_agrees(expect, trace),
        *_asked(expect.asks, trace.asked),
        *_steps(expect.plan, trace.plan, "The plan"),
        *_steps(expect.runs, trace.runs, "What was run"),
        *_reasons(expect.reasons, trace),
        *(
            sentence
            for name in _COUNTS
            for sentence in _count(getattr(expect, name), getattr(trace, name), _name(name))
        ),
    ]


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def _outcome(expect: Expectations, trace: Trace) -> Iterator[str]:
    outcomes = (
        (expect.outcome,) if isinstance(expect.outcome, MissionOutcome) else expect.outcome or ()
    )
    if outcomes and trace.outcome not in outcomes:
        wanted = " or ".join(outcomes)
        why = f": {trace.question}" if trace.question else "."
        yield f"The outcome should be {wanted}, but it is {trace.outcome.value}{why}"
    if expect.question is not None and not re.search(expect.question, trace.question or ""):
        found = f"it is {trace.question!r}" if trace.question else "there is none"
        yield f"The question at the end should match {expect.question!r}, but {found}."


def _agrees(expect: Expectations, trace: Trace) -> Iterator[str]:
    if expect.agrees is None or expect.agrees is trace.agrees:
        return
    if trace.agrees is None:
        yield "The world should agree or not, but the plan has no goal that it could tell."
    else:
        wanted = "agree" if expect.agrees else "disagree"
        yield (
            f"Robot and world should {wanted}, but the robot says {trace.outcome.value} and the "
            f"world {'agrees' if trace.agrees else 'does not agree'}."
        )


def _asked(patterns: Sequence[str], asked: Sequence[str]) -> Iterator[str]:
    for index, pattern in enumerate(patterns):
        found = asked[index] if index < len(asked) else None
        if found is None or not re.search(pattern, found):
            told = "none was answered" if found is None else f"it is {found!r}"
            yield f"Question {index + 1} should match {pattern!r}, but {told}."
    if patterns and len(asked) > len(patterns):
        yield (
            f"Questions answered should be {len(patterns)}, but there are {len(asked)}, the next "
            f"being {asked[len(patterns)]!r}."
        )


def _claims(
    texts: Sequence[str],
    scenes: tuple[Scene, Scene],
    where: str,
    of: Callable[[Claim, Scene, Scene], bool],
) -> Iterator[str]:
    before, scene = scenes
    for claim in map(parse_claim, texts):
        if not of(claim, scene, before):
            yield f"{where} {claim} should be so, but {_found(claim, scene, before)}."


@dataclass(frozen=True, slots=True)
class _Still:
    """A world that is over."""

    scene: Scene

    def truth(self) -> Scene:
        return self.scene


def _true_of(claim: Claim, scene: Scene, before: Scene) -> bool:
    """Return whether a claim is true of the world; none is of a thing that it does not have."""
    if any(name not in scene.objects for name in _things(claim)):
        return False
    return achieved(_Still(scene), [claim.fact], before) is claim.holds


def _believed_of(claim: Claim, scene: Scene, before: Scene) -> bool:
    return holds(claim.fact, scene, before) is claim.holds


def _things(claim: Claim) -> list[str]:
    return [name for name in claim.fact.args if name not in ZONES and name not in DIRECTIONS]


def _found(claim: Claim, scene: Scene, before: Scene) -> str:
    """Return what is there instead."""
    fact = claim.fact
    if missing := [name for name in _things(claim) if name not in scene.objects]:
        return f"there is no {missing[0]}"
    if fact.predicate == "hand_empty":
        return f"the hand holds {_the(scene.held.name)}" if scene.held else "the hand is empty"
    name = fact.args[0]
    if name in ZONES:
        return "there is room" if claim.holds is False else "there is no room"
    thing = scene.objects[name]
    match fact.predicate:
        case "open" | "closed":
            return f"{_the(name)} is {100 * (thing.articulation or 0.0):.1f} cm out"
        case "lit" | "unlit" | "toggled":
            was = before.objects.get(name)
            changed = f", as it was {_lamp(was.articulation)}" if was else ""
            return f"its lamp is {_lamp(thing.articulation)}{changed}"
        case "room" | "clear":
            carried = [_the(o.name) for o in scene.contents(name)]
            return f"it carries {' and '.join(carried) or 'nothing'}"
    if thing.support == HAND:
        return f"{_the(name)} is in the hand"
    x, y = 100 * thing.position[:2]
    return f"{_the(name)} is {whereabouts(name, scene)}, at x {x:.1f} cm and y {y:.1f} cm"


def _lamp(articulation: float | None) -> str:
    return "on" if articulation else "off"


def _the(name: str) -> str:
    return f"the {name}"


def _steps(expect: Steps | None, subgoals: Sequence[Subgoal], what: str) -> Iterator[str]:
    if expect is None:
        return
    found = ", ".join(map(spelled, subgoals)) or "nothing"
    if expect.exactly is not None:
        calls = [parse_call(text) for text in expect.exactly]
        same = len(calls) == len(subgoals) and all(map(_is, calls, subgoals))
        if not same:
            wanted = ", ".join(map(str, calls)) or "nothing"
            yield f"{what} should be {wanted}, but it is {found}."
    left = iter(subgoals)
    for call in map(parse_call, expect.contains):
        if not any(_is(call, subgoal) for subgoal in left):
            order = ", ".join(expect.contains)
            yield f"{what} should have, in this order, {order}, but {call} is missing in {found}."
            break
    for call in map(parse_call, expect.excludes):
        if any(_is(call, subgoal) for subgoal in subgoals):
            yield f"{what} should not have {call}, but it is {found}."
    yield from _count(expect.count, len(subgoals), f"subgoals in {what.lower()}")


def _is(call: Call, subgoal: Subgoal) -> bool:
    return call.fits(subgoal.skill, subgoal.args)


def _reasons(expect: Reasons | None, trace: Trace) -> Iterator[str]:
    if expect is None:
        return
    found = ", ".join(dict.fromkeys(trace.reasons)) or "none"
    for reason in expect.seen:
        if reason not in trace.reasons:
            yield f"Some verdict should be for {reason.value}, but the reasons are {found}."
    for reason in expect.never:
        if reason in trace.reasons:
            yield f"No verdict should be for {reason.value}, but the reasons are {found}."


def _count(bounds: Bounds | float | None, found: float, what: str) -> Iterator[str]:
    if bounds is None:
        return
    if not isinstance(bounds, Bounds):
        bounds = Bounds(min=bounds, max=bounds)
    low, high = bounds.min, bounds.max
    if (low is not None and found < low) or (high is not None and found > high):
        if low == high:
            wanted = f"{low:g}"
        elif high is None:
            wanted = f"at least {low:g}"
        else:
            wanted = f"at most {high:g}" if low is None else f"between {low:g} and {high:g}"
        yield f"There should be {wanted} {what}, but there are {round(found, 2):g}."
