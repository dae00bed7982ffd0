"""Tries single skills with the whole agent and writes down what its monitor could tell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.build import Agent
from agent.config import Config
from agent.doubles import ScriptedPlanner
from agent.events import Event, SubgoalEnded, SubgoalStarted, Ticked
from agent.facts import after
from agent.monitor.calibration import Readings
from agent.monitor.conformal import Curve
from agent.monitor.signals import Tick, all_signals
from agent.monitor.steps import ToolSteps
from agent.monitor.witness import PictureWitness
from agent.protocols import Checked, Checker
from agent.sections import MemoryConfig
from agent.types import Observation, Plan, Reason, SkillContract, Subgoal, SubgoalResult
from skills.evaluate.commands import draw_stack, initial_scene
from skills.evaluate.scoring import achieved
from skills.evaluate.skills import SUITE, draw_task
from skills.phrases import phrase_for

_NO_OTHER = "There is no other plan."
_MOST_BEFORE = 2
"""Skills that come before the one that is rehearsed."""
_STACKED = 0.3
"""Share of rehearsals of a skill of `_STACKING` in which a third block goes onto two."""
_STACKING = {"pick": 3, "place_on": 4}
"""Skill -> after how many subgoals of stacking three blocks its rehearsal ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One try of a skill.

    Attributes:
        skill: Its name.
        seed: Of the scene.
        troubled: Whether something was meant to go wrong in its world.
        success: Whether its done facts hold at its end, by the world's truth.
        reason: Why the monitor ended it.
        readings: (ticks, signals) what `agent.monitor.signals.all_signals` said.
        elapsed_s: (ticks,) since the subgoal began.
        read_ms: (ticks,) how long it took to read the signals.
        checked: What a language model told from the first and the last picture; None where none
            was asked.
    """

    skill: str
    seed: int
    troubled: bool
    success: bool
    reason: Reason
    readings: Readings
    elapsed_s: Curve
    read_ms: Curve
    checked: Checked | None = None


class RehearsalBench:
    """Tries one skill at a time, in calm worlds and in troubled ones."""

    def __init__(self, *configs: Config, vlm: bool = False) -> None:
        """Load one agent for each configuration; they watch without alarms and learn nothing.

        Args:
            configs: Of the agents; all worlds but the first one's are troubled.
            vlm: Whether the model `monitor.vlm` is asked at each run's end. While a run goes on it
                never is, so that it is asked of failures, too, and changes none.
        """
        self._vlm = vlm
        self._agents = [Agent(_bare(config)) for config in configs]

    def __call__(self, job: tuple[str, int, int]) -> Run | None:
        """Try a skill once; None where the scene has no such task or it was not come to.

        Args:
            job: Skill, seed, and which of the configurations.
        """
        skill, seed, which = job
        agent = self._agents[which]
        subgoals = lesson(skill, seed, agent.contracts)
        if subgoals is None:
            return None
        checker = (
            agent.models.mission(lambda: agent.robot.stopped, ()).checker if self._vlm else None
        )
        notes = _Notes(agent, seed, which > 0, len(subgoals), checker)
        plan = Plan(command=f"rehearse {skill}", subgoals=subgoals)
        planner = ScriptedPlanner([plan, Plan(command=plan.command, question=_NO_OTHER)])
        agent.runtime(seed, [notes], planner, agent.monitor()).run(plan.command, seed)
        return notes.run

    def close(self) -> None:
        """Release the robots."""
        for agent in self._agents:
            agent.close()


def lesson(
    skill: str, seed: int, contracts: Mapping[str, SkillContract]
) -> tuple[Subgoal, ...] | None:
    """Return subgoals for the scene of a seed that end with a skill, None where it has none.

    Other skills may come before, as in the middle of a mission: what is usual of a skill depends on
    where the last one left the arm. What is placed is picked up first, and now and then put on top
    of a tower.
    """
    rng, scene = np.random.default_rng([seed, 29]), initial_scene(seed)
    if skill in _STACKING and rng.random() < _STACKED and (stack := draw_stack(seed)):
        goals = [
            {"object": block, "target": below} for block, below in (g.args for g in stack.goals)
        ]
        tower = [call for args in goals for call in _put(args, "place_on")]
        return tuple(_subgoal(*call) for call in tower[: _STACKING[skill]])
    skills = [str(rng.choice(SUITE)) for _ in range(rng.integers(_MOST_BEFORE + 1))]
    subgoals: list[Subgoal] = []
    for called in (*(before for before in skills if before != "pick"), skill):
        task = draw_task(called, scene, rng)
        if task is None and called == skill:
            return None
        if task is None:
            continue
        for name, args in _put(dict(task.args), called):
            subgoals.append(_subgoal(name, args))
            for effect in contracts[name].facts("effects", args):
                scene = after(scene, effect)
    return tuple(subgoals)


def _put(args: dict[str, str], skill: str) -> list[tuple[str, dict[str, str]]]:
    """Return the calls that a call comes to: what is placed is picked up first."""
    picked = [("pick", {"object": args["object"]})] if "target" in args else []
    return [*picked, (skill, args)]


def _subgoal(skill: str, args: dict[str, str]) -> Subgoal:
    return Subgoal(skill=skill, args=args, phrase=phrase_for(skill, args))


def _bare(config: Config) -> Config:
    """Return a configuration without alarms, memory and second tries."""
    return config.model_copy(
        update={
            "memory": MemoryConfig(file=None),
            "monitor": config.monitor.model_copy(update={"alpha": None}),
            "budget": config.budget.model_copy(update={"replans": 0, "attempts": 1}),
        }
    )


class _Notes:
    """Writes down what the signals say of the n-th subgoal, and what came of it in truth."""

    def __init__(
        self, agent: Agent, seed: int, troubled: bool, nth: int, checker: Checker | None
    ) -> None:
        self._agent, self._seed, self._troubled, self._left = agent, seed, troubled, nth
        self._checker = checker
        self._signals = all_signals()
        self._steps = ToolSteps(agent.body.spec.space, agent.body.kinematics)
        self.run: Run | None = None

    def on_event(self, event: Event) -> None:
        match event:
            case SubgoalStarted():
                self._began_s = event.time_s
                self._budget_s = self._agent.contracts[event.subgoal.skill].time_budget_s
                self._before = self._agent.tabletop.world.truth()
                self._rows: list[list[float]] = []
                self._elapsed_s: list[float] = []
                self._ms: list[float] = []
                self._seen: list[Observation] = []
                self._steps.reset()
                for signal in self._signals:
                    signal.reset()
            case Ticked():
                elapsed_s = event.time_s - self._began_s
                steps = self._steps(event.observation, event.chunk)
                tick = Tick(elapsed_s, self._budget_s, event.observation, event.chunk, steps)
                self._elapsed_s.append(elapsed_s)
                began = time.perf_counter()
                self._rows.append([signal.read(tick) for signal in self._signals])
                self._ms.append((time.perf_counter() - began) * 1000)
                # Only the first and the last one are compared.
                self._seen = [*self._seen[:1], event.observation]
            case SubgoalEnded():
                self._left -= 1
                if self._left == 0:
                    self._keep(event.result)

    def _keep(self, result: SubgoalResult) -> None:
        called = result.subgoal
        done = self._agent.contracts[called.skill].facts("done", called.args)
        self.run = Run(
            called.skill,
            self._seed,
            self._troubled,
            achieved(self._agent.tabletop.world, done, self._before),
            result.verdict.reason,
            np.array(self._rows),
            np.array(self._elapsed_s),
            np.array(self._ms),
            self._check(called.phrase, [str(fact) for fact in done]),
        )

    def _check(self, phrase: str, facts: Sequence[str]) -> Checked | None:
        """Return what the model tells of the subgoal that has just ended, if it is asked."""
        if self._checker is None or not self._seen:
            return None
        witness = PictureWitness(self._checker)
        witness.reset(phrase, facts)
        witness.look(self._seen[0])
        return witness.ask(self._seen[-1])
