"""What a human should know of how an agent is set up before it moves."""

from __future__ import annotations

from agent.body import Body
from agent.config import Config
from agent.familiarity import unfamiliar
from agent.skilled import Skilled

_UNCALIBRATED = (
    "The monitor was calibrated for Bosun's own weights, so with {} it goes without statistical "
    "alarms (monitor.alpha), and where the model has no success head each subgoal is looked at "
    "again from home; plain failures and time budgets are watched."
)
_UNFAMILIAR = (
    "Bosun's own networks were not trained for this robot: {}. So it sees no things, and {}."
)


def caveat(config: Config, body: Body, skilled: Skilled) -> str | None:
    """Return it in sentences; None where there is nothing."""
    found = [body.caveat]
    if skilled.digest and not skilled.ours:
        found.append(_UNCALIBRATED.format(config.policy.source))
    if why := unfamiliar(config.robot):
        knows = "can be told of none" if skilled.digest else "has learned no skill"
        found.append(_UNFAMILIAR.format(why, knows))
    return " ".join(filter(None, found)) or None
