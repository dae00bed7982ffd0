"""What is heard right, asked about, misheard or refused is counted as that; a real one hears."""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np
import pytest

from agent.config import load_config
from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.rehearsal.capture import CapturedBench
from agent.rehearsal.hearing import TranscriberBench
from agent.types import FloatArray, Scene, Subgoal
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.hearing import HearingBench, Passed, Said, evaluate_hearing, find_commands
from skills.evaluate.parallel import parallel
from skills.evaluate.virtual_microphone import PROGRAMS
from skills.evaluate.voices import VOICES, Engine, Voice
from skills.registry import load_contracts
from tests.speech.sounds import needs_voices

BASE = 500_000
RMS = Voice(Engine.FLITE, "rms")


def _drawer() -> Said:
    """Return a command in the first scene in which it has a plan."""
    text = "open the drawer"
    seeds = range(BASE, BASE + 50)
    return next(Said(text, seed) for seed in seeds if _steps(text, seed))


def _steps(text: str, seed: int) -> tuple[Subgoal, ...]:
    scene = in_sight(initial_scene(seed))
    return GrammarPlanner().plan(text, scene, load_contracts(), ()).subgoals


class Tabled:
    """Makes the same of every sound."""

    def __init__(self, passed: Passed) -> None:
        self._passed = passed

    def __call__(self, sound: FloatArray, scene: Scene) -> Passed:
        assert sound.dtype == np.float32
        return self._passed


@needs_voices
@pytest.mark.parametrize(
    ("text", "asks", "outcome"),
    [
        ("open the drawer", False, "right"),
        ("open the drawer", True, "asked_right"),
        ("wait", False, "wrong"),
        ("wait", True, "asked_wrong"),
        ("", False, "rejected"),
    ],
)
def test_every_outcome_has_a_name(text: str, asks: bool, outcome: str) -> None:
    said = _drawer()
    passed = Passed(_steps(text, said.seed) if text else (), asks)
    assert HearingBench(lambda: Tabled(passed), GrammarPlanner())((RMS, said)) == outcome


@pytest.mark.parametrize(("text", "outcome"), [("", "rejected"), ("wait", "wrong")])
def test_whatever_a_noise_is_taken_for_is_wrong(text: str, outcome: str) -> None:
    said = _drawer()
    passed = Passed(_steps(text, said.seed) if text else (), asks=False)
    assert HearingBench(lambda: Tabled(passed), GrammarPlanner())(("white", said)) == outcome


@needs_voices
def test_a_real_transcriber_hears_a_command_and_refuses_noise() -> None:
    bench = HearingBench(lambda: TranscriberBench(load_config(None)), GrammarPlanner())
    said = _drawer()
    assert bench((RMS, said)) in ("right", "asked_right")
    assert bench(("white", said)) == "rejected"


def _refuse() -> Tabled:
    return Tabled(Passed((), asks=False))


@needs_voices
def test_the_report_counts_by_voice_and_engine() -> None:
    planner = GrammarPlanner()
    commands = find_commands(planner, PlanVerifier(), BASE, 2)
    assert len(commands) == 2
    report = evaluate_hearing(_refuse, planner, commands, BASE, 1)
    rows = {row["name"]: row for row in report["rows"]}
    for voice in VOICES:
        assert rows[voice.label]["codes"]["rejected"] == 2
        assert rows[voice.label]["successes"] == 0
    assert rows["all"]["episodes"] == 2 * len(VOICES)
    assert rows["off_topic"]["successes"] == 2
    assert (report["wrong_rate"], report["misheard"]) == (0.0, [])


@needs_voices
@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason="needs PulseAudio")
def test_a_command_is_heard_through_a_microphone() -> None:
    """In a process of its own, for PortAudio looks for devices once."""
    said = _drawer()
    jobs = {"drawer": [(RMS, said)]}
    make_bench = partial(CapturedBench, partial(TranscriberBench, load_config(None)))
    found = parallel(HearingBench, (make_bench, GrammarPlanner()), jobs, {"drawer": 1}, 1, "speech")
    assert found["drawer"][0] in ("right", "asked_right")
