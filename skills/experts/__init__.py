"""Scripted teachers with privileged sight; the agent never runs them."""

from collections.abc import Mapping

from skills.experts.base import Expert
from skills.experts.button import PressExpert
from skills.experts.drawer import CloseExpert, OpenExpert
from skills.experts.pick import PickExpert
from skills.experts.place import PlaceExpert
from skills.experts.push import PushExpert

__all__ = [
    "CloseExpert",
    "Expert",
    "OpenExpert",
    "PickExpert",
    "PlaceExpert",
    "PressExpert",
    "PushExpert",
    "expert_for",
]


def expert_for(skill: str, args: Mapping[str, str]) -> Expert:
    """Return the teacher of a learned skill.

    Raises:
        ValueError: There is no such learned skill.
    """
    match skill:
        case "pick":
            return PickExpert(args["object"])
        case "place_in" | "place_on":
            return PlaceExpert(args["object"], args["target"])
        case "push":
            return PushExpert(args["object"], args["direction"])
        case "open":
            return OpenExpert(args["object"])
        case "close":
            return CloseExpert(args["object"])
        case "press":
            return PressExpert(args["object"])
    raise ValueError(f"No expert teaches {skill!r}.")
