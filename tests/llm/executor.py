"""Carries plans out in thought, by rules written down a second time: who stands where, and no more.

It shares nothing with `agent.facts` and `agent.planner.verify`, so that a plan both of them accept
was accepted twice. It knows no lengths: whether there is room on the table it does not ask.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.types import Scene, Subgoal

_CAPACITY = {"bowl": 3, "plate": 2, "drawer": 2}
_ZONES = {"left zone", "right zone", "front zone", "back zone", "centre zone"}
_WAYS = {"left", "right", "forward", "back"}
_GRASPED = {"block", "can"}
_TOWER = 3
_OPEN_M = 0.075


class Impossible(Exception):
    """A step cannot be taken; its text says why."""


class World:
    """What a symbolic executor knows: kinds, what carries what, and whether the drawer is out."""

    def __init__(self, scene: Scene) -> None:
        self.kind = {name: thing.kind for name, thing in scene.objects.items()}
        self.on = {name: thing.support for name, thing in scene.objects.items()}
        self.out = {
            name for name, thing in scene.objects.items() if (thing.articulation or 0) >= _OPEN_M
        }
        self._steps: dict[str, Callable[..., None]] = {
            "pick": self._pick,
            "place_in": self._place_in,
            "place_on": self._place_on,
            "push": self._push,
            "open": self._open,
            "close": self._close,
            "press": self._press,
            "release": self._release,
            "home": lambda: None,
            "look": lambda: None,
            "wait": lambda: None,
        }

    def take(self, step: Subgoal) -> None:
        """Take one step.

        Raises:
            Impossible: It cannot be taken now.
        """
        _need(step.skill in self._steps, f"nobody can {step.skill}")
        try:
            self._steps[step.skill](**step.args)
        except (KeyError, TypeError) as error:
            raise Impossible(f"{step.skill} of {step.args}: {error!r}") from error

    @property
    def held(self) -> str | None:
        return next((name for name, carrier in self.on.items() if carrier == "hand"), None)

    def _load(self, carrier: str) -> list[str]:
        return [name for name, below in self.on.items() if below == carrier]

    def _pick(self, object: str) -> None:
        _need(self.held is None, "the hand is full")
        _need(self.kind[object] in _GRASPED, f"{object} cannot be grasped")
        _need(not self._load(object), f"{object} carries something")
        carrier = self.on[object]
        _need(self.kind.get(carrier) != "drawer" or carrier in self.out, "the drawer is shut")
        self.on[object] = "hand"

    def _place_in(self, object: str, target: str) -> None:
        _need(self.held == object, f"{object} is not in the hand")
        _need(self.kind[target] in ("bowl", "drawer"), f"nothing goes into {target}")
        _need(self.kind[target] == "bowl" or target in self.out, "the drawer is shut")
        _need(len(self._load(target)) < _CAPACITY[self.kind[target]], f"{target} is full")
        self.on[object] = target

    def _place_on(self, object: str, target: str) -> None:
        _need(self.held == object, f"{object} is not in the hand")
        if target in _ZONES:
            self.on[object] = "table"
            return
        if self.kind[target] == "block":
            _need(self.kind[object] == "block", "only blocks are stacked")
            _need(target != object and not self._load(target), f"{target} is taken")
            _need(self._height(target) < _TOWER, "the tower is high enough")
        else:
            _need(self.kind[target] == "plate", f"nothing goes onto {target}")
            _need(len(self._load(target)) < _CAPACITY["plate"], f"{target} is full")
        self.on[object] = target

    def _height(self, block: str) -> int:
        below = self.on[block]
        return 1 + (self._height(below) if self.kind.get(below) == "block" else 0)

    def _push(self, object: str, direction: str) -> None:
        _need(direction in _WAYS, f"{direction} is no way to push")
        _need(self.held is None, "the hand is full")
        _need(self.kind[object] in _GRASPED, f"{object} cannot be pushed")
        _need(self.on[object] == "table" and not self._load(object), f"{object} is not free")

    def _open(self, object: str) -> None:
        self._slide(object)
        self.out.add(object)

    def _close(self, object: str) -> None:
        self._slide(object)
        self.out.discard(object)

    def _slide(self, object: str) -> None:
        _need(self.held is None, "the hand is full")
        _need(self.kind[object] == "drawer", f"{object} does not slide")

    def _press(self, object: str) -> None:
        _need(self.held is None, "the hand is full")
        _need(self.kind[object] == "button", f"{object} cannot be pressed")

    def _release(self) -> None:
        if self.held is not None:
            self.on[self.held] = "table"


def _need(so: bool, otherwise: str) -> None:
    if not so:
        raise Impossible(otherwise)
