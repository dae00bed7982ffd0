"""Everything Bosun raises on purpose.

BosunError                a sentence for the operator, and an exit code
├── UsageError            the command line or an input file asks for something that is not there
├── ConfigError           a configuration key or value is wrong
├── MissingDependency     a package, an extra or a system library is not installed
├── ProcessGone           a process that works for this one was killed or has ended
├── PlannerError          the planner cannot work at all (a plan that is merely wrong is a value)
├── SkillError            a skill contract, policy or data set is broken
│   ├── CheckpointError   a checkpoint is missing, foreign or damaged
│   ├── PolicyLost        a policy does not answer any more, or not in time
│   │   └── PolicyInvalid what it answers is no chunk of actions
│   └── WireError         what came over a policy's wire is not what was agreed
├── SpeechError           what is said cannot be heard, understood or answered
├── RobotError            the robot or its simulator is broken
│   ├── RobotStopped      the stop latch is set, so an action was refused
│   │   ├── CameraLost    it was set because a camera shows nothing any more
│   │   └── RobotLost     it was set because the robot's state is not known any more
│   └── ShieldBreach      an action was asked for that must never be sent
├── MessageError          a ROS message does not hold what is asked of it, or cannot hold it
└── EpisodeError          an episode cannot be written or read

A failed grasp is none of these: it is a `SubgoalResult` with a reason code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BosunError(Exception):
    """Base of the tree; its text is one sentence that says what is wrong and how to mend it."""

    exit_code = 1


class UsageError(BosunError):
    """The command line or an input file asks for something that does not exist."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key or value is wrong."""


class MissingDependency(BosunError):
    """A package, an extra or a system library is not installed."""


class ProcessGone(BosunError):
    """A process that works for this one was killed, or has ended."""


class PlannerError(BosunError):
    """The planner cannot work at all."""


class SkillError(BosunError):
    """A skill contract, a policy or a data set is broken."""


class CheckpointError(SkillError):
    """A checkpoint is missing, foreign or damaged."""

    exit_code = 2


class PolicyLost(SkillError):
    """A policy does not answer any more, or not in time."""


class PolicyInvalid(PolicyLost):
    """What a policy answers is no chunk of actions."""


class WireError(SkillError):
    """What came over a policy's wire cannot be read, or is not what was agreed."""


class SpeechError(BosunError):
    """A microphone, a decoder or a voice does not work."""


class RobotError(BosunError):
    """The robot or its simulator is broken."""


class RobotStopped(RobotError):
    """The stop latch is set, so an action was refused."""

    exit_code = 4

    def __init__(
        self, sentence: str = "The robot is stopped and takes no action until the next command."
    ) -> None:
        """Say so, or why."""
        super().__init__(sentence)


class CameraLost(RobotStopped):
    """A camera's pictures stopped coming or are out of date; the robot is held."""


class RobotLost(RobotStopped):
    """The robot's own state stopped coming, is out of date or makes no sense; it is held."""


class ShieldBreach(RobotError):
    """An action was asked for that must never be sent."""


class MessageError(BosunError):
    """A ROS message does not hold what is asked of it, or cannot hold it."""


class EpisodeError(BosunError):
    """An episode cannot be written or read."""


def unknown(kind: str, asked: str, known: Iterable[str]) -> str:
    """Return one sentence naming what was asked, what exists and the nearest match.

    Args:
        kind: What the name stands for, for example `"skill"`.
        asked: The name that is not known.
        known: Every name that is.
    """
    names = sorted(known)
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(names) or "none"
    return f"There is no {kind} {asked!r}; there are: {listed}.{guess}"
