"""A Dask cluster as workers: how it is reached, and what is said when it cannot be. The only place that imports it.

Pieces are handed over through joblib. A worker that dies has its pieces done again by others, and one that joins gets
pieces too; what a piece computes is not known here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any, TypeVar

from stresslab.core.errors import InputError, InterruptedRunError, StresslabError
from stresslab.core.parallel import Ids

LOOPBACK = "127.0.0.1"
CONNECT = 10.0
"""Seconds to wait for a scheduler to answer."""
ABSENT = 120.0
"""Seconds without any worker after which a run gives up."""
AHEAD = 8
"""Pieces handed over per core beyond those being worked on, so that a worker that joins finds some."""
QUIET = ("distributed", "distributed.client", "distributed.core", "distributed.worker", "distributed.nanny", "tornado")
"""Loggers whose lines would mix with progress; what matters of theirs becomes an error here."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cluster:
    """Workers of a Dask scheduler.

    Attributes:
        client: the connection.
        resources: what a worker must offer to be given pieces, such as {"GPU": 1}.
        absent: seconds without any worker after which `map` gives up.
    """

    client: Any
    resources: Mapping[str, float] = field(default_factory=dict)
    absent: float = ABSENT

    def map(self, function: Callable[[Ids], Result], pieces: Sequence[Ids]) -> Iterator[tuple[int, Result]]:
        """Yield (position of the piece, its result) as pieces finish; see `stresslab.core.parallel.map_chunks`.

        Raises:
            InterruptedRunError: the scheduler or all workers are gone, or a piece killed each worker it was given to.
        """
        import joblib

        if not pieces:
            return
        workers = joblib.Parallel(
            n_jobs=-1, backend=self._backend(), return_as="generator_unordered", pre_dispatch=f"{AHEAD}*n_jobs",
            batch_size=1, verbose=0,
        )  # fmt: skip
        work, left = _Checked.of(function), len(pieces)
        with self._watched() as lost:
            try:
                tasks = (joblib.delayed(_Task(work, position, piece))() for position, piece in enumerate(pieces))
                for found in workers(tasks):
                    left -= 1
                    yield found
            except (GeneratorExit, StresslabError):
                raise
            except BaseException as error:
                raise self._explained(error, lost.is_set(), left, len(pieces)) from error

    def _backend(self) -> Any:
        from joblib._dask import DaskDistributedBackend

        class Backend(DaskDistributedBackend):  # type: ignore[misc] # joblib is not typed
            """joblib's own, but for two things that it gets wrong."""

            def effective_n_jobs(self, n_jobs: int) -> int:
                """At least 2: of one core joblib makes a loop in this process."""
                return max(2, int(super().effective_n_jobs(n_jobs)))

            def submit(self, func: Any, callback: Any = None) -> Any:
                """Report a piece that Dask gave up too, for which joblib would wait for ever."""
                future = super().submit(func, callback)
                future.add_done_callback(lambda done: callback(done.exception()) if done.exception() else None)
                return future

        more = {"resources": dict(self.resources)} if self.resources else {}
        return Backend(client=self.client, wait_for_workers_timeout=self.absent, **more)

    @contextmanager
    def _watched(self) -> Iterator[threading.Event]:
        """While pieces are waited for: end that by closing the connection, once no worker has been there for long."""
        over, lost = threading.Event(), threading.Event()

        def watch() -> None:
            gone = 0.0
            while not over.wait(1.0):
                gone = 0.0 if self._offering() else gone + 1.0
                if gone >= self.absent:
                    lost.set()
                    self.client.close()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield lost
        finally:
            over.set()
            watcher.join()

    def _offering(self) -> bool:
        """Whether some worker is there that offers what is asked for."""
        if self.client.status != "running":
            return False
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        return any(
            all(worker.get("resources", {}).get(name, 0.0) >= least for name, least in self.resources.items())
            for worker in workers
        )

    def _explained(self, error: BaseException, lost: bool, left: int, total: int) -> BaseException:
        """The error that the user sees for one of the cluster's; any other as it is."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        what = f"with {left} of {total} pieces still to do"
        if lost:
            offer = "".join(f" that offers {name}={least:g}" for name, least in self.resources.items())
            return InterruptedRunError(
                f"the cluster has had no worker{offer} for {self.absent:.0f} s, {what}; start some and run the command "
                "again"
            )
        if isinstance(error, KilledWorker):
            return InterruptedRunError(
                f"a piece killed {error.allowed_failures + 1} workers one after the other, {what}, most likely for "
                "want of memory; give workers more memory and run the command again"
            )
        if isinstance(error, CancelledError | CommClosedError | TimeoutError):
            return InterruptedRunError(
                f"the scheduler of the cluster has gone, {what}; start it and run the command again"
            )
        return error


@dataclass(frozen=True)
class _Checked:
    """A function for workers that run the same stresslab; packed, so that what it does not find is its own error."""

    packed: bytes
    version: str

    @classmethod
    def of(cls, function: Callable[[Ids], Any]) -> _Checked:
        """The function as it travels."""
        import cloudpickle

        return cls(cloudpickle.dumps(function), _version())

    def __call__(self, piece: Ids) -> Any:
        """The function of a piece."""
        if _version() != self.version:
            raise InputError(f"a worker runs stresslab {_version()}, this is {self.version}; install the same on each")
        return _unpacked(self.packed)(piece)


@dataclass(frozen=True, eq=False)
class _Task:
    """A piece and what is to be done with it: no arguments, since joblib leaves large ones with one worker alone."""

    work: _Checked
    position: int
    piece: Ids

    def __call__(self) -> tuple[int, Any]:
        """The position of the piece, and its result."""
        return self.position, self.work(self.piece)


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Callable[[Ids], Any]:
    """What a worker makes of it, once for all pieces."""
    import cloudpickle

    function: Callable[[Ids], Any] = cloudpickle.loads(packed)
    return function


def _version() -> str:
    return metadata.version("stresslab")


@contextmanager
def connect(
    scheduler: str | None = None, jobs: int = 1, resources: Mapping[str, float] | None = None
) -> Iterator[Cluster]:
    """The workers of a scheduler, or of a cluster of this machine's own on loopback, closed at the end.

    Args:
        scheduler: address such as tcp://10.0.0.1:8786; None starts `jobs` worker processes here.
        jobs: worker processes to start without a scheduler.
        resources: what a worker must offer.

    Raises:
        InputError: Dask is not installed, or no scheduler answers at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError(
            "backend=dask needs Dask; install it by `pip install stresslab[dask]`, or leave `backend` out"
        ) from None
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if scheduler is None:
        with (
            LocalCluster(
                n_workers=jobs, threads_per_worker=1, processes=True, host=LOOPBACK, silence_logs=logging.CRITICAL,
                resources=dict(resources or {}),
                dashboard_address=f"{LOOPBACK}:0", worker_dashboard_address=f"{LOOPBACK}:0",
            ) as own,
            Client(own, set_as_default=False) as client,
        ):  # fmt: skip
            yield Cluster(client, resources or {})
        return
    try:
        client = Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"scheduler={scheduler!r} does not answer ({reason}); start one by `dask scheduler` and give its address, "
            "such as tcp://127.0.0.1:8786"
        ) from None
    with client:
        yield Cluster(client, resources or {})
