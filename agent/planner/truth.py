"""Whether a condition on the scene is so, and what to ask when that is not certain."""

from __future__ import annotations

from dataclasses import replace

from agent.planner.conditions import Condition
from agent.planner.context import Context
from agent.planner.noun_phrase import NounPhrase, Quantity
from agent.planner.question import UnclearError
from agent.planner.states import is_in_state, sureness
from agent.types import HAND, TABLE
from agent.workspace import BUTTON, DRAWER, ZONES

_SPECIAL = {"hand": HAND, "table": TABLE}
_ARTICULATED = {"open": DRAWER, "closed": DRAWER, "lit": BUTTON, "unlit": BUTTON}


def is_true(condition: Condition, context: Context) -> bool:
    """Return whether a condition holds in the imagined scene.

    Raises:
        UnclearError: What it is about is not clear, or the scene is not sure enough.
    """
    parts = (replace(condition, also=()), *condition.also)
    truths = [_single(part, context) for part in parts]
    return any(truths) if condition.either else all(truths)


def _single(condition: Condition, context: Context) -> bool:
    subject = condition.subject
    for related in (*subject.relations, *condition.relations):
        for anchor in related.anchors:
            if len(names := context.resolver.anchors(anchor)) == 1:
                context.resolver.discourse.mention(names)
    if subject.kind in _SPECIAL:
        return is_in_state(_SPECIAL[subject.kind], condition.state, context.scene) is not (
            condition.negated
        )
    # "There is a red block in the bowl" and "a red block is in the bowl" count what is so.
    counting = subject.quantity is not Quantity.DEFINITE or not (
        condition.state or condition.relations
    )
    if counting:
        return _counted(condition, context) is not condition.negated
    names = context.resolver.find(subject, _kinds(condition, context), "tell about")
    context.resolver.discourse.mention(names)
    so = [n for n in names if _fits(n, condition, context)]
    return (len(so) == len(names)) is not condition.negated


def _counted(condition: Condition, context: Context) -> bool:
    """Return whether as many things are as said as the quantity asks for."""
    subject = condition.subject
    kinds = _kinds(condition, context)
    bare = replace(subject, exceptions=())
    every = context.resolver.matches(bare, kinds)
    if subject.exceptions:
        left_out = {n for e in subject.exceptions for n in context.resolver.matches(e, kinds)}
        every = [n for n in every if n not in left_out]
    so = [n for n in every if _fits(n, condition, context)]
    if so:
        context.resolver.discourse.mention(so)
    if subject.quantity is Quantity.NONE:
        return not so
    if subject.quantity is Quantity.ALL and (condition.state or condition.relations):
        return bool(every) and len(so) == len(every)
    if subject.count is not None and subject.quantity is Quantity.DEFINITE and subject.count > 1:
        return len(so) == subject.count
    return len(so) >= (subject.count or 1)


def _kinds(condition: Condition, context: Context) -> frozenset[str]:
    """Return the kinds a condition can be about."""
    if condition.state in _ARTICULATED:
        return frozenset({_ARTICULATED[condition.state]})
    every = frozenset(o.kind for o in context.scene.objects.values())
    if condition.relations or not condition.state:
        things = every & (context.movable | {"bowl", "plate", BUTTON, DRAWER})
        plain = not condition.subject.kind and not condition.subject.words
        return context.movable if plain else things
    return every | {"zone"}


def _fits(name: str, condition: Condition, context: Context) -> bool:
    """Return whether a condition holds of one thing, if that is certain.

    Raises:
        UnclearError: It is not certain.
    """
    _check_certain(name, condition, context)
    if condition.state and not is_in_state(name, condition.state, context.scene):
        return False
    bare = NounPhrase(tuple(name.split()), "", relations=condition.relations)
    if not condition.relations:
        return True
    kind = frozenset({context.resolver.kind(name)})
    if name in ZONES:
        return False
    words = tuple(w for w in name.split() if w != context.resolver.kind(name))
    bare = replace(bare, words=words, kind=context.resolver.kind(name))
    return name in context.resolver.matches(bare, kind)


def _check_certain(name: str, condition: Condition, context: Context) -> None:
    thing = context.scene.objects.get(name)
    if thing is None:
        return
    related = (*condition.relations, *condition.subject.relations)
    if condition.state:
        sure = sureness(name, condition.state, context.scene)
    else:
        sure = thing.support_confidence if related else thing.presence
    if sure < context.certainty:
        said = condition.state or " and ".join(r.text for r in related) or "there"
        raise UnclearError(f"I am not sure whether the {name} is {said}. Should I act as if so?")
