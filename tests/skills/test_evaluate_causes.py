"""Causes against codes: what counts, and what each cause is brought about by."""

from __future__ import annotations

import pytest

from agent.config import load_config
from agent.types import MissionOutcome, Reason
from skills.evaluate.causes import CAUSES, ONCE, cause_row, draw_opening
from skills.evaluate.commands import initial_scene
from skills.evaluate.missions import Record


def _record(outcome: MissionOutcome, *reasons: Reason) -> Record:
    return Record(outcome, outcome is MissionOutcome.SUCCESS, 0, 10.0, 1.0, reasons)


def test_the_last_failure_names_the_cause() -> None:
    """Missions that succeed all the same do not count, and one that never failed names nothing."""
    records = [
        _record(MissionOutcome.SUCCESS, Reason.DONE, Reason.STUCK, Reason.DONE),
        _record(MissionOutcome.NEEDS_HELP, Reason.DONE, Reason.STUCK, Reason.DROPPED),
        _record(MissionOutcome.NEEDS_HELP, Reason.DROPPED, Reason.STUCK, Reason.DONE),
        _record(MissionOutcome.STOPPED, Reason.DONE),
    ]
    row = cause_row("drop", records)
    assert (row.episodes, row.successes) == (3, 1)
    assert row.more == {"missions": 4, "codes": {"dropped": 1, "stuck": 1, "None": 1}}


@pytest.mark.parametrize("name", CAUSES)
def test_every_cause_is_a_setting_and_has_commands(name: str) -> None:
    cause = CAUSES[name]
    assert load_config(None, [*ONCE, *cause.settings]) != load_config(None, ONCE)
    assert cause.codes
    assert sum(cause.draw(seed) is not None for seed in range(1_700_000, 1_700_060)) > 10


def test_only_shut_drawers_are_opened() -> None:
    for seed in range(1_700_000, 1_700_060):
        drawer, command = initial_scene(seed).objects.get("drawer"), draw_opening(seed)
        assert (command is not None) is (drawer is not None and drawer.articulation == 0)
