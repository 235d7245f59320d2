"""How chunks of universe ids are mapped over workers: the only place that imports joblib.

What a chunk computes must depend on its ids alone; then the number of workers, their order, and which of them died and
had their pieces done again change nothing. `core.dask` reaches clusters.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from stresslab.core.errors import InterruptedRunError

LOG = logging.getLogger(__name__)
WORTH_PROCESSES_SECONDS = 15.0
"""Seconds of work in one process that are worth starting others: each imports for a few seconds first."""
STARTED_SECONDS = 2.0
"""The same once this process has started some: they stay for minutes, ready."""
RESTARTS = 3
"""Times in a row that workers may be killed before any of them has finished a piece."""

Ids = NDArray[np.int64]
Result = TypeVar("Result")


class Workers(Protocol):
    """Workers elsewhere, as `stresslab.core.dask.Cluster` is."""

    def map(self, function: Callable[[Ids], Result], pieces: Sequence[Ids]) -> Iterator[tuple[int, Result]]:
        """Yield (position of the piece, its result) as pieces finish, in any order."""
        ...


class _Started:
    """Whether this process has started others."""

    yes = False


def worth_processes(seconds: float, jobs: int, patience: float | None = None) -> bool:
    """Whether work that takes one process so long is worth the others: less of it where they have been started."""
    patience = WORTH_PROCESSES_SECONDS if patience is None else patience
    return jobs > 1 and seconds > (min(patience, STARTED_SECONDS) if _Started.yes else patience)


def chunks(ids: Ids, size: int) -> list[Ids]:
    """Consecutive pieces of at most `size` ids."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def map_chunks(
    function: Callable[[Ids], Result],
    pieces: Sequence[Ids],
    *,
    jobs: int = 1,
    threads: bool = False,
    stop: Callable[[], object] | None = None,
    cluster: Workers | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield (position of the piece, its result) as pieces finish, in any order.

    Args:
        function: maps a piece of ids to a result; with processes it and its result must be picklable.
        pieces: pieces of universe ids.
        jobs: workers; 1 runs in this process, 0 means one per processor.
        threads: threads instead of processes, for work that releases the interpreter's lock.
        stop: called where threads are still at work when no further result is wanted, so that they can end early.
        cluster: the workers of a Dask cluster instead, whatever `jobs` and `threads`.

    Raises:
        InterruptedRunError: workers were killed again and again, so that no piece could be finished.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(pieces))
    if cluster is not None:
        yield from cluster.map(function, pieces)
    elif jobs <= 1:
        for position, piece in enumerate(pieces):
            yield position, function(piece)
    elif threads:
        yield from _in_threads(function, pieces, jobs, stop)
    else:
        yield from _in_processes(function, pieces, jobs)


def apply(function: Callable[[Ids], Result], position: int, piece: Ids) -> tuple[int, Result]:
    """What a worker is asked for: the result beside the position of its piece."""
    return position, function(piece)


def _in_threads(
    function: Callable[[Ids], Result], pieces: Sequence[Ids], jobs: int, stop: Callable[[], object] | None
) -> Iterator[tuple[int, Result]]:
    """As many pieces at a time as workers; who stops half-way waits for those alone, so that no thread outlives it."""
    waiting, running = iter(enumerate(pieces)), {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for position, piece in islice(waiting, jobs):
                running[pool.submit(function, piece)] = position
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    finished = running.pop(future)
                    for position, piece in islice(waiting, 1):
                        running[pool.submit(function, piece)] = position
                    yield finished, future.result()
        except BaseException:
            if stop is not None:
                stop()
            raise


def _in_processes(function: Callable[[Ids], Result], pieces: Sequence[Ids], jobs: int) -> Iterator[tuple[int, Result]]:
    """Pieces over processes; what was lost with a process that was killed is done again."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    missing, failures = dict(enumerate(pieces)), 0
    _Started.yes = True
    while missing:
        try:
            for position, result in _parallel(function, missing, jobs):
                del missing[position]
                failures = 0
                yield position, result
        except TerminatedWorkerError as error:
            failures += 1
            LOG.warning("a worker process was killed; %d pieces are done again", len(missing))
            if failures > RESTARTS:
                raise InterruptedRunError(
                    f"worker processes were killed {failures} times in a row with {len(missing)} of {len(pieces)} "
                    "pieces still to do, most likely for want of memory; give fewer `jobs` and run the command again"
                ) from error


def _parallel(function: Callable[[Ids], Result], pieces: Mapping[int, Ids], jobs: int) -> Iterator[tuple[int, Result]]:
    import joblib

    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    yield from parallel(joblib.delayed(apply)(function, position, piece) for position, piece in list(pieces.items()))
