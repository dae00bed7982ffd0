"""From a configuration to objects: this module names the concrete classes.

Those of language models are named in `agent.language`, of robots in `agent.embodiment` and of
policies in `agent.skilled`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent.caveat import caveat
from agent.chunks.schedule import Schedule
from agent.config import Config
from agent.embodiment import (
    body,
    broadcast,
    bus_of,
    open_robot,
    simulated,
    snapshot,
    tabletop,
    truth,
)
from agent.errors import PlannerError, UsageError
from agent.language import LanguageModels
from agent.memory import FailureMemory
from agent.parts import Budget, Parts
from agent.pause import PausableRobot, Pause
from agent.perceiving import estimator, scene_checkpoint, sees
from agent.protocols import (
    Checker,
    Monitor,
    Planner,
    Robot,
    Subscriber,
    Verifier,
)
from agent.provenance import action_space, contracts_hash, software
from agent.runtime import Runtime
from agent.shielding import shield
from agent.skilled import policy_checkpoint, skilled
from agent.types import Plan

if TYPE_CHECKING:
    from agent.monitor.watch import Watch
    from agent.planner.grammar import GrammarPlanner
    from agent.robots.simulated import SimulatedRobot
    from agent.robots.tabletop.robot import TabletopRobot
    from agent.ros.bus import Bus
    from agent.types import Scene
    from skills.evaluate.scoring import World


class Agent:
    """A robot and everything that drives it; loaded once, good for many missions."""

    def __init__(self, config: Config) -> None:
        """Load contracts and checkpoints."""
        from skills.registry import load_contracts

        self.config = config
        self._open = ExitStack()
        # A missing key is said before any network is loaded.
        self.models = LanguageModels(config, self._open)
        self.body = body(config)
        self._skilled = skilled(config, self.body, self._open)
        self.policies = dict(self._skilled.policies)
        known = load_contracts().items()
        self.contracts = {name: skill for name, skill in known if name in self.policies}
        self.estimator = estimator(config)
        self.pause = Pause()
        self.memory = FailureMemory(config.memory.file)
        self._grammar = grammar(config)
        self._verifier = verifier(config)
        self._watch = watch(config) if self._skilled.ours else None

    @property
    def schedule(self) -> Schedule | None:
        """How chunks are inferred in real time; None where each tick waits for its own."""
        return self._skilled.schedule

    @property
    def caveat(self) -> str | None:
        """What a human should know before it moves; None where there is nothing."""
        return caveat(self.config, self.body, self._skilled)

    @cached_property
    def robot(self) -> Robot:
        """The robot, opened when it is first asked for; a replay may do without."""
        robot = open_robot(self.config.robot, lambda: self.pause.shut)
        self._open.callback(robot.close)
        return robot

    @cached_property
    def _broadcasts(self) -> list[Subscriber]:
        """Those that tell the robot's own bus, where it has one, what happens."""
        return broadcast(self.robot, self.config.robot)

    @property
    def bus(self) -> Bus | None:
        """The ROS 2 bus that the robot is on, closed with it; None where it is on none."""
        return bus_of(self.robot, self.config.robot)

    @property
    def tabletop(self) -> TabletopRobot:
        """The robot in its simulated world, for those who go on in it or repeat what was there.

        Raises:
            UsageError: It is another robot.
        """
        return tabletop(self.robot)

    @property
    def simulated(self) -> SimulatedRobot:
        """The robot in whichever simulated world, for those who repeat what was there.

        Raises:
            UsageError: It is out in the real world.
        """
        known = simulated(self.robot)
        if known is None:
            raise UsageError("What a robot did in the real world cannot be done again in it.")
        return known

    @cached_property
    def truth(self) -> World | None:
        """What is really there, for scoring and nothing else; None where nobody knows."""
        return truth(self.robot, self.config.robot)

    def runtime(
        self,
        seed: int | None,
        subscribers: Sequence[Subscriber] = (),
        planner: Planner | None = None,
        monitor: Monitor | None = None,
        *,
        continuous: bool = True,
    ) -> Runtime:
        """Return a loop for one mission.

        Args:
            seed: Of the scene; None where it goes on in the world as it is.
            subscribers: Are told what happens.
            planner: Takes the place of the configured one.
            monitor: Takes the place of the configured one.
            continuous: Whether the configured one watches all the time or only at the ends.
        """
        parts = self.parts(
            PausableRobot(self.robot, self.pause),
            # Where there is no seed, the mission goes on in the world that the last one left.
            {"seed": seed, "world": None if seed is not None else snapshot(self.robot)},
            [*subscribers, *self._broadcasts],
            continuous=continuous,
        )
        parts = replace(parts, planner=planner or parts.planner, monitor=monitor or parts.monitor)
        return Runtime(parts)

    def parts(
        self,
        robot: Robot,
        start: Mapping[str, Any],
        subscribers: Sequence[Subscriber] = (),
        *,
        continuous: bool = True,
    ) -> Parts:
        """Return what one mission is made of, as configured, with a robot of any kind.

        Args:
            robot: Carries it out.
            start: What the mission begins from, for its metadata.
            subscribers: Are told what happens.
            continuous: Whether the monitor watches all the time or only at the ends.
        """
        from skills.checkpoint import weights_hash

        config = self.config
        models = self.models.mission(lambda: robot.stopped, subscribers)
        return Parts(
            robot=robot,
            planner=models.planner or self._grammar,
            fallbacks=[self._grammar] if config.planner.fallback else [],
            verifier=self._verifier,
            policies=self.policies,
            contracts=self.contracts,
            estimator=self.estimator,
            monitor=self.monitor(continuous=continuous, checker=models.checker),
            shield=shield(self.body, config.shield),
            budget=Budget(config.budget.replans, config.budget.attempts, config.budget.seconds),
            certainty=config.monitor.fact_confidence,
            memory=self.memory,
            subscribers=subscribers,
            metadata={
                **start,
                **software(),
                "config": config.model_dump(mode="json"),
                "contracts": contracts_hash(self.contracts),
                "prompts": self.models.digest,
                "policy": self._skilled.digest,
                "policy_origin": self._skilled.origin,
                "calibration": None if self._watch is None else self._watch.digest,
                "scene": weights_hash(scene_checkpoint(config)) if sees(config) else None,
                "memory": [asdict(tally) for tally in self.memory.tallies()],
                "chunks": None if self.schedule is None else self.schedule.plain(),
                **action_space(robot.spec),
                "workspace": [self.body.low.tolist(), self.body.high.tolist()],
            },
        )

    def understand(self, text: str, scene: Scene) -> Plan:
        """Return what is made of words in a scene, outside of a mission: a plan, or a question.

        A language model is asked about what the grammar cannot read only: it takes seconds.
        """
        read = self._grammar.read(text, scene, self.contracts)
        if read.question is None:
            return read
        planner = self.models.mission(lambda: False, ()).planner
        if planner is None:
            return read
        try:
            return planner.plan(text, scene, self.contracts, ())
        except PlannerError as error:
            return Plan(command=text, question=str(error))

    def monitor(self, *, continuous: bool = True, checker: Checker | None = None) -> Monitor:
        """Return what watches subgoals, all the time or only at their ends.

        Args:
            continuous: Whether it watches all the time.
            checker: May object to a success; its budget is that of one mission.
        """
        from agent.monitor.limits import MonitorLimits
        from agent.monitor.monitor import SubgoalMonitor
        from agent.monitor.steps import ToolSteps

        config = self.config.monitor
        limits = MonitorLimits(
            success=config.success_threshold,
            fact_confidence=config.fact_confidence,
            confirm_ticks=config.confirm_ticks,
            stuck_s=config.stuck_s,
            stuck_m=config.stuck_m,
            continuous=continuous,
        )
        steps = ToolSteps(self.body.spec.space, self.body.kinematics)
        return SubgoalMonitor(self.contracts, self.estimator, limits, self._watch, checker, steps)

    def close(self) -> None:
        """Release the robot and end the policy's process."""
        self._open.close()


def grammar(config: Config) -> GrammarPlanner:
    """Return the planner that needs no model."""
    from agent.planner.grammar import GrammarPlanner

    return GrammarPlanner(config.monitor.presence_threshold, config.monitor.fact_confidence)


def verifier(config: Config) -> Verifier:
    """Return what checks plans before anything moves."""
    from agent.planner.verify import PlanVerifier

    return PlanVerifier(
        config.planner.max_subgoals, config.monitor.presence_threshold, config.budget.seconds
    )


def watch(config: Config) -> Watch | None:
    """Return what is usual under the policy's weights, with alarms as rare as configured.

    Raises:
        CheckpointError: The policy has not been calibrated, or on too few runs.
    """
    from agent.monitor.calibration import Calibration
    from agent.monitor.watch import Watch
    from skills.checkpoint import weights_hash

    if config.monitor.alpha is None:
        return None
    folder = policy_checkpoint(config)
    return Watch(Calibration.beside(folder, weights_hash(folder)), config.monitor.alpha)
