"""A whole call: from mission files to what came of every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import load_config
from agent.script.load import load_scripts
from agent.script.settings import configured

if TYPE_CHECKING:
    from agent.script.bench import Finding


@dataclass(frozen=True, slots=True)
class Suite:
    """What is run and how.

    Attributes:
        files: Mission files.
        repeat: Tries of each script.
        workers: Processes.
        tags: Only missions with one of these; all where there are none.
        config: A configuration file; None is the shipped one.
        overrides: Settings such as `"budget.replans=3"`, which go before all others.
        out: Folder of the episodes; None makes one named by the time where episodes go.
        film: Whether every command is filmed.
    """

    files: Sequence[Path]
    repeat: int = 1
    workers: int = 1
    tags: Sequence[str] = ()
    config: Path | None = None
    overrides: Sequence[str] = ()
    out: Path | None = None
    film: bool = False


def run_suite(suite: Suite) -> list[Finding]:
    """Run every case and return what came of each, in the order of the files.

    Raises:
        UsageError: Something that is asked for is not there, or a file is wrong; nothing was run.
    """
    scripts = load_scripts(suite.files, suite.tags)
    # What is wrong with a file is said before the world and the networks are imported.
    from agent.script.bench import Job
    from agent.script.cases import make_cases
    from agent.script.pool import run_jobs

    configs = [configured(script, suite.config, suite.overrides) for script in scripts]
    runs = load_config(suite.config, suite.overrides).episode.directory
    out = suite.out or runs / datetime.now().strftime("missions-%Y-%m-%dT%H-%M-%S")
    cases = make_cases(scripts, suite.repeat, out)
    jobs = [Job(case, configs[case.script], suite.film) for case in cases]
    return run_jobs(jobs, suite.workers)
