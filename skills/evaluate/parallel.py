"""Many tries over worker processes, in the order of their jobs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from tqdm import tqdm

_BENCH: Callable[[Any], Any] | None = None


def parallel(
    bench: Callable[..., Callable[[Any], Any]],
    arguments: tuple[Any, ...],
    jobs: Sequence[Any],
    workers: int,
    wanted: int,
    label: str,
) -> list[Any]:
    """Return the first `wanted` results that are not None.

    Args:
        bench: Makes the callable that runs one job; called once in each worker.
        arguments: Its arguments.
        jobs: One per try.
        workers: Processes; results do not depend on how many.
        wanted: Results to wait for.
        label: What the progress bar says.
    """
    context = multiprocessing.get_context("spawn")
    results: list[Any] = []
    with (
        tqdm(total=wanted, desc=label, unit="episode") as bar,
        context.Pool(workers, _set_up, (bench, arguments)) as pool,
    ):
        for result in pool.imap(_run, jobs):
            if result is not None:
                results.append(result)
                bar.update()
            if len(results) == wanted:
                break
    return results


def _set_up(bench: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _BENCH
    _BENCH = bench(*arguments)


def _run(job: Any) -> Any:
    assert _BENCH is not None
    return _BENCH(job)
