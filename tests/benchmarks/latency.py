"""What latency costs a mission: `python -m tests.benchmarks.latency --added-ms 0 50 150`.

The same drawn missions, in a world on the wall clock and with the policy in a process of its own,
once with each way of asking it: at every tick (`sync`), and beside the ticks with each way to merge
chunks. The row `in process` asks at every tick in a world that waits, which is how the policy was
trained and calibrated. With `--virtual` time passes only where somebody waits for it: what is
computed takes none, and every number can be repeated. Exit code 1 where chunks in real time succeed
less often than that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from agent.build import Agent
from agent.config import Config, load_config
from agent.mission import Mission, run_mission
from skills.evaluate.commands import Command, draw_command
from tests.virtual import virtual_agent

SEED_BASE = 1_200_000
WAYS = ("sync", "ensemble", "replace")
_LIMIT_S = 5.0
_COMPUTING_S = 0.03
"""What an inference takes by itself in another process, s, beside what is added to it."""


def missions(count: int, seed_base: int) -> Iterator[tuple[int, Command]]:
    """Yield so many drawn commands of one object or two, and the seeds of their scenes."""
    seed = seed_base
    for number in range(count):
        while (command := draw_command(seed, 1 + number % 2)) is None:
            seed += 1
        yield seed, command
        seed += 1


def make_agent(way: str, added_s: float, virtual: bool, settings: list[str]) -> Agent:
    """Return an agent that asks its policy in one of the ways."""
    named = ["memory.file=null", "robot.realtime=true", *settings]
    if way != "sync":
        latency_s = added_s + _COMPUTING_S
        named += [f"policy.realtime.merge={way}", f"policy.realtime.latency_s={latency_s}"]
    if virtual:
        return virtual_agent(load_config(None, named), added_s + _COMPUTING_S)
    named += [f"policy.limit_s={_LIMIT_S}"]
    return Agent(load_config(None, [*named, f"policy.added_latency_s={added_s}"]))


def measured(name: str, agent: Agent, count: int, seed_base: int) -> dict[str, Any]:
    """Run the missions with one agent and return what came of them."""
    told, failed = [], []
    for seed, command in tqdm(list(missions(count, seed_base)), name, leave=False):
        summary = run_mission(agent, Mission(command.text, seed))
        told.append(summary)
        if not summary["world_success"] or summary["outcome"] != "success":
            failed.append({"seed": seed, "command": command.text, "outcome": summary["outcome"]})
    agent.close()
    reasons = Counter(s["reason"] for summary in told for s in summary["subgoals"])
    chunks = [summary["chunks"] for summary in told if summary["chunks"] is not None]
    row = {
        "name": name,
        "missions": len(told),
        "successes": sum(bool(s["world_success"]) for s in told),
        "claimed": sum(s["outcome"] == "success" for s in told),
        "seconds": round(float(np.mean([s["seconds"] for s in told])), 2),
        "subgoals": sum(reasons.values()),
        "reasons": dict(reasons),
        "failed": failed,
    }
    if chunks:
        row |= {
            "latency_ms": {
                q: round(1e3 * max(c["measured_latency_s"][q] for c in chunks), 1)
                for q in ("p50", "p99")
            },
            "starved": sum(c["starved_ticks"] for c in chunks),
            "ticks": sum(c["ticks"] for c in chunks),
            "jump_mm": {
                q: round(1e3 * float(np.median([c["jump_m"][q] for c in chunks])), 2)
                for q in ("p50", "p99", "max")
            },
        }
    return row


def in_process(settings: list[str]) -> Config:
    """Return the settings of a policy that is asked at every tick in a world that waits."""
    return load_config(None, ["memory.file=null", *settings])


def main() -> int:
    """Run every way at every latency; print one JSON object per line, the reference first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--added-ms", type=int, nargs="+", default=[0, 50, 150])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=[*WAYS, "rtc"])
    parser.add_argument("--seed-base", type=int, default=SEED_BASE)
    parser.add_argument("--virtual", action="store_true", help="in time that can be repeated")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    asked = parser.parse_args()
    of = asked.episodes, asked.seed_base
    reference = measured("in process", Agent(in_process(asked.settings)), *of)
    print(json.dumps(reference), flush=True)
    worse = False
    for added_ms in asked.added_ms:
        for way in asked.ways:
            agent = make_agent(way, added_ms / 1e3, asked.virtual, asked.settings)
            row = measured(f"{way}, {added_ms} ms added", agent, *of)
            print(json.dumps(row), flush=True)
            worse |= way != "sync" and row["successes"] < reference["successes"]
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
