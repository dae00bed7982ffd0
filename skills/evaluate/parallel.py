"""Many tries over worker processes; what comes of them does not depend on how many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from tqdm import tqdm

from agent.process import JobProcess, ended, job_processes
from skills.evaluate.ledger import Ledger


def parallel(
    bench: Callable[..., Callable[[Any], Any]],
    arguments: tuple[Any, ...],
    jobs: Mapping[str, Iterable[Any]],
    wanted: Mapping[str, int],
    workers: int,
    label: str,
    ledger: Ledger | None = None,
) -> dict[str, list[Any]]:
    """Return, for each group, the first results that are not None, in the order of its jobs.

    Args:
        bench: Makes the callable that runs one job; called once in each worker.
        arguments: Its arguments.
        jobs: Group -> its jobs; groups share the workers.
        wanted: Group -> results to wait for; fewer come back when its jobs run out.
        workers: Processes.
        label: What the progress bar says.
        ledger: Keeps every result; what it knows is not tried again.
    """
    waiting = {group: iter(of_group) for group, of_group in jobs.items()}
    results: dict[str, list[Any]] = {group: [] for group in jobs}
    with (
        tqdm(total=sum(wanted.values()), desc=label, unit="episode") as bar,
        job_processes(partial(bench, *arguments), workers) as processes,
    ):
        # Each round starts exactly what is still missing, so no try is made in vain.
        while batch := [
            (group, job)
            for group, of_group in waiting.items()
            for job in islice(of_group, wanted[group] - len(results[group]))
        ]:
            outcomes = _outcomes(batch, processes, ledger, bar)
            for (group, _), outcome in zip(batch, outcomes, strict=True):
                if outcome is not None:
                    results[group].append(outcome)
    return results


def _outcomes(
    batch: Sequence[tuple[str, Any]],
    processes: Sequence[JobProcess[Any, Any]],
    ledger: Ledger | None,
    bar: tqdm[Any],
) -> list[Any]:
    """Return what comes, or is known to have come, of each job of a group; it is kept at once."""
    outcomes: dict[int, Any] = {}
    for number, key in enumerate(batch):
        if ledger is not None and key in ledger:
            outcomes[number] = ledger[key]
            bar.update(outcomes[number] is not None)
    fresh = [number for number in range(len(batch)) if number not in outcomes]
    for ran, process in ended(processes, [batch[number][1] for number in fresh]):
        outcome = outcomes[fresh[ran]] = process.result()
        if ledger is not None:
            ledger.add(*batch[fresh[ran]], outcome)
        bar.update(outcome is not None)
    return [outcomes[number] for number in range(len(batch))]
