"""Corrections drawn from a seed: a command, what is said of it later, and what must then hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent.facts import after, holds
from agent.spots import free_spot
from agent.types import Fact, Scene
from agent.workspace import BLOCK, BOWL, PLATE, kind_of
from skills.evaluate.commands import draw_command, initial_scene

_SCENES = 100
"""Scenes looked at for each correction."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A command and what is said of it later.

    Attributes:
        seed: Of the scene.
        kind: Of the correction.
        command: What is asked for first.
        said: What is said then.
        plainly: What is said if the robot asks what that means.
        old: The facts that the command alone asks for.
        goals: The facts that must hold in the end.
    """

    seed: int
    kind: str
    command: str
    said: str
    plainly: str
    old: tuple[Fact, ...]
    goals: tuple[Fact, ...]


def draw_correction(seed: int, number: int) -> Correction | None:
    """Draw a correction, the kinds in turn, in a scene; None where that has no room for it."""
    command = draw_command(seed, 1)
    if command is None:
        return None
    rng = np.random.default_rng([seed, 41])
    scene = initial_scene(seed)
    thing, place = command.goals[0].args
    kind, draw_kind = list(_KINDS.items())[number % len(_KINDS)]
    drawn = draw_kind(scene, thing, place, rng)
    if drawn is None:
        return None
    said, goals = drawn
    (goal,) = goals
    return Correction(
        seed=seed,
        kind=kind,
        command=command.text,
        said=said,
        plainly=f"no put the {goal.args[0]} {goal.predicate} the {goal.args[1]}",
        old=command.goals,
        goals=goals,
    )


def find_corrections(count: int, seed_base: int) -> Iterator[Correction]:
    """Yield so many, the kinds in turn, each in another scene."""
    number = 0
    for seed in range(seed_base, seed_base + _SCENES * count):
        if number == count:
            return
        if (correction := draw_correction(seed, number)) is not None:
            number += 1
            yield correction


Drawn = tuple[str, tuple[Fact, ...]]


def _other_thing(
    says: str, scene: Scene, thing: str, place: str, rng: np.random.Generator
) -> Drawn | None:
    """Have another block put where the first one was to go."""
    filled = after(scene, _goal(thing, place))
    free = [
        name
        for name, there in scene.objects.items()
        if there.kind == BLOCK and name != thing and _can_go(scene, filled, name, place)
    ]
    if not free or kind_of(thing) != BLOCK:
        return None
    other = str(rng.choice(free))
    colours = {"old": thing.split()[0], "new": other.split()[0]}
    return says.format(**colours), (_goal(other, place),)


def _other_place(
    says: str, kinds: Sequence[str], scene: Scene, thing: str, place: str, rng: np.random.Generator
) -> Drawn | None:
    """Have the same block put somewhere else."""
    free = [
        name
        for name, there in scene.objects.items()
        if there.kind in kinds and name != place and _can_go(scene, scene, thing, name)
    ]
    if not free or kind_of(thing) != BLOCK:
        return None
    other = str(rng.choice(free))
    onto = "in" if kind_of(other) == BOWL else "on"
    return says.format(place=other, onto=onto), (_goal(thing, other),)


def _other_bowl(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    if kind_of(place) != BOWL:
        return None
    return _other_place("i mean the {place}", (BOWL,), scene, thing, place, rng)


def _side(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    sides = [s for s in ("left", "right") if _can_go(scene, scene, thing, f"{s} zone")]
    if not sides or place.endswith("zone"):
        return None
    side = str(rng.choice(sides))
    return f"actually the {side} side", (_goal(thing, f"{side} zone"),)


def _both(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    """Have another block put somewhere else, in a whole sentence."""
    others = [name for name, there in scene.objects.items() if there.kind == BLOCK]
    for other in map(str, rng.permutation([name for name in others if name != thing])):
        if (
            _free(scene, other)
            and (
                drawn := _other_place("{onto} the {place}", (BOWL, PLATE), scene, other, place, rng)
            )
            and free_spot(drawn[1][0].args[1], scene, other) is not None
        ):
            return f"no put the {other} {drawn[0]}", drawn[1]
    return None


_KINDS: dict[str, Callable[[Scene, str, str, np.random.Generator], Drawn | None]] = {
    "no, the green one": lambda *of: _other_thing("no the {new} one", *of),
    "put it on the plate instead": lambda *of: _other_place(
        "put it {onto} the {place} instead", (BOWL, PLATE), *of
    ),
    "I mean the green block": lambda *of: _other_thing("i mean the {new} block", *of),
    "I mean the blue bowl": _other_bowl,
    "not the red one, the green one": lambda *of: _other_thing(
        "not the {old} one the {new} one", *of
    ),
    "actually the left side": _side,
    "no, put the green block on the plate": _both,
    "no, in the white bowl": lambda *of: _other_place("no {onto} the {place}", (BOWL, PLATE), *of),
}
"""What a correction is like -> draws one of the command that puts a thing in a place."""


def _goal(thing: str, place: str) -> Fact:
    return Fact(predicate="in" if kind_of(place) == BOWL else "on", args=(thing, place))


def _free(scene: Scene, thing: str) -> bool:
    """Return whether a thing can be picked up as it stands."""
    return all(holds(Fact(predicate=p, args=(thing,)), scene) for p in ("reachable", "clear"))


def _can_go(scene: Scene, filled: Scene, thing: str, place: str) -> bool:
    """Return whether a thing can be brought to a place where it is not yet."""
    goal = _goal(thing, place)
    room = free_spot(place, filled, thing) is not None
    return room and _free(scene, thing) and not holds(goal, scene)
