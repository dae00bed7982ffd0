"""What somebody wants of the robot, and what it agreed to thereby."""

from __future__ import annotations

from dataclasses import dataclass

from agent.types import Plan, Subgoal

Step = tuple[str, tuple[tuple[str, str], ...]]
"""A skill and its arguments."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A command, or what changes one.

    Attributes:
        text: In the words of whoever has it.
        plan: What it comes to.
        corrects: Whether it changes another command.
    """

    text: str
    plan: Plan
    corrects: bool = False


def steps(plan: Plan) -> set[Step]:
    """Return what a plan does, in whichever words."""
    return {(s.skill, tuple(sorted(s.args.items()))) for s in plan.subgoals}


_HOME = "go home"
GO_HOME = Wish(_HOME, Plan(command=_HOME, subgoals=(Subgoal(skill="home", phrase=_HOME),)))
"""The wish of whoever says just that, whatever the planner."""
