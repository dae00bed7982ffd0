"""The loop: plan, verify, run each subgoal under watch, look at what came of it, replan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.errors import RobotStopped, ShieldBreach
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.facts import expected, holds
from agent.protocols import (
    Monitor,
    Planner,
    Policy,
    Robot,
    SafetyShield,
    SceneEstimator,
    Subscriber,
    Verifier,
)
from agent.types import (
    Fact,
    MissionOutcome,
    MissionResult,
    Observation,
    Plan,
    Reason,
    Scene,
    SkillContract,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Vector,
    Verdict,
    VerdictValue,
)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a mission may spend before it asks for help.

    Attributes:
        replans: New plans after the first.
        attempts: Tries of one subgoal in a row.
        seconds: Robot time in all.
    """

    replans: int
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mission is made of; everything by protocol."""

    robot: Robot
    planner: Planner
    verifier: Verifier
    policies: Mapping[str, Policy]
    contracts: Mapping[str, SkillContract]
    estimator: SceneEstimator
    monitor: Monitor
    shield: SafetyShield
    budget: Budget
    subscribers: Sequence[Subscriber] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Runtime:
    """Carries one command at a time through to an outcome."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts; nothing moves yet."""
        self._parts = parts
        self._history: list[SubgoalResult] = []
        self._replans = 0

    def run(
        self,
        command: str,
        seed: int,
        *,
        dry_run: bool = False,
        approve: Callable[[Plan], bool] = lambda plan: True,
    ) -> MissionResult:
        """Carry out a command.

        Args:
            command: What the human said.
            seed: Of the scene, where the robot is simulated.
            dry_run: Plan and verify only.
            approve: Asked before the first motion; anything but true and nothing moves.
        """
        self._history, self._replans = [], 0
        observation = self._parts.robot.reset(seed)
        self._parts.estimator.reset()
        self._emit(MissionStarted(observation.time_s, command, self._parts.metadata))
        scene = self._look(observation)
        plan = self._plan(command, scene)
        if plan.question is not None:
            return self._end(MissionOutcome.NEEDS_HELP, plan, plan.question)
        if dry_run:
            return self._end(MissionOutcome.PLANNED, plan)
        if not approve(plan):
            return self._end(MissionOutcome.STOPPED, plan)
        return self._carry_out(plan, expected(plan, scene, self._parts.contracts))

    def _carry_out(self, first: Plan, goals: Sequence[Fact]) -> MissionResult:
        """Run subgoals, plan after plan, until the goals are seen to hold or a budget is spent."""
        queue, attempt = list(first.subgoals), 1
        while True:
            closing = not queue
            subgoal = queue[0] if queue else self._closing_look()
            result = self._run_subgoal(subgoal, attempt)
            if not closing:
                self._history.append(result)
            if result.outcome is SubgoalOutcome.STOPPED:
                return self._end(MissionOutcome.STOPPED, first)
            scene = self._look(self._parts.robot.observe())
            if result.outcome is SubgoalOutcome.SUCCESS:
                if not closing:
                    queue, attempt = queue[1:], 1
                    continue
                if all(holds(goal, scene) for goal in goals):
                    return self._end(MissionOutcome.SUCCESS, first)
            elif attempt < self._parts.budget.attempts and self._may_retry(subgoal, scene):
                attempt += 1
                continue
            if self._spent(scene):
                return self._end(MissionOutcome.NEEDS_HELP, first, self._help(goals, scene))
            self._replans += 1
            plan = self._plan(first.command, scene)
            if plan.question is not None:
                return self._end(MissionOutcome.NEEDS_HELP, first, plan.question)
            queue, attempt = list(plan.subgoals), 1

    def _plan(self, command: str, scene: Scene) -> Plan:
        """Ask for a plan until verification accepts one, at most two repairs."""
        problems: list[str] = []
        for _ in range(3):
            plan = self._parts.planner.plan(
                command, scene, self._parts.contracts, self._history, problems
            )
            problems = self._parts.verifier.problems(plan, scene, self._parts.contracts)
            self._emit(Planned(scene.time_s, plan, tuple(problems), self._replans))
            if not problems:
                return plan
        return Plan(command=command, question=f"I found no plan that I may run. {problems[0]}")

    def _run_subgoal(self, subgoal: Subgoal, attempt: int) -> SubgoalResult:
        """Tick until the monitor gives a verdict or the robot is stopped."""
        parts = self._parts
        observation = parts.robot.observe()
        self._emit(SubgoalStarted(observation.time_s, subgoal, attempt))
        policy = parts.policies[subgoal.skill]
        policy.reset(subgoal.phrase)
        parts.monitor.reset(subgoal, parts.estimator.estimate(observation))
        ticks, verdict = 0, None
        while verdict is None:
            observation = parts.robot.observe()
            chunk = policy.infer(observation)
            verdict = parts.monitor.check(observation, chunk)
            action, sent = chunk.actions[0].astype(float), None
            if verdict is None:
                sent, verdict = self._act(observation, action)
                ticks += sent is not None
            self._emit(Ticked(observation.time_s, observation, chunk, action, sent))
        self._emit(VerdictGiven(observation.time_s, subgoal, verdict))
        result = SubgoalResult(subgoal, _outcome(verdict), verdict, attempt, ticks)
        self._emit(SubgoalEnded(observation.time_s, result))
        return result

    def _act(
        self, observation: Observation, action: Vector
    ) -> tuple[Vector | None, Verdict | None]:
        """Send one action through the shield; a breach or a stop ends the subgoal."""
        try:
            return self._parts.robot.act(self._parts.shield.limit(observation, action)), None
        except ShieldBreach as breach:
            self._parts.robot.stop()
            self._emit(Stopped(observation.time_s, "shield"))
            evidence = {"breach": str(breach)}
            return None, Verdict(VerdictValue.REFUTED, Reason.OUT_OF_LIMITS, 1.0, evidence)
        except RobotStopped:
            self._emit(Stopped(observation.time_s, "latch"))
            return None, Verdict(VerdictValue.INSUFFICIENT, Reason.STOPPED, 1.0)

    def _look(self, observation: Observation) -> Scene:
        scene = self._parts.estimator.estimate(observation)
        self._emit(SceneEstimated(observation.time_s, scene))
        return scene

    def _closing_look(self) -> Subgoal:
        """Return the look from home that every mission ends with, out of the cameras' way."""
        return Subgoal(skill="look", phrase=self._parts.contracts["look"].phrase({}))

    def _may_retry(self, subgoal: Subgoal, scene: Scene) -> bool:
        """Return whether trying again can work: the preconditions must still hold."""
        facts = self._parts.contracts[subgoal.skill].facts("preconditions", subgoal.args)
        return all(holds(fact, scene) for fact in facts)

    def _spent(self, scene: Scene) -> bool:
        budget = self._parts.budget
        return self._replans >= budget.replans or scene.time_s >= budget.seconds

    def _help(self, goals: Sequence[Fact], scene: Scene) -> str:
        """Return a question that says what was tried, what is left and why it fails."""
        unmet = ", ".join(str(goal) for goal in goals if not holds(goal, scene)) or "the last look"
        failures = [r for r in self._history if r.outcome is not SubgoalOutcome.SUCCESS]
        last = (
            f"; last: {failures[-1].subgoal.phrase}, {failures[-1].verdict.reason}"
            if failures
            else ""
        )
        return (
            f"After {self._replans} new plans I still have not reached {unmet}{last}. "
            "Shall I try again, or leave it?"
        )

    def _end(
        self, outcome: MissionOutcome, plan: Plan, question: str | None = None
    ) -> MissionResult:
        time_s = self._parts.robot.observe().time_s
        result = MissionResult(outcome, plan, tuple(self._history), self._replans, time_s, question)
        self._emit(MissionEnded(time_s, result))
        return result

    def _emit(self, event: Event) -> None:
        for subscriber in self._parts.subscribers:
            subscriber.on_event(event)


def _outcome(verdict: Verdict) -> SubgoalOutcome:
    """Return what a verdict makes of a subgoal; only `confirmed` is success."""
    match verdict.value, verdict.reason:
        case VerdictValue.CONFIRMED, _:
            return SubgoalOutcome.SUCCESS
        case _, Reason.STOPPED | Reason.OUT_OF_LIMITS:
            return SubgoalOutcome.STOPPED
        case _, Reason.TIMEOUT:
            return SubgoalOutcome.TIMEOUT
        case VerdictValue.INSUFFICIENT, _:
            return SubgoalOutcome.LOW_CONFIDENCE
    return SubgoalOutcome.FAILED
