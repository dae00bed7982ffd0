"""The states words speak of, as facts of a scene."""

from __future__ import annotations

from agent.facts import confidence, holds
from agent.spots import free_spot
from agent.types import HAND, TABLE, Fact, Scene
from agent.workspace import ZONES

_FACTS = {"open": "open", "closed": "closed", "lit": "lit", "unlit": "unlit"}


def state_fact(name: str, state: str) -> Fact | None:
    """Return the fact that says a state, None for one that is no fact."""
    if state not in _FACTS:
        return None
    return Fact.model_validate({"predicate": _FACTS[state], "args": (name,)})


def is_in_state(name: str, state: str, scene: Scene) -> bool:
    """Return whether a thing or the hand is in a state of the vocabulary; `not ` turns it round."""
    if state.startswith("not "):
        return not is_in_state(name, state.removeprefix("not "), scene)
    fact = state_fact(name, state)
    if fact is not None:
        return holds(fact, scene)
    if state == "full":
        return free_spot(name, scene) is None
    if name in (HAND, TABLE):
        return not scene.contents(name)
    if name in ZONES:
        inside = (holds(Fact(predicate="on", args=(o, name)), scene) for o in scene.objects)
        return not any(inside)
    return not scene.contents(name)


def sureness(name: str, state: str, scene: Scene) -> float:
    """Return the probability, 0..1, that the scene is right about a state."""
    fact = state_fact(name, state.removeprefix("not "))
    if fact is not None:
        return confidence(fact, scene)
    inside = [o.support_confidence for o in scene.contents(name)]
    return min(inside, default=1.0)
