"""Time that passes only when somebody waits for it, so that what happens in it can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, TypeVar

from agent.chunks.clock import ActedPolicy
from agent.chunks.policy import RealtimePolicy
from agent.config import Config
from agent.faults import DelayedPolicy
from agent.protocols import Policy

if TYPE_CHECKING:
    from agent.build import Agent

T = TypeVar("T")
_ROUNDING_S = 1e-9


class VirtualTime:
    """A clock that goes on by what is waited for; computing takes none."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def wait_until(self, time_s: float) -> None:
        self.now_s = max(self.now_s, time_s)


class LateFuture(Future[T]):
    """Is done at a moment of virtual time."""

    def __init__(self, time: VirtualTime, ready_s: float) -> None:
        super().__init__()
        self._time, self._ready_s = time, ready_s

    def done(self) -> bool:
        return self.cancelled() or self._time.now_s >= self._ready_s - _ROUNDING_S

    def result(self, timeout: float | None = None) -> T:
        limit_s = float("inf") if timeout is None else self._time.now_s + timeout
        self._time.wait_until(min(self._ready_s, limit_s))
        if not self.done():
            raise TimeoutError
        return super().result(0)


class LateExecutor(Executor):
    """Runs one job after another, each of which takes as long as it sleeps."""

    def __init__(self, time: VirtualTime) -> None:
        self._time, self._free_s = time, 0.0
        self.jobs = 0

    def submit(self, job: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        self.jobs += 1
        asked_s = self._time.now_s
        self._time.now_s = max(asked_s, self._free_s)
        failure: BaseException | None = None
        value: T | None = None
        try:
            value = job(*args, **named)
        except (RuntimeError, ValueError, LookupError) as error:
            failure = error
        self._free_s = self._time.now_s
        self._time.now_s = asked_s
        future: LateFuture[Any] = LateFuture(self._time, self._free_s)
        if failure is None:
            future.set_result(value)
        else:
            future.set_exception(failure)
        return future


def virtual_agent(config: Config, latency_s: float) -> Agent:
    """Return an agent whose world goes on in virtual time, and whose policy takes so long."""
    from agent.build import Agent
    from agent.robots.tabletop.disturbances import DisturbanceSpec
    from agent.robots.tabletop.metronome import Metronome
    from agent.robots.tabletop.robot import TabletopRobot
    from agent.robots.tabletop.world import RATE_HZ
    from agent.skilled import policy_checkpoint
    from skills.policy.policy import VLAPolicy
    from skills.registry import load_contracts

    agent, time = Agent(config), VirtualTime()
    network = VLAPolicy.from_checkpoint(policy_checkpoint(config))
    delayed = DelayedPolicy(lambda: network, latency_s, time.sleep)
    learned: Policy = ActedPolicy(delayed)
    plan, settings = agent.schedule, config.policy.realtime
    if plan is not None and settings is not None:
        learned = RealtimePolicy(
            delayed,
            plan,
            settings.decay,
            settings.limit_s,
            clock=time.clock,
            executor=LateExecutor(time),
        )
    contracts = load_contracts()
    agent.policies.update({name: learned for name, c in contracts.items() if c.learned})
    agent.__dict__["robot"] = TabletopRobot(
        DisturbanceSpec(**config.robot.disturbances.model_dump()),
        held=lambda: agent.pause.shut,
        metronome=Metronome(1 / RATE_HZ, time.clock, time.sleep),
    )
    return agent
