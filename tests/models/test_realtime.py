"""PI0 in real time through the whole agent: what it infers beside the ticks, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.build import Agent
from agent.config import load_config
from agent.doubles import Recorder
from agent.events import Ticked
from agent.mission import Mission, run_mission
from agent.types import FloatArray
from skills.backend import Reply
from skills.models.pi0 import Pi0Backend
from tests.models.samples import pi0_interface
from tests.models.test_missions import COMMAND, SEED, Stopper, scaled, written
from tests.models.tiny_pi0 import NUMBERS

STILL_M = 1e-6
"""By how much an action differs that is the same one but for rounding."""


@dataclass(slots=True)
class Asked:
    """What the model was asked and answered; None where it began anew.

    Else the rows left, how many of them were under way, and the rows of the answer.
    """

    after: list[tuple[FloatArray, int, FloatArray] | None] = field(default_factory=list)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    kept, plain, after = Asked(), Pi0Backend.ask, Pi0Backend.ask_after

    def ask(backend: Pi0Backend, inputs: Mapping[str, Any]) -> Reply:
        kept.after.append(None)
        return plain(backend, inputs)

    def ask_after(
        backend: Pi0Backend, inputs: Mapping[str, Any], rest: FloatArray, delay: int
    ) -> Reply:
        reply = after(backend, inputs, rest, delay)
        kept.after.append((rest, delay, reply.actions))
        return reply

    monkeypatch.setattr(Pi0Backend, "ask", ask)
    monkeypatch.setattr(Pi0Backend, "ask_after", ask_after)
    return kept


Drive = Callable[[str], tuple[dict[str, Any], Recorder]]


@pytest.fixture
def drive(pi0: Path, tmp_path: Path) -> Drive:
    """Return what runs at most four seconds of a mission with chunks that are merged in a way."""

    def run(merge: str) -> tuple[dict[str, Any], Recorder]:
        settings = [
            *written(f"pi0:{pi0}", scaled(pi0_interface(), 0.002), tmp_path),
            "robot.realtime=true",
            f"policy.realtime.merge={merge}",
            "policy.realtime.latency_s=0.2",
        ]
        agent, recorder = Agent(load_config(None, settings)), Recorder()
        try:
            summary = run_mission(
                agent, Mission(COMMAND, SEED), [recorder, Stopper(agent.robot, 4.0)]
            )
        finally:
            agent.close()
        return summary, recorder

    return run


def jumps_m(recorder: Recorder) -> list[float]:
    """Return how far each new chunk is from what the last one foresaw, where the arm went on."""
    chunks = [tick.chunk for tick in recorder.of(Ticked) if tick.chunk.timing is not None]
    return [
        float(np.linalg.norm(new.actions[0, :3] - old.actions[1, :3]))
        for old, new in pairwise(chunks)
        if old.timing is not None and new.timing is not None and not new.timing.starved
        if old.timing.seen_s != new.timing.seen_s and len(old.actions) > 1
    ]


def test_each_inference_is_one_and_its_chunk_is_new(drive: Drive, asked: Asked) -> None:
    """Its interface has four rows carried out, which is not for it to say in real time."""
    summary, recorder = drive("replace")
    told = [tick.chunk.timing for tick in recorder.of(Ticked) if tick.chunk.timing is not None]
    assert set(asked.after) == {None}
    # The last one may have been under way as the mission ended.
    assert len({timing.seen_s for timing in told}) == pytest.approx(len(asked.after), abs=1)
    assert summary["chunks"]["inferences"] >= 4
    # Each begins from other noise, and so it jumps.
    assert np.median(jumps_m(recorder)) > 100 * STILL_M


def test_chunks_go_on_from_each_other(drive: Drive, asked: Asked) -> None:
    summary, recorder = drive("rtc")
    assert summary["chunks"]["inferences"] >= 4
    first, *later = asked.after
    assert first is None
    continued = [one for one in later if one is not None]
    assert len(continued) >= 3
    assert all(rest.shape[1] == NUMBERS and delay >= 1 for rest, delay, _ in continued)
    # The rows that are carried out meanwhile are those of the chunk before.
    for rest, delay, actions in continued:
        np.testing.assert_allclose(actions[:delay], rest[:delay], atol=1e-4)
    # An answer that is later than expected jumps; on a busy machine that is not every one.
    assert min(jumps_m(recorder)) < STILL_M
    sent = [tick.sent for tick in recorder.of(Ticked) if tick.sent is not None]
    assert len({tuple(np.round(action, 6)) for action in sent}) > 3
