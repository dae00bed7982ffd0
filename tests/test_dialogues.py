"""Corrections at every moment of missions in an imagined world, whose skills always work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from agent.build import Agent
from agent.config import load_config
from agent.doubles import ScriptedPolicy, StillRobot
from agent.facts import after
from agent.parts import Budget, Parts
from agent.pause import PausableRobot, Pause
from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.protocols import Subscriber
from agent.runtime import Runtime
from agent.types import ActionChunk, Observation, Plan, Scene, Subgoal, Verdict
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.corrections import Correction, find_corrections
from tests.benchmarks.dialogues import Dialogue, hold
from tests.parts import CONTRACTS, DONE, chunk, shield

CORRECTIONS = tuple(find_corrections(16, 1_000_000))
"""Two of each kind."""
_TICKS = 20
"""Of every subgoal: two seconds."""


class ImaginedRobot(StillRobot):
    """A robot in a scene that is changed by effects alone; it is its own world."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(0.0)

    @property
    def world(self) -> ImaginedRobot:
        return self

    def truth(self) -> Scene:
        return self.scene

    def reset(self, seed: int | None) -> Observation:
        if seed is not None:
            self.scene = initial_scene(seed)
        return super().reset(seed)


class Imagination:
    """Sees all that is in sight, and lets every subgoal come about after a while."""

    strain = None

    def __init__(self, robot: ImaginedRobot) -> None:
        self._robot = robot

    def estimate(self, observation: Observation) -> Scene:
        return replace(in_sight(self._robot.scene), time_s=observation.time_s)

    def reset(
        self,
        subgoal: Subgoal | None = None,
        scene: Scene | None = None,
        since: Scene | None = None,
    ) -> None:
        self._subgoal, self._left = subgoal, _TICKS

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        self._left -= 1
        if self._left or self._subgoal is None:
            return None
        contract = CONTRACTS[self._subgoal.skill]
        for effect in contract.facts("effects", self._subgoal.args):
            self._robot.scene = after(self._robot.scene, effect)
        return DONE


class ImaginedAgent:
    """What a dialogue asks of an agent."""

    def __init__(self) -> None:
        self.config = load_config(None)
        self.tabletop = self.robot = ImaginedRobot()
        self.pause = Pause()
        self.estimator = Imagination(self.robot)
        self._planner = GrammarPlanner()

    def understand(self, text: str, scene: Scene) -> Plan:
        return self._planner.read(text, scene, CONTRACTS)

    def runtime(self, seed: int | None, subscribers: Sequence[Subscriber]) -> Runtime:
        return Runtime(
            Parts(
                robot=PausableRobot(self.robot, self.pause),
                planner=self._planner,
                verifier=PlanVerifier(),
                policies=dict.fromkeys(CONTRACTS, ScriptedPolicy([chunk()])),
                contracts=CONTRACTS,
                estimator=self.estimator,
                monitor=Imagination(self.robot),
                shield=shield(self.robot),
                budget=Budget(replans=2, attempts=2, seconds=120.0),
                subscribers=subscribers,
            )
        )


@pytest.mark.parametrize("transcriber", ["faster-whisper:tiny", "pocketsphinx"])
@pytest.mark.parametrize("at_s", [0.5, 2.5, 4.5, 9.0], ids=["pick", "place", "look", "ended"])
@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda c: f"{c.said}-{c.seed}")
def test_a_correction_is_obeyed_whenever_it_is_said(
    correction: Correction, at_s: float, transcriber: str
) -> None:
    told = hold(cast(Agent, ImaginedAgent()), Dialogue(correction, at_s, transcriber))
    assert not told["missed"], told
    assert told["missions"] == (["success"] if at_s < 9.0 else ["success", "success"])
