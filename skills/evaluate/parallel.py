"""Many tries over worker processes; what comes of them does not depend on how many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from tqdm import tqdm

from skills.evaluate.ledger import Ledger

_make_bench: Callable[[], Callable[[Any], Any]] | None = None


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
        ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), _set_up, (bench, arguments)
        ) as pool,
    ):
        # Each round starts exactly what is still missing, so no try is made in vain.
        while batch := [
            (group, job)
            for group, of_group in waiting.items()
            for job in islice(of_group, wanted[group] - len(results[group]))
        ]:
            fresh = [key for key in batch if ledger is None or key not in ledger]
            found = zip(fresh, pool.map(_run, [job for _, job in fresh]), strict=True)
            for group, job in batch:
                if ledger is not None and (group, job) in ledger:
                    result = ledger[group, job]
                else:
                    _, result = next(found)
                    if ledger is not None:
                        ledger.add(group, job, result)
                if result is not None:
                    results[group].append(result)
                    bar.update()
    return results


def _set_up(bench: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _make_bench
    # Made with the first job, so that what it raises comes back with that job's result.
    _make_bench = lru_cache(maxsize=1)(partial(bench, *arguments))


def _run(job: Any) -> Any:
    assert _make_bench is not None
    return _make_bench()(job)
