"""The monitor: cheap signals every tick, the estimated scene when the policy thinks it is done.

Success needs two witnesses: the policy's success head and the contract's done test on the scene
estimated from images. A timer is never one, and whatever cannot be judged is `insufficient`. A
language model that sees may be a third one: it can object, and by itself never makes success. For a
policy without a success head it is the second one; where it does not know, or there is none, the
second one is the scene as it is seen from home.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from agent.events import Strain
from agent.facts import confidence, holds
from agent.monitor.cameras import CameraWatch
from agent.monitor.causes import cause
from agent.monitor.grip import Grip
from agent.monitor.limits import MonitorLimits
from agent.monitor.steps import ToolSteps
from agent.monitor.tempo import judged_s
from agent.monitor.watch import Watch, reason
from agent.monitor.witness import PictureWitness
from agent.protocols import Checker, SceneEstimator
from agent.types import (
    ActionChunk,
    Observation,
    Reason,
    Scene,
    SkillContract,
    Subgoal,
    Vector,
    Verdict,
    VerdictValue,
)

_PUSHED_M = 0.05
"""How far an arm that does not move was told to go, m, for something to be in its way."""


class SubgoalMonitor:
    """Watches the subgoals of one mission, one at a time; fails closed.

    Attributes:
        strain: How the tick checked last compares with what is usual; None where it was not usable,
            or nothing usual is known.
    """

    def __init__(
        self,
        contracts: Mapping[str, SkillContract],
        estimator: SceneEstimator,
        limits: MonitorLimits,
        watch: Watch | None = None,
        checker: Checker | None = None,
        steps: ToolSteps | None = None,
    ) -> None:
        """Keep the limits; `reset` names what is watched.

        Args:
            contracts: Skill name -> contract.
            estimator: Tells the scene from images.
            limits: The thresholds.
            watch: What is usual of the skills; without one, only what is plainly wrong is seen.
            checker: Is asked before success is confirmed, and may only object; for one mission.
            steps: Tells how actions move the tool; by default they are deltas of it.
        """
        self._contracts = contracts
        self._estimator = estimator
        self._limits = limits
        self._watch = watch
        self._witness = None if checker is None else PictureWitness(checker)
        self._steps = steps or ToolSteps()
        self._cameras = CameraWatch()
        self.strain: Strain | None = None
        self._alarmed: set[str] = set()

    def reset(self, subgoal: Subgoal, scene: Scene, since: Scene | None = None) -> None:
        """Begin to watch a subgoal, or only to look at it again, see `Monitor.reset`."""
        contract = self._contracts[subgoal.skill]
        self._phrase = subgoal.phrase
        self._contract, self._args = contract, subgoal.args
        self._done = contract.facts("done", subgoal.args)
        wanted = contract.facts("preconditions", subgoal.args)
        self._carries = any(fact.predicate == "held" for fact in wanted)
        self._trail: deque[tuple[float, Vector, npt.NDArray[np.floating]]] = deque()
        self._before, self._started_s = since or scene, scene.time_s
        self._again = since is not None
        self._agreed = self._doubted = 0
        self._judged_s: float | None = None
        self._grip = Grip(holding=self._carries)
        self._cameras.reset()
        self._steps.reset()
        if self._witness is not None:
            self._witness.reset(subgoal.phrase, [str(fact) for fact in self._done])
        if self._watch is not None:
            spent = subgoal.phrase in self._alarmed
            self._watch.reset(subgoal.skill, contract.time_budget_s, spent=spent)

    def check(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Return a verdict that ends the subgoal, or None to carry on."""
        self.strain = None
        if self._witness is not None:
            self._witness.look(observation)
        if not _usable(chunk, self._steps.bound):
            evidence = {
                "largest_action": float(np.abs(chunk.actions).max()),
                "success": chunk.success,
            }
            return Verdict(VerdictValue.INSUFFICIENT, Reason.POLICY_INVALID, 1.0, evidence)
        lost = self._cameras.lost(observation)
        if lost is not None:
            return Verdict(VerdictValue.INSUFFICIENT, Reason.CAMERA_LOST, 1.0, {"camera": lost})
        if self._again:
            return self._seen_again(observation)
        steps = self._steps(observation, chunk)
        self._note(observation, steps[0])
        self._grip.note(observation, chunk)
        if self._watch is not None:
            self.strain = self._watch.look(observation, chunk, steps)
        success = chunk.success or 0.0
        elapsed = observation.time_s - self._started_s
        late = elapsed >= self._contract.time_budget_s
        if success >= self._limits.success:
            verdict = self._judge(observation, chunk) if self._is_new(observation, chunk) else None
            if verdict is None and late and not self._agreed:
                return self._out_of_time(observation, success, elapsed)
            return verdict
        going = self._going(observation, chunk) if self._limits.continuous else None
        if chunk.success is None:
            going = going or self._seen_done(observation)
        else:
            self._agreed = 0
        if going is None and late:
            return self._out_of_time(observation, success, elapsed)
        return going

    def _going(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Judge a subgoal that goes on: None where nothing speaks against it."""
        success = chunk.success or 0.0
        lost = self._carries and self._grip.empty_ticks >= self._limits.lost_ticks
        if lost or self._let_go(observation):
            evidence: dict[str, object] = {"gripper": observation.gripper}
            return Verdict(VerdictValue.REFUTED, Reason.DROPPED, 1.0, evidence)
        if self._stuck(observation):
            sent_m = float(np.linalg.norm(np.sum([step for _, _, step in self._trail], axis=0)))
            # Where joints do not tell of the tool, it is not known what that was told.
            told = {"sent_m": sent_m} if np.isfinite(sent_m) else {}
            evidence = {"seconds": self._limits.stuck_s, **told, "success": success}
            why = Reason.BLOCKED if sent_m > _PUSHED_M else Reason.STUCK
            return Verdict(VerdictValue.REFUTED, why, 1.0 - success, evidence)
        strain = self.strain
        if strain is not None and strain.alarming:
            self._alarmed.add(self._phrase)
            signals = dict(strain.signals)
            evidence = {"score": strain.score, "usual": strain.limit, "signals": signals}
            why = self._cause(self._estimator.estimate(observation), reason(strain))
            return Verdict(VerdictValue.INSUFFICIENT, why, 1.0 - success, evidence)
        return None

    def _seen_done(self, observation: Observation) -> Verdict | None:
        """Judge a subgoal of a policy without a success head, once the scene says it is done."""
        _, facts, sure = self._seen(observation)
        agrees = bool(facts) and all(facts.values()) and sure >= self._limits.fact_confidence
        self._agreed = self._agreed + 1 if agrees else 0
        if self._agreed < self._limits.confirm_ticks:
            return None
        evidence = {"success": None, "facts": facts, "fact_confidence": sure}
        alone = Verdict(VerdictValue.INSUFFICIENT, Reason.ONE_WITNESS, sure, evidence)
        return alone if self._witness is None else self._witness.second(alone, observation)

    def _seen_again(self, observation: Observation) -> Verdict:
        """Judge what only the scene said was done, from another place, at first sight."""
        _, facts, sure = self._seen(observation)
        evidence = {"success": None, "facts": facts, "fact_confidence": sure}
        if sure < self._limits.fact_confidence:
            return Verdict(VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE, sure, evidence)
        if all(facts.values()):
            return Verdict(VerdictValue.CONFIRMED, Reason.DONE, sure, evidence)
        return Verdict(VerdictValue.REFUTED, Reason.NOT_ACHIEVED, sure, evidence)

    def _is_new(self, observation: Observation, chunk: ActionChunk) -> bool:
        """Return whether a chunk's heads have not been heard; one inference is one witness."""
        before, self._judged_s = self._judged_s, judged_s(observation, chunk)
        return chunk.timing is None or self._judged_s != before

    def _judge(self, observation: Observation, chunk: ActionChunk) -> Verdict | None:
        """Ask the scene whether it agrees with the policy that the subgoal is done."""
        success = chunk.success or 0.0
        scene, facts, sure = self._seen(observation)
        agrees = all(facts.values())
        evidence = {"success": success, "facts": facts, "fact_confidence": sure}
        if chunk.timing is not None:
            evidence["success_age_s"] = observation.time_s - chunk.timing.seen_s
        if agrees and sure >= self._limits.fact_confidence:
            self._agreed, self._doubted = self._agreed + 1, 0
            if self._agreed < self._limits.confirm_ticks:
                return None
            done = Verdict(VerdictValue.CONFIRMED, Reason.DONE, min(success, sure), evidence)
            return done if self._witness is None else self._witness.weigh(done, observation)
        self._agreed, self._doubted = 0, self._doubted + 1
        if self._doubted < self._limits.doubt_ticks:
            return None
        if sure < self._limits.fact_confidence:
            return Verdict(VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE, sure, evidence)
        missed = Reason.GRASP_MISSED if self._is_grasp() else Reason.NOT_ACHIEVED
        why = self._cause(scene, missed)
        return Verdict(VerdictValue.REFUTED, why, sure, evidence)

    def _out_of_time(self, observation: Observation, success: float, elapsed: float) -> Verdict:
        """Say what is known when the time is up; never that it is done."""
        scene, facts, sure = self._seen(observation)
        evidence = {
            "seconds": elapsed,
            "success": success,
            "facts": facts,
            "fact_confidence": sure,
        }
        refuted = sure >= self._limits.fact_confidence and not all(facts.values())
        if not refuted:
            return Verdict(VerdictValue.INSUFFICIENT, Reason.TIMEOUT, 1.0 - sure, evidence)
        why = self._cause(scene, Reason.TIMEOUT)
        return Verdict(VerdictValue.REFUTED, why, sure, evidence)

    def _seen(self, observation: Observation) -> tuple[Scene, dict[str, bool], float]:
        """Return the scene, what of being done holds in it, and how sure all of that is, 0..1."""
        scene = self._estimator.estimate(observation)
        facts = {str(fact): holds(fact, scene, self._before) for fact in self._done}
        sure = (confidence(fact, scene, self._before) for fact in self._done)
        return scene, facts, min(sure, default=1.0)

    def _cause(self, scene: Scene, usual: Reason) -> Reason:
        if self._grip.slipped:
            return Reason.DROPPED
        path = np.array([tool for _, tool, _ in self._trail])
        return cause(self._args, self._before, scene, usual, path)

    def _is_grasp(self) -> bool:
        return any(fact.predicate == "held" for fact in self._done)

    def _note(self, observation: Observation, step: npt.NDArray[np.floating]) -> None:
        self._trail.append((observation.time_s, observation.ee_pose[:3], step))
        while observation.time_s - self._trail[0][0] > self._limits.stuck_s:
            self._trail.popleft()

    def _stuck(self, observation: Observation) -> bool:
        """Return whether the tool has stayed in one spot for the whole window."""
        window = observation.time_s - self._trail[0][0]
        if window < self._limits.stuck_s - 0.15 or not self._contract.learned:
            return False
        trail = np.array([position for _, position, _ in self._trail])
        return bool((trail.max(0) - trail.min(0)).max() < self._limits.stuck_m)

    def _let_go(self, observation: Observation) -> bool:
        """Return whether what was carried has been let go of, and surely is not where it should be.

        A policy that has put something down says so within half a second; one that has lost it
        hovers with open fingers.
        """
        ticks = self._grip.open_ticks
        if not self._carries or ticks == 0 or ticks % self._limits.open_ticks:
            return False
        _, facts, sure = self._seen(observation)
        return sure >= self._limits.fact_confidence and not all(facts.values())


def broken_off(verdict: Verdict) -> bool:
    """Return whether a verdict ended a subgoal that was neither said to be done nor out of time.

    Of one that was, the facts are told.
    """
    return verdict.value is not VerdictValue.CONFIRMED and "facts" not in verdict.evidence


def _usable(chunk: ActionChunk, bound: float) -> bool:
    """Return whether every number of a chunk is one, and no action is out of all bounds."""
    heads = [chunk.success, chunk.progress]
    # What is no number is not small, either.
    return bool((np.abs(chunk.actions) < bound).all()) and all(
        head is None or np.isfinite(head) for head in heads
    )
