"""Scripted teachers with privileged sight; the agent never runs them."""

from skills.experts.base import Expert
from skills.experts.pick import PickExpert
from skills.experts.place import PlaceExpert

__all__ = ["Expert", "PickExpert", "PlaceExpert", "expert_for"]


def expert_for(skill: str, args: dict[str, str]) -> Expert:
    """Return the teacher of a learned skill."""
    match skill:
        case "pick":
            return PickExpert(args["object"])
        case "place_in" | "place_on":
            return PlaceExpert(args["object"], args["target"])
    raise ValueError(f"No expert teaches {skill!r}.")
