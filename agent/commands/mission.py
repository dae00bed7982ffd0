"""`bosun mission`: mission files, run as tests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console as Terminal

from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.script.bench import Finding


def mission(args: argparse.Namespace) -> int:
    """Run mission files and report on them; the exit code is 1 unless every case passes."""
    if args.schema:
        return _print_schema()
    if not args.files:
        raise UsageError("Name mission files, for example configs/missions/*.yaml, or --schema.")
    _need_folders(args.junit, args.report)
    began = datetime.now()
    findings = _findings(args)
    _write(args, findings, began)
    from agent.script.tally import report

    told = report(findings)
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        _print(findings)
    return 0 if told["passed"] else 1


def _print_schema() -> int:
    from agent.script.schema import MissionFile

    sys.stdout.write(json.dumps(MissionFile.model_json_schema(), indent=1) + "\n")
    return 0


def _need_folders(*paths: Path | None) -> None:
    """Refuse files that cannot be written in the end, before anything is run."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} for {path.name}; make it.")


def _findings(args: argparse.Namespace) -> list[Finding]:
    from agent.script.suite import Suite, run_suite

    return run_suite(
        Suite(
            files=args.files,
            repeat=args.repeat,
            workers=args.workers,
            tags=args.tags,
            config=args.config,
            overrides=args.overrides,
            out=args.out,
            film=args.film,
        )
    )


def _write(args: argparse.Namespace, findings: Sequence[Finding], began: datetime) -> None:
    from agent.script.junit import write_junit
    from agent.script.page import write_page

    if args.junit is not None:
        write_junit(findings, began, args.junit)
    if args.report is not None:
        write_page(findings, began, args.report)


def _print(findings: Sequence[Finding]) -> None:
    """Say what went wrong, case by case, then how often each mission passed."""
    from agent.script.bench import Status
    from agent.script.tally import Tally, by_mission

    terminal = Terminal(highlight=False, soft_wrap=True, markup=False)
    overall = Tally("all", tuple(findings))
    for finding in findings:
        case = finding.case
        for sentence in finding.sentences:
            terminal.print(f"{finding.status.value}: {case.suite}, {case.name}: {sentence}")
        if finding.sentences:
            terminal.print(f"  {case.folder}")
    for tally in (*by_mission(findings), overall):
        row = tally.as_json()
        chances = "  ".join(
            f"pass^{k} {chance:.1%}" for k, chance in tally.pass_hat.items() if chance is not None
        )
        terminal.print(
            f"{tally.name:32} {row['successes']:4}/{len(tally.findings):<4} "
            f"[{row['low']:.1%}, {row['high']:.1%}]  {chances}"
        )
    if unrun := overall.count(Status.NOT_RUN):
        terminal.print(f"{unrun} of {len(findings)} cases were not run.")
