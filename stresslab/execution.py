"""How chunks of universe ids are mapped over workers: the only place that imports joblib.

What a chunk computes must depend on its ids alone; then the number of workers and their order change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")


def chunks(ids: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Consecutive pieces of at most `size` ids."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def map_chunks(
    function: Callable[[NDArray[np.int64]], Result],
    pieces: Sequence[NDArray[np.int64]],
    *,
    jobs: int = 1,
    threads: bool = False,
) -> Iterator[tuple[int, Result]]:
    """Yield (position of the piece, its result) as pieces finish, in any order.

    Args:
        function: maps a piece of ids to a result; with processes it and its result must be picklable.
        pieces: pieces of universe ids.
        jobs: workers; 1 runs in this process.
        threads: threads instead of processes, for work that releases the interpreter's lock.
    """
    jobs = min(jobs, len(pieces))
    if jobs <= 1:
        for position, piece in enumerate(pieces):
            yield position, function(piece)
    elif threads:
        yield from _in_threads(function, pieces, jobs)
    else:
        yield from _in_processes(function, pieces, jobs)


def _in_threads(
    function: Callable[[NDArray[np.int64]], Result], pieces: Sequence[NDArray[np.int64]], jobs: int
) -> Iterator[tuple[int, Result]]:
    """As many pieces at a time as workers; who stops half-way waits for those alone, so that no thread outlives it."""
    waiting, running = iter(enumerate(pieces)), {}
    with ThreadPoolExecutor(jobs) as pool:
        for position, piece in islice(waiting, jobs):
            running[pool.submit(function, piece)] = position
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                finished = running.pop(future)
                for position, piece in islice(waiting, 1):
                    running[pool.submit(function, piece)] = position
                yield finished, future.result()


def _in_processes(
    function: Callable[[NDArray[np.int64]], Result], pieces: Sequence[NDArray[np.int64]], jobs: int
) -> Iterator[tuple[int, Result]]:
    import joblib

    def numbered(position: int, piece: NDArray[np.int64]) -> tuple[int, Result]:
        return position, function(piece)

    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    yield from parallel(joblib.delayed(numbered)(position, piece) for position, piece in enumerate(pieces))
