"""One subgoal: tick by tick, watched, until there is a verdict."""

from __future__ import annotations

from agent.errors import CameraLost, PolicyInvalid, PolicyLost, RobotStopped, ShieldBreach
from agent.events import (
    Event,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.fitting import fit
from agent.parts import Parts
from agent.recovery import HELD
from agent.types import (
    Observation,
    Reason,
    Scene,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Vector,
    Verdict,
    VerdictValue,
)


class Execution:
    """Carries out one subgoal at a time.

    Attributes:
        began: The scene in which the last one began.
    """

    def __init__(self, parts: Parts) -> None:
        """Keep the parts; nothing moves yet."""
        self._parts = parts
        self.began = Scene(0.0)

    def begin(self, observation: Observation) -> None:
        """Forget the last mission, and let policies look whether they and the robot fit.

        Raises:
            ConfigError: One does not; nothing has moved.
        """
        self._parts.estimator.reset()
        for policy in self._parts.policies.values():
            fit(policy, self._parts.robot.spec, observation)

    def run(self, subgoal: Subgoal, attempt: int) -> SubgoalResult:
        """Carry out a subgoal, and look again from home where one witness alone says it is done.

        There the hand hides nothing, so what is seen is a witness of its own.
        """
        result = self._watched(subgoal, attempt)
        if result.verdict.reason is not Reason.ONE_WITNESS:
            return result
        since, looked = self.began, self.look()
        if looked.outcome is SubgoalOutcome.STOPPED:
            return looked
        if looked.outcome is SubgoalOutcome.SUCCESS:
            return self._watched(subgoal, attempt, since)
        self.began = since
        return result

    def look(self) -> SubgoalResult:
        """Look from home, out of the cameras' way, as every mission does at its end."""
        phrase = self._parts.contracts["look"].phrase({})
        return self._watched(Subgoal(skill="look", phrase=phrase), 0)

    def _watched(self, subgoal: Subgoal, attempt: int, since: Scene | None = None) -> SubgoalResult:
        """Tick until the monitor gives a verdict, the robot is stopped or the time is spent.

        `since` is that of `Monitor.reset`: where it is given, nothing moves.
        """
        parts = self._parts
        observation = parts.robot.observe()
        self._emit(SubgoalStarted(observation.time_s, subgoal, attempt))
        policy = parts.policies[subgoal.skill]
        scene = parts.estimator.estimate(observation)
        self.began = since or scene
        parts.monitor.reset(subgoal, scene, since)
        ticks, verdict = 0, None
        try:
            policy.reset(subgoal.phrase)
            while verdict is None:
                observation = parts.robot.observe()
                chunk = policy.infer(observation)
                halted = self._halted(observation)
                verdict = halted or parts.monitor.check(observation, chunk)
                strain = None if halted else parts.monitor.strain
                action, sent = chunk.actions[0].astype(float), None
                if verdict is None:
                    sent, verdict = self._act(observation, action)
                    ticks += sent is not None
                self._emit(Ticked(observation.time_s, observation, chunk, action, sent, strain))
        except PolicyLost as lost:
            invalid = isinstance(lost, PolicyInvalid)
            reason = Reason.POLICY_INVALID if invalid else Reason.POLICY_LOST
            verdict = Verdict(VerdictValue.INSUFFICIENT, reason, 1.0, {"fault": str(lost)})
        if verdict.reason in HELD:
            parts.robot.stop()
            self._emit(Stopped(observation.time_s, verdict.reason.value))
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
            return None, self._latched(observation)

    def _halted(self, observation: Observation) -> Verdict | None:
        """Return the verdict no monitor is asked for: stopped, or the mission's time is spent."""
        if self._parts.robot.stopped:
            return self._latched(observation)
        if observation.time_s >= self._parts.budget.seconds:
            return Verdict(VerdictValue.INSUFFICIENT, Reason.TIMEOUT, 1.0)
        return None

    def _latched(self, observation: Observation) -> Verdict:
        fault = self._parts.robot.fault
        if fault is not None:
            reason = Reason.CAMERA_LOST if isinstance(fault, CameraLost) else Reason.ROBOT_LOST
            return Verdict(VerdictValue.INSUFFICIENT, reason, 1.0, {"fault": str(fault)})
        self._emit(Stopped(observation.time_s, "latch"))
        return Verdict(VerdictValue.INSUFFICIENT, Reason.STOPPED, 1.0)

    def _emit(self, event: Event) -> None:
        for subscriber in self._parts.subscribers:
            subscriber.on_event(event)


def _outcome(verdict: Verdict) -> SubgoalOutcome:
    """Return what a verdict makes of a subgoal; only confirmed as done is success."""
    match verdict.value, verdict.reason:
        case VerdictValue.CONFIRMED, Reason.DONE:
            return SubgoalOutcome.SUCCESS
        case _, Reason.STOPPED | Reason.OUT_OF_LIMITS:
            return SubgoalOutcome.STOPPED
        case _, reason if reason in HELD:
            return SubgoalOutcome.STOPPED
        case _, Reason.TIMEOUT:
            return SubgoalOutcome.TIMEOUT
        case VerdictValue.INSUFFICIENT, _:
            return SubgoalOutcome.LOW_CONFIDENCE
    return SubgoalOutcome.FAILED
