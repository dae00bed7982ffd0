"""What the agent says of a cause that was injected: causes against reason codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.types import Fact, MissionOutcome, Reason
from agent.workspace import DRAWER
from skills.evaluate.commands import Command, draw_command, initial_scene
from skills.evaluate.ledger import Ledger
from skills.evaluate.missions import Bench, Record, honesty, run_missions
from skills.evaluate.report import Row, report


def draw_carrying(seed: int) -> Command | None:
    """Return a command to put one block somewhere; None where the scene has no room for it."""
    return draw_command(seed, objects=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that goes wrong.

    Attributes:
        settings: What brings it about, as `--set` takes it.
        codes: The reasons that name it.
        draw: Returns the command of a seed.
    """

    settings: tuple[str, ...]
    codes: frozenset[Reason]
    draw: Callable[[int], Command | None] = draw_carrying


def draw_opening(seed: int) -> Command | None:
    """Return the command to open a drawer; None where the scene has none that is shut."""
    thing = initial_scene(seed).objects.get(DRAWER)
    if thing is None or (thing.articulation or 0.0) > 0.0:
        return None
    return Command("open the drawer", (Fact(predicate="open", args=(DRAWER,)),))


def _world(*settings: str) -> tuple[str, ...]:
    return tuple(f"robot.disturbances.{setting}" for setting in settings)


CAUSES: Mapping[str, Cause] = {
    "drop": Cause(_world("drop_per_s=1"), frozenset({Reason.DROPPED})),
    "shift": Cause(_world("shift_cm=10"), frozenset({Reason.NOT_ACHIEVED, Reason.TARGET_MOVED})),
    "nudge": Cause(_world("nudge_per_s=1"), frozenset({Reason.TARGET_MOVED, Reason.GRASP_MISSED})),
    "jam": Cause(_world("jam=1"), frozenset({Reason.BLOCKED, Reason.STUCK}), draw_opening),
    "blank": Cause(_world("blank_s=2"), frozenset({Reason.CAMERA_LOST})),
    "frozen": Cause(_world("frozen_s=2"), frozenset({Reason.CAMERA_LOST})),
    "nan": Cause(("policy.fault=nan",), frozenset({Reason.POLICY_INVALID})),
    "out_of_range": Cause(("policy.fault=out_of_range",), frozenset({Reason.POLICY_INVALID})),
    "slow": Cause(("policy.limit_s=2", "policy.fault=slow"), frozenset({Reason.POLICY_LOST})),
    "dead": Cause(("policy.limit_s=2", "policy.fault=dead"), frozenset({Reason.POLICY_LOST})),
}
ONCE = ("budget.replans=1", "budget.attempts=1")
"""So little is tried again that a cause which stays ends the mission."""


def evaluate_causes(
    make_benches: Mapping[str, Callable[[], Bench]],
    episodes: int,
    seed_base: int,
    workers: int,
    ledger: Ledger | None = None,
) -> dict[str, Any]:
    """Return the report, a row per cause: of the missions that did not succeed, those well named.

    Args:
        make_benches: Name from `CAUSES` -> what loads the agent that meets it.
        episodes: Missions per cause.
        seed_base: First seed.
        workers: Processes.
        ledger: Keeps every mission.
    """
    rows, records = [], []
    for name, make_bench in make_benches.items():
        draw = CAUSES[name].draw
        missions = run_missions(name, make_bench, draw, seed_base, episodes, workers, ledger)
        of_cause = [record for _, _, record in missions]
        rows.append(cause_row(name, of_cause))
        records += of_cause
    overall = Row(
        "all causes",
        sum(row.episodes for row in rows),
        sum(row.successes for row in rows),
        {"missions": len(records)},
    )
    return report("causes", seed_base, rows, together=[overall], **honesty(records))


def cause_row(name: str, records: list[Record]) -> Row:
    """Return the row of one cause: how many unfinished missions give a code that names it."""
    unfinished = [r for r in records if r.outcome is not MissionOutcome.SUCCESS]
    codes = Counter(_code(record) for record in unfinished)
    return Row(
        name,
        len(unfinished),
        sum(count for code, count in codes.items() if code in CAUSES[name].codes),
        {"missions": len(records), "codes": {str(code): n for code, n in codes.most_common()}},
    )


def _code(record: Record) -> Reason | None:
    """Return why the last subgoal that failed did; None where none failed."""
    failed = [reason for reason in record.reasons if reason is not Reason.DONE]
    return failed[-1] if failed else None
