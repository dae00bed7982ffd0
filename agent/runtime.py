"""The loop: plan, verify, run each subgoal under watch, look at what came of it, replan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from agent.correction import corrected
from agent.errors import PlannerError
from agent.events import (
    Answered,
    Corrected,
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
)
from agent.execution import Execution
from agent.facts import expected, holds, seen_to_hold, whereabouts
from agent.parts import Parts
from agent.protocols import REPAIRS, Planner
from agent.recoverer import Recoverer
from agent.recovery import Recovery, why_held
from agent.types import (
    Fact,
    MissionOutcome,
    MissionResult,
    Observation,
    Plan,
    Scene,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
)

_AGAIN = frozenset({"again", "try again", "yes", "y", "go on"})
_LEAVE = frozenset({"", "leave it", "leave", "no", "n", "stop"})
"""What a human may answer when the robot asks whether to try again; all else is a correction."""


class Runtime:
    """Carries one command at a time through to an outcome."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts; nothing moves yet."""
        self._parts = parts
        self._history: list[SubgoalResult] = []
        self._replans = 0
        self._execution = Execution(parts)
        self._recoverer = Recoverer(parts.memory)

    def run(
        self,
        command: str,
        seed: int | None,
        *,
        dry_run: bool = False,
        approve: Callable[[Plan], bool] = lambda plan: True,
        answer: Callable[[str], str] = lambda question: "",
        wish: Callable[[float], str] = lambda time_s: "",
    ) -> MissionResult:
        """Carry out a command; should anything be raised on the way, the robot is stopped.

        Args:
            command: What the human said.
            seed: Of the scene, where the robot is simulated; None goes on in the world as it is.
            dry_run: Plan and verify only.
            approve: Asked before the first motion, and again before a new plan that runs skills or
                handles things that no plan before did; anything but true and nothing moves.
            answer: Asked what the robot wants to know, while it holds still; says nothing where
                nobody is there, which ends the mission with the question.
            wish: Asked between subgoals, with the time of the mission, s, what the human has said
                meanwhile that changes the command; nothing for nothing.
        """
        self._answer, self._approve, self._wish = answer, approve, wish
        self._approved: set[str] = set()
        with ExitStack() as on_error:
            on_error.callback(self._parts.robot.stop)
            result = self._run(command, seed, dry_run)
            on_error.pop_all()
        return result

    def _run(self, command: str, seed: int | None, dry_run: bool) -> MissionResult:
        """Plan, ask whether that is wanted, and carry it out."""
        self._history, self._replans = [], 0
        self._recoverer.reset()
        observation = self._parts.robot.reset(seed)
        self._emit(MissionStarted(observation.time_s, command, self._parts.metadata))
        self._execution.begin(observation)
        scene = self._look(observation)
        plan = self._plan_or_ask(command, scene)
        if plan.question is not None:
            return self._end(MissionOutcome.NEEDS_HELP, plan, plan.question)
        if dry_run:
            return self._end(MissionOutcome.PLANNED, plan)
        if not self._may_run(plan) or self._parts.robot.stopped:
            return self._end(MissionOutcome.STOPPED, plan)
        return self._carry_out(plan, scene)

    def _carry_out(self, first: Plan, scene: Scene) -> MissionResult:
        """Run subgoals, plan after plan, until the goals are seen to hold or a budget is spent."""
        robot, budget = self._parts.robot, self._parts.budget
        before, goals = scene, expected(first, scene, self._parts.contracts)
        queue, attempt = list(first.subgoals), 1
        while robot.observe().time_s < budget.seconds:
            if (wished := self._as_wished(first, scene)) is not None:
                return wished
            closing = not queue
            result = self._execution.look() if closing else self._execution.run(queue[0], attempt)
            if result.outcome is SubgoalOutcome.STOPPED:
                return self._held(first, result)
            if not closing:
                self._history.append(result)
                self._recoverer.learn(result)
            scene = self._look(robot.observe())
            if result.outcome is SubgoalOutcome.SUCCESS:
                if not closing:
                    queue, attempt = queue[1:], 1
                    continue
                if not self._missed(goals, scene, before):
                    wished = self._as_wished(first, scene)
                    return wished or self._end(MissionOutcome.SUCCESS, first)
            recovery = self._recovery(None if closing else result, scene, attempt)
            if recovery in (Recovery.FROM_HOME, Recovery.REPLAN) and not closing:
                # Low down a held block seems to stand on the table, and the arm hides things.
                look = self._execution.look()
                if look.outcome is SubgoalOutcome.STOPPED:
                    return self._held(first, look)
                scene = self._look(robot.observe())
            if recovery in (Recovery.AGAIN, Recovery.FROM_HOME):
                attempt += 1
                continue
            if recovery is Recovery.ASK:
                break
            self._replans += 1
            plan = self._plan_or_ask(first.command, scene)
            if plan.question is not None:
                return self._end(MissionOutcome.NEEDS_HELP, first, plan.question)
            if not self._may_run(plan):
                return self._end(MissionOutcome.STOPPED, first)
            queue, attempt = list(plan.subgoals), 1
        if (wished := self._as_wished(first, scene)) is not None:
            return wished
        missed = self._missed(goals, scene, before)
        return self._ask_for_help(first, scene, self._help(missed, scene))

    def _held(self, first: Plan, last: SubgoalResult) -> MissionResult:
        """End a mission whose robot was stopped, in a subgoal or in a look between two of them."""
        self._history.append(last)
        return self._end(MissionOutcome.STOPPED, first, why_held(last.verdict))

    def _as_wished(self, first: Plan, scene: Scene) -> MissionResult | None:
        """Carry on with what the human wishes changed by now; None where there is nothing."""
        time_s = self._parts.robot.observe().time_s
        if not (wish := self._wish(time_s).strip()):
            return None
        self._emit(Corrected(time_s, wish))
        return self._anew(first, corrected(first.command, wish), scene)

    def _ask_for_help(self, first: Plan, scene: Scene, question: str) -> MissionResult:
        """End the mission with a question, or carry on as the human says, with a new budget."""
        wish = self._asked(question)
        if wish.lower() in _LEAVE:
            return self._end(MissionOutcome.NEEDS_HELP, first, question)
        again = wish.lower() in _AGAIN
        return self._anew(first, first.command if again else corrected(first.command, wish), scene)

    def _anew(self, first: Plan, command: str, scene: Scene) -> MissionResult:
        """Carry on with a changed command, on what is seen now, and with a new budget of plans."""
        self._replans = 0
        plan = self._plan_or_ask(command, scene)
        if plan.question is not None:
            return self._end(MissionOutcome.NEEDS_HELP, first, plan.question)
        if not self._may_run(plan):
            return self._end(MissionOutcome.STOPPED, first)
        return self._carry_out(plan, scene)

    def _recovery(self, failed: SubgoalResult | None, scene: Scene, attempt: int) -> Recovery:
        """Return what to do about a failure, None being goals that were not reached after all."""
        budget = self._parts.budget
        may_replan = self._replans < budget.replans
        if failed is None:
            return Recovery.REPLAN if may_replan else Recovery.ASK
        may_retry = attempt < budget.attempts and self._may_retry(failed.subgoal, scene)
        return self._recoverer.choose(failed, may_retry=may_retry, may_replan=may_replan)

    def _may_run(self, plan: Plan) -> bool:
        """Ask the human about a plan that runs or handles what no approved plan did before."""
        named = {name for s in plan.subgoals for name in (s.skill, *s.args.values())}
        if named <= self._approved:
            return True
        if not self._approve(plan):
            return False
        self._approved |= named
        return True

    def _plan_or_ask(self, command: str, scene: Scene) -> Plan:
        """Plan, and ask for as long as that takes and somebody answers."""
        plan = self._plan(command, scene)
        while plan.question is not None and (said := self._asked(plan.question)):
            plan = self._plan(corrected(plan.command, said), scene)
        return plan

    def _asked(self, question: str) -> str:
        """Return the answer to a question, nothing where there is none or the robot was stopped."""
        said = "" if self._parts.robot.stopped else self._answer(question).strip()
        if said:
            self._emit(Answered(self._parts.robot.observe().time_s, question, said))
        return said

    def _plan(self, command: str, scene: Scene) -> Plan:
        """Return the plan, or the question, of the first planner that has one."""
        why = ""
        for planner in (self._parts.planner, *self._parts.fallbacks):
            try:
                return self._verified(planner, command, scene)
            except PlannerError as error:
                why = str(error)
            if self._parts.robot.stopped:
                break
        return Plan(command=command, question=why)

    def _verified(self, planner: Planner, command: str, scene: Scene) -> Plan:
        """Return the first plan that verification accepts; the last call may only ask.

        Raises:
            PlannerError: There is none, or the planner does not work.
        """
        problems: list[str] = []
        images = self._parts.robot.observe().images
        for number in range(1 + REPAIRS + 1):
            plan = planner.plan(
                command, scene, self._parts.contracts, tuple(self._history), problems, images
            )
            refused = self._parts.verifier.problems(plan, scene, self._parts.contracts)
            if number > REPAIRS and plan.question is None:
                refused = problems
            problems = refused
            self._emit(Planned(scene.time_s, plan, tuple(problems), self._replans))
            if not problems:
                return plan
        raise PlannerError(f"I found no plan that I may run. {problems[0]}")

    def _look(self, observation: Observation) -> Scene:
        scene = self._parts.estimator.estimate(observation)
        self._emit(SceneEstimated(observation.time_s, scene))
        return scene

    def _may_retry(self, subgoal: Subgoal, scene: Scene) -> bool:
        """Return whether trying again can work: it may be begun, and has not come about unsaid.

        A button that was pressed, but is not known to be, would be pressed back.
        """
        contract = self._parts.contracts[subgoal.skill]
        may_begin = all(holds(f, scene) for f in contract.facts("preconditions", subgoal.args))
        done = contract.facts("done", subgoal.args)
        return may_begin and not (
            done and all(holds(f, scene, self._execution.began) for f in done)
        )

    def _missed(self, goals: Sequence[Fact], scene: Scene, before: Scene) -> list[Fact]:
        """Return the goals that are not surely reached, `before` being the mission's first look."""
        certainty = self._parts.certainty
        return [goal for goal in goals if not seen_to_hold(goal, scene, certainty, before)]

    def _help(self, missed: Sequence[Fact], scene: Scene) -> str:
        """Return a question that says what was tried, what is left, why it fails and what is seen.

        It ends with the choices there are.
        """
        unmet = ", ".join(map(str, missed)) or "the last look"
        failures = [r for r in self._history if r.outcome is not SubgoalOutcome.SUCCESS]
        last = "".join(f"; last: {r.subgoal.phrase}, {r.verdict.reason}" for r in failures[-1:])
        names = dict.fromkeys(goal.args[0] for goal in missed if goal.args)
        seen = [f"the {name} {whereabouts(name, scene)}" for name in names if name in scene.objects]
        see = f" I see {' and '.join(seen)}." if seen else ""
        return (
            f"After {self._replans} new plans I still have not reached {unmet}{last}.{see} "
            "Shall I try again, or leave it?"
        )

    def _end(
        self, outcome: MissionOutcome, plan: Plan, question: str | None = None
    ) -> MissionResult:
        """Return the result; a robot that was stopped makes any mission a stopped one."""
        outcome = MissionOutcome.STOPPED if self._parts.robot.stopped else outcome
        time_s = self._parts.robot.observe().time_s
        result = MissionResult(outcome, plan, tuple(self._history), self._replans, time_s, question)
        self._emit(MissionEnded(time_s, result))
        return result

    def _emit(self, event: Event) -> None:
        for subscriber in self._parts.subscribers:
            subscriber.on_event(event)
