"""Missions of our policy without its heads: `python -m tests.benchmarks.headless`.

So answers a model of somebody else's: actions, and nothing of how far it has come or how sure it
is. It goes without statistical alarms, too, which are learned for one model's weights.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial

from agent.build import grammar, verifier
from agent.config import Config, load_config
from agent.mission import TruthBench
from agent.protocols import Policy
from agent.types import ActionChunk, Observation
from skills.evaluate.written import evaluate_written, find_cases, load_suite

_SEED_BASE = 1_000_000


class Headless:
    """Answers the actions of the policy it wraps."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def reset(self, phrase: str) -> None:
        self._policy.reset(phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        chunk = self._policy.infer(observation)
        return replace(chunk, spread=None, progress=None, success=None)


class HeadlessBench(TruthBench):
    """Runs missions with every learned skill so wrapped."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        for name, contract in self._agent.contracts.items():
            if contract.learned:
                self._agent.policies[name] = Headless(self._agent.policies[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=5, help="scenes for each command")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    config = load_config(None, ["monitor.alpha=null"])
    cases = find_cases(load_suite(), grammar(config), verifier(config), _SEED_BASE, args.each)
    bench = partial(HeadlessBench, config)
    found = evaluate_written(bench, cases, _SEED_BASE, args.workers, flat=False)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
