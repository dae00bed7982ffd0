"""Which skill calls a scene allows, and the choice of one so that all skills get their share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from agent.facts import holds
from agent.types import TABLE, Scene, SceneObject, SkillContract
from agent.workspace import BLOCK, CAN, DIRECTIONS, DRAWER, ZONES, half_height, kind_of
from skills.clearance import hand_fits, pull_is_free, way_is_free
from skills.phrases import calls
from skills.registry import load_contracts

_SHARES = {
    "pick": 2.2,
    "place_in": 1.6,
    "place_on": 3.0,
    "push": 1.6,
    "open": 0.8,
    "close": 0.8,
    "press": 0.8,
}
"""How often each skill should come, relative to the others."""
_TOWER = "tower"
"""The kind of target that is a block on another one."""
_SUB_SHARES = {BLOCK: 2.0, _TOWER: 4.0, DRAWER: 2.0}
"""How often each kind of target should come, relative to the others of its skill; 1 by default."""
_BESIDE_A_CAN = " with a can"
"""What is added to a kind of target that holds a can, beside which there is little room."""
_ALWAYS = (*ZONES, *DIRECTIONS)
_STEADY_M = 0.011
"""How far off the middle of what is below it a block may be to be built upon."""
_UPRIGHT_M = 0.005
_REACH_LOW, _REACH_HIGH = np.array([0.26, -0.40, 0.0]), np.array([0.78, 0.40, 0.30])
"""(3,) m: the box in which things can be reached."""


@dataclass(frozen=True, slots=True)
class Task:
    """A skill call.

    Attributes:
        skill: Its name.
        args: Argument name -> object, target or direction.
    """

    skill: str
    args: Mapping[str, str]


def possible(scene: Scene) -> list[Task]:
    """Return every call of a learned skill that a scene allows, in the order of `calls`.

    The contract's preconditions hold, and it makes sense physically: what is named is where the
    arm can work and stands upright, the hand has room beside it, what is pushed or pulled has a
    free way, a tower is steady, and no drawer is opened or shut that is so already.
    """
    return [
        Task(skill, args)
        for skill, args in _calls()
        if _there(scene, args) and _allowed(skill, args, scene) and _sensible(skill, args, scene)
    ]


def choose(
    tasks: Sequence[Task],
    rng: np.random.Generator,
    scene: Scene,
    counts: Counter[str] | None = None,
) -> Task:
    """Draw one task so that, over many draws, every skill gets its share.

    First the skill is drawn, then the kind of its target (a push's direction, or what a pick takes
    the thing from), then the call. What has come up seldom is more likely.

    Args:
        tasks: At least one.
        rng: The source of chance.
        scene: The one the tasks are possible in.
        counts: How often each skill and each `skill/kind` came up; the choice is added to it.
    """
    counts = Counter() if counts is None else counts
    by_skill: dict[str, dict[str, list[Task]]] = {}
    for task in tasks:
        by_skill.setdefault(task.skill, {}).setdefault(_sort(task, scene), []).append(task)
    skill = _draw({s: _SHARES[s] / (1 + counts[s]) for s in by_skill}, rng)
    kinds = {
        kind: _SUB_SHARES.get(kind, 1.0) / (1 + counts[f"{skill}/{kind}"])
        for kind in by_skill[skill]
    }
    kind = _draw(kinds, rng)
    counts[skill] += 1
    counts[f"{skill}/{kind}"] += 1
    alike = by_skill[skill][kind]
    return alike[int(rng.integers(len(alike)))]


def _draw(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw a key; weights count squared, so that what lags behind catches up."""
    squared = np.array(list(weights.values())) ** 2
    return list(weights)[int(rng.choice(len(squared), p=squared / squared.sum()))]


def _sort(task: Task, scene: Scene) -> str:
    """Return what kind of call of its skill a task is."""
    match task.skill:
        case "pick":
            support = scene.objects[task.args["object"]].support
            return kind_of(support) or support
        case "push":
            return task.args["direction"]
        case "place_in" | "place_on":
            target = task.args["target"]
            if kind_of(target) == BLOCK and kind_of(scene.objects[target].support) == BLOCK:
                return _TOWER
            beside = CAN in (thing.kind for thing in scene.contents(target))
            return f"{kind_of(target)}{_BESIDE_A_CAN if beside else ''}"
    return ""


@lru_cache(maxsize=1)
def _contracts() -> dict[str, SkillContract]:
    return load_contracts()


@lru_cache(maxsize=1)
def _calls() -> tuple[tuple[str, dict[str, str]], ...]:
    return tuple(calls())


def _there(scene: Scene, args: Mapping[str, str]) -> bool:
    """Return whether everything named is in the scene; zones and directions always are."""
    return all(name in scene.objects or name in _ALWAYS for name in args.values())


def _allowed(skill: str, args: Mapping[str, str], scene: Scene) -> bool:
    """Return whether the contract's preconditions hold."""
    facts = _contracts()[skill].facts("preconditions", args)
    return all(holds(fact, scene) for fact in facts)


def _sensible(skill: str, args: Mapping[str, str], scene: Scene) -> bool:
    """Return whether a call whose preconditions hold can be carried out and changes something."""
    thing = scene.objects[args["object"]]
    match skill:
        case "pick":
            return _upright(thing, scene) and hand_fits(thing, scene)
        case "push":
            way = np.array(DIRECTIONS[args["direction"]])
            return _upright(thing, scene) and way_is_free(thing, way, scene)
        case "place_in" | "place_on":
            carrier = scene.objects.get(args["target"])
            return carrier is None or carrier.kind != BLOCK or _steady(carrier, scene)
        case "open" | "close":
            done = _contracts()[skill].facts("done", args)
            free = skill == "close" or pull_is_free(thing, scene)
            return free and not all(holds(fact, scene) for fact in done)
    return True


def _upright(thing: SceneObject, scene: Scene) -> bool:
    """Return whether a thing is where the arm can work and, on the table, stands as it should."""
    inside = bool((thing.position >= _REACH_LOW).all() and (thing.position <= _REACH_HIGH).all())
    tilted = abs(thing.position[2] - half_height(thing.kind)) > _UPRIGHT_M
    return inside and not (thing.support == TABLE and tilted)


def _steady(block: SceneObject, scene: Scene) -> bool:
    """Return whether a block can be built upon: each stands well on what is below it."""
    below = scene.objects.get(block.support)
    if below is None or below.kind != BLOCK:
        return below is not None or _upright(block, scene)
    aside = float(np.linalg.norm(block.position[:2] - below.position[:2]))
    return aside < _STEADY_M and _steady(below, scene)
