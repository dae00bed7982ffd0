"""The parts of a mission that is carried over what was recorded, without a world.

Each asks its living counterpart what it would do now, notes where that is not what was done then,
and goes on with what was done then, so that every tick is judged from what really led to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import numpy as np

from agent.action_space import ActionSpec
from agent.errors import PlannerError, PolicyLost
from agent.events import MissionEnded, Planned, SceneEstimated, Strain
from agent.fitting import fit
from agent.protocols import Monitor, Planner, Policy, SceneEstimator, Verifier
from agent.replay.recording import Recording
from agent.types import (
    ActionChunk,
    Image,
    Observation,
    Plan,
    Reason,
    Scene,
    SkillContract,
    Subgoal,
    SubgoalResult,
    Vector,
    Verdict,
)


class Kind(StrEnum):
    """Of what kind a difference is."""

    ACTION = "action"
    VERDICT = "verdict"
    PLAN = "plan"
    PROBLEMS = "problems"
    SCENE = "scene"
    LOOP = "loop"


Note = Callable[[Kind, str, str], None]
"""Takes down a difference: of what kind, what was done then, and what would be done now."""


_NEAR_M = 0.005
"""How far apart two estimates of one thing's place may be, m."""
_NOT_THE_MONITORS = (Reason.STOPPED, Reason.OUT_OF_LIMITS, Reason.POLICY_LOST)
_NOTHING = Observation(0.0, {}, np.zeros(0), np.zeros(7), 0.0)
"""Stands for what was sensed in an episode without a tick."""


class RecordedRobot:
    """Senses what was sensed, does what was done, and is stopped when it was stopped."""

    def __init__(self, recording: Recording, spec: ActionSpec) -> None:
        """Take where its senses come from."""
        self._recording, self._spec = recording, spec
        self._seen, self._latched = _NOTHING, False

    @property
    def spec(self) -> ActionSpec:
        """The action space of the robot that was recorded."""
        return self._spec

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set, or was at this moment."""
        self._latched = self._latched or self._recording.stops
        return self._latched

    @property
    def fault(self) -> None:
        """Nothing: what was lost is part of what was recorded."""

    def reset(self, seed: int | None) -> Observation:
        """Begin; the world is as it was recorded, whatever the seed."""
        self._latched = False
        return self.observe()

    def observe(self) -> Observation:
        """Return what was sensed at the next tick; at the end, what was sensed last."""
        tick = self._recording.tick()
        if tick is not None:
            self._seen = tick.observation
        return self._seen

    def act(self, action: Vector) -> Vector:
        """Return what was sent."""
        tick = self._recording.tick()
        return action if tick is None or tick.sent is None else tick.sent

    def stop(self) -> None:
        """Set the latch."""
        self._latched = True

    def close(self) -> None:
        """Release nothing."""


class ForcedPolicy:
    """Answers what was answered."""

    def __init__(
        self,
        living: Policy,
        recording: Recording,
        note: Note,
        tolerance: float,
        names: Sequence[str],
    ) -> None:
        """Take what would answer now, and by how much it may differ in each of its numbers."""
        self._living, self._recording, self._note = living, recording, note
        self._tolerance, self._names = tolerance, names
        self.answered: ActionChunk | None = None

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Let the living one look whether it fits."""
        fit(self._living, spec, observation)

    def reset(self, phrase: str) -> None:
        """Begin a subgoal."""
        self._living.reset(phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the recorded chunk; the living one is in `answered`."""
        tick = self._recording.tick()
        if tick is None:
            raise PolicyLost("The episode has no answer of the policy here.")
        self.answered = self._living.infer(observation)
        then, now = tick.action, self.answered.actions[0].astype(float)
        apart = ~np.isclose(then, now, rtol=0.0, atol=self._tolerance, equal_nan=True)
        if apart.any():
            worst = int(np.argmax(np.abs(np.nan_to_num(now - then, nan=np.inf))))
            name = self._names[worst]
            self._note(Kind.ACTION, f"{name} {then[worst]:.4f}", f"{name} {now[worst]:.4f}")
        return tick.chunk


class ForcedMonitor:
    """Judges as was judged.

    Attributes:
        strain: What was made of the tick that was checked last.
    """

    def __init__(
        self,
        living: Monitor,
        recording: Recording,
        note: Note,
        policies: Mapping[str, ForcedPolicy],
    ) -> None:
        """Take what would judge now; it is given what the policies would answer now."""
        self._living, self._recording, self._note = living, recording, note
        self._policies = policies
        self.strain: Strain | None = None

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        """Begin to watch a subgoal."""
        self._policy = self._policies[subgoal.skill]
        self._living.reset(subgoal, scene, since)

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return the recorded verdict, if the monitor gave one here."""
        given, tick = self._recording.verdict(), self._recording.tick()
        self.strain = None if tick is None else tick.strain
        then = None if given is None or given.verdict.reason in _NOT_THE_MONITORS else given.verdict
        now = self._living.check(observation, self._policy.answered or chunk)
        if _judgement(then) != _judgement(now):
            self._note(Kind.VERDICT, _judgement(then), _judgement(now))
        return then


class ForcedPlanner:
    """Plans as was planned."""

    def __init__(self, living: Planner, recording: Recording, note: Note, *, last: bool) -> None:
        """Take what would plan now, and whether nobody plans in its place should it fail."""
        self._living, self._recording, self._note, self._last = living, recording, note, last

    def plan(
        self,
        command: str,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        problems: Sequence[str] = (),
        images: Mapping[str, Image] | None = None,
    ) -> Plan:
        """Return the recorded plan.

        Raises:
            PlannerError: There was none.
        """
        then = self._recording.peek()
        try:
            now = self._living.plan(command, scene, contracts, history, problems, images)
        except PlannerError as error:
            if not isinstance(then, Planned) or not self._last:
                raise
            self._note(Kind.PLAN, _steps(then.plan), str(error))
            return then.plan
        if isinstance(then, Planned):
            if _steps(then.plan) != _steps(now):
                self._note(Kind.PLAN, _steps(then.plan), _steps(now))
            return then.plan
        why = then.result.question if isinstance(then, MissionEnded) else None
        self._note(Kind.PLAN, why or "no plan", _steps(now))
        raise PlannerError(why or "There was no plan.")


class ForcedVerifier:
    """Objects to what was objected to."""

    def __init__(self, living: Verifier, recording: Recording, note: Note) -> None:
        """Take what would verify now."""
        self._living, self._recording, self._note = living, recording, note

    def problems(
        self, plan: Plan, scene: Scene, contracts: Mapping[str, SkillContract]
    ) -> list[str]:
        """Return the recorded problems."""
        event = self._recording.peek()
        now = self._living.problems(plan, scene, contracts)
        if not isinstance(event, Planned):
            return now
        then = list(event.problems)
        # A plan that may not ask any more keeps the problems of the one before it.
        if then != now and not (plan.question is None and then and not now):
            self._note(Kind.PROBLEMS, " ".join(then) or "none", " ".join(now) or "none")
        return then


class ForcedEstimator:
    """Believes what was believed where a decision was made on it."""

    def __init__(self, living: SceneEstimator, recording: Recording, note: Note) -> None:
        """Take what would estimate now."""
        self._living, self._recording, self._note = living, recording, note

    def reset(self) -> None:
        """Forget everything."""
        self._living.reset()

    def estimate(self, observation: Observation) -> Scene:
        """Return the recorded scene where there is one, else the living one."""
        event = self._recording.peek()
        then = event.scene if isinstance(event, SceneEstimated) else None
        if not observation.images:
            return then or Scene(observation.time_s)
        now = self._living.estimate(observation)
        if then is None:
            return now
        for name in dict.fromkeys([*then.objects, *now.objects]):
            first, second = _whereabouts(name, then), _whereabouts(name, now)
            if first != second and not _near(name, then, now):
                self._note(Kind.SCENE, f"{name} {first}", f"{name} {second}")
        return then


def _judgement(verdict: Verdict | None) -> str:
    return "goes on" if verdict is None else f"{verdict.value.value}: {verdict.reason.value}"


def _steps(plan: Plan) -> str:
    return plan.question or "; ".join(subgoal.phrase for subgoal in plan.subgoals) or "nothing"


def _whereabouts(name: str, scene: Scene) -> str:
    thing = scene.objects.get(name)
    if thing is None:
        return "is not there"
    x, y, z = thing.position
    part = "" if thing.articulation is None else f", {thing.articulation:.3f}"
    return f"on {thing.support} at {x:.3f} {y:.3f} {z:.3f}{part}"


def _near(name: str, then: Scene, now: Scene) -> bool:
    """Return whether two estimates of a thing tell the same but for a few millimetres."""
    old, new = then.objects.get(name), now.objects.get(name)
    if old is None or new is None:
        return False
    way = float(np.linalg.norm(old.position - new.position))
    part = abs((old.articulation or 0.0) - (new.articulation or 0.0))
    return old.support == new.support and way < _NEAR_M and part < _NEAR_M
