"""The policy in another process: `python -m tests.benchmarks.served --missions 10 --added-ms 0 50`.

Commands are drawn from seeds. Each mission is run with the policy in this process, and with the
policy behind `bosun serve` at each latency, on the same seed. The world waits for the policy here,
so latency costs time and nothing else. Exit code 1 if a mission over the wire differs from the one
in this process by a bit of what the policy said or the robot was sent.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tqdm import tqdm

from agent.build import Agent
from agent.config import load_config
from agent.events import Event, Ticked
from agent.mission import Mission, run_mission
from skills.evaluate.commands import draw_command
from tests.serve.delay import delayed
from tests.serve.processes import serving

_SEED = 1_900_000
_IN_PROCESS = "in process"


class Digest:
    """Hashes what the policy said and what the robot was sent, tick by tick."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.ticks = 0

    @property
    def value(self) -> str:
        return self._hash.hexdigest()

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked):
            chunk, self.ticks = event.chunk, self.ticks + 1
            for part in (chunk.actions, chunk.spread, event.action, event.sent):
                self._hash.update(b"none" if part is None else part.tobytes())
            self._hash.update(repr((event.time_s, chunk.progress, chunk.success)).encode())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one mission: success by the world's truth, and the hash of all its ticks."""

    succeeded: bool
    robot_s: float
    wall_s: float
    ticks: int
    digest: str


def commands(count: int) -> Iterator[tuple[int, str]]:
    """Yield so many seeds with a command that makes sense in their scene."""
    seed, found = _SEED, 0
    while found < count:
        drawn = draw_command(seed, 1)
        if drawn is not None:
            found += 1
            yield seed, drawn.text
        seed += 1


def run(where: str, missions: Sequence[tuple[int, str]], *settings: str) -> list[Outcome]:
    """Return what came of the missions."""
    outcomes: list[Outcome] = []
    agent = Agent(load_config(None, ["memory.file=null", *settings]))
    try:
        for seed, command in tqdm(missions, where):
            digest, began = Digest(), time.perf_counter()
            summary = run_mission(agent, Mission(command, seed, None), [digest])
            wall_s = time.perf_counter() - began
            outcomes.append(
                Outcome(
                    succeeded=summary["world_success"] is True,
                    robot_s=summary["seconds"],
                    wall_s=wall_s,
                    ticks=digest.ticks,
                    digest=digest.value,
                )
            )
    finally:
        agent.close()
    return outcomes


def told(outcomes: Sequence[Outcome], alike: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of one way to run the policy, beside those in this process."""
    return {
        "succeeded": sum(outcome.succeeded for outcome in outcomes),
        "identical": sum(
            o.digest == other.digest for o, other in zip(outcomes, alike, strict=True)
        ),
        "robot_s": round(sum(outcome.robot_s for outcome in outcomes), 1),
        "wall_s": round(sum(outcome.wall_s for outcome in outcomes), 1),
        "wall_ms_per_tick": round(
            1e3 * median(outcome.wall_s / max(1, outcome.ticks) for outcome in outcomes), 1
        ),
    }


def main() -> int:
    """Run the missions each way, print one JSON object, and say by the exit code if all agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missions", type=int, default=10)
    parser.add_argument("--added-ms", type=float, nargs="+", default=[0.0, 50.0, 150.0])
    asked = parser.parse_args()
    missions = list(commands(asked.missions))
    here = run(_IN_PROCESS, missions)
    found = {_IN_PROCESS: told(here, here)}
    with serving() as served:
        for added_ms in asked.added_ms:
            where = f"served, {added_ms:g} ms added"
            with delayed(served.address, added_ms / 1e3) as address:
                there = run(where, missions, f"policy=openpi://{address}")
            found[where] = told(there, here)
    print(json.dumps({"missions": len(missions), **found}))
    return int(any(figures["identical"] < len(missions) for figures in found.values()))


if __name__ == "__main__":
    sys.exit(main())
