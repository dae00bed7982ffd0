"""What looks at things and moves none: skills, memory, doctor."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console as Terminal
from rich.table import Table

from agent.config import load_config
from agent.errors import BosunError
from agent.memory import FailureMemory


def skills(args: argparse.Namespace) -> int:
    """List the skills."""
    from skills.registry import load_contracts

    contracts = load_contracts()
    if args.json:
        listed = {name: contract.model_dump() for name, contract in contracts.items()}
        sys.stdout.write(json.dumps(listed) + "\n")
        return 0
    terminal = Terminal(highlight=False, soft_wrap=True)
    for name, contract in contracts.items():
        terminal.print(f"{name:10} {contract.description}")
        terminal.print(
            f"{'':10} say: {contract.phrases[0]!r}{'' if contract.learned else '  (not learned)'}",
            style="dim",
        )
    return 0


def memory(args: argparse.Namespace) -> int:
    """Show which recovery helped after which failure, or forget it."""
    kept = FailureMemory(load_config(args.config, args.overrides).memory.file)
    if args.clear:
        count = kept.clear()
        sys.stdout.write(f"Forgotten: {count} {'entry' if count == 1 else 'entries'}.\n")
        return 0
    tallies = kept.tallies()
    if kept.fault is not None:
        raise BosunError(kept.fault)
    if args.json:
        sys.stdout.write(json.dumps([asdict(tally) for tally in tallies]) + "\n")
        return 0
    if not tallies:
        sys.stdout.write("Nothing is remembered yet: no subgoal has failed.\n")
        return 0
    table = Table("skill", "object", "failed because", "recovery", "helped", box=None)
    for tally in tallies:
        case = tally.case
        helped = f"{tally.successes} of {tally.tries}"
        table.add_row(case.skill, case.kind, case.reason.value, tally.recovery.value, helped)
    Terminal(highlight=False).print(table)
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Say what works; the exit code is 1 when something that is needed does not."""
    from agent.doctor.diagnosis import diagnose

    checks = diagnose(load_config(args.config, args.overrides))
    if args.json:
        sys.stdout.write(json.dumps([asdict(check) for check in checks]) + "\n")
    else:
        terminal = Terminal(highlight=False, soft_wrap=True)
        for check in checks:
            mark = "ok  " if check.ok else "FAIL" if check.required else "none"
            terminal.print(f"{mark}  {check.name}: {check.detail}")
            if not check.ok and check.mend:
                terminal.print(f"      {check.mend}")
    return 0 if all(check.ok or not check.required for check in checks) else 1
