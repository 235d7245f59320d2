"""How time and memory grow with the number of universes: shards sampled, traded and summed up, over workers.

    python benchmarks/scale.py --most 1000000 --horizon 60 --jobs 2 --backend loky,dask

Each line is a process of its own, whose memory (with its workers') is looked at ten times a second. Universes are not
kept: a worker samples a shard, runs the strategy in it, and returns a row per universe and counts for the fans.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from stresslab.backtest import Terms
from stresslab.backtest.evaluate import Evaluator
from stresslab.core.dask import connect
from stresslab.core.limits import chunk_size
from stresslab.core.parallel import chunks, map_chunks
from stresslab.data import load_bars
from stresslab.generators.registry import make_generator
from stresslab.generators.sharded import SampleTask
from stresslab.runs.shard_result import ShardResult, ShardTask
from stresslab.strategy import load_strategies

STRATEGY = Path(__file__).parent.parent / "strategies" / "sma_cross.py"
PAGE = os.sysconf("SC_PAGE_SIZE")


def once(universes: int, given: argparse.Namespace, backend: str) -> dict[str, float | str]:
    """One measurement in this process."""
    bars = load_bars("sample:nasdaq")
    history = bars[: len(bars) - given.horizon]
    generator = make_generator(given.generator)
    sample = SampleTask.of(generator, history, given.horizon, universes, 0)
    strategies = tuple(load_strategies(str(STRATEGY), {}))
    task = ShardTask(sample, Evaluator(strategies, Terms(), history.periods_per_year, keep_going=True))
    size = chunk_size(None, given.jobs, given.horizon)
    pieces = chunks(np.arange(universes, dtype=np.int64), size)
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        cluster = stack.enter_context(connect(jobs=given.jobs)) if backend == "dask" else None
        list(map_chunks(task, pieces[:1] * (2 * given.jobs), jobs=given.jobs, cluster=cluster))  # workers import here
        with peak_memory() as peak:
            started, whole = time.perf_counter(), None
            rows = 0
            for position, outcome in map_chunks(task, pieces, jobs=given.jobs, cluster=cluster):
                (found,) = outcome.found
                found.metrics.to_parquet(Path(folder) / f"{position}.parquet")
                rows += len(found.metrics)
                fans = replace(outcome, found=(replace(found, metrics=found.metrics.iloc[:0]),))
                whole = fans if whole is None else ShardResult.merged([whole, fans])
            seconds = time.perf_counter() - started
        assert whole is not None
        assert rows == universes
        median = float(whole.closes.quantiles((0.5,))[-1, 0])
    return {
        "backend": backend, "jobs": given.jobs, "universes": universes, "seconds": seconds,
        "universes_per_second": universes / seconds, "peak_mib": peak[0] / 2**20, "median_close": median,
    }  # fmt: skip


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The largest sum of resident memory of this process and those below it, in bytes, in a list of one."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], sum(resident(pid) for pid in family(os.getpid())))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def resident(pid: int) -> int:
    """Resident memory of a process in bytes, without what it shares with others."""
    try:
        size, shared = Path("/proc", str(pid), "statm").read_text().split()[1:3]
    except OSError:
        return 0
    return (int(size) - int(shared)) * PAGE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--least", type=int, default=1000, help="universes of the first line; each has ten times more")
    parser.add_argument("--most", type=int, default=1_000_000, help="universes of the last line at most")
    parser.add_argument("--horizon", type=int, default=60, help="bars")
    parser.add_argument("--generator", default="bootstrap")
    parser.add_argument("--backend", default="loky", help="loky, dask, or both separated by a comma")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one is not None:
        sys.stdout.write(json.dumps(once(given.one, given, given.backend)) + "\n")
        return 0
    rows = []
    sys.stdout.write(f"{'backend':8}{'jobs':>5}{'universes':>12}{'seconds':>10}{'universes/s':>13}{'peak MiB':>10}\n")
    for backend in given.backend.split(","):
        count = given.least
        while count <= given.most:
            words = ["--one", count, "--horizon", given.horizon, "--generator", given.generator, "--backend", backend]
            command = [sys.executable, __file__, *map(str, words), "--jobs", str(given.jobs)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            rows.append(row)
            sys.stdout.write(
                f"{backend:8}{given.jobs:5}{count:12,}{row['seconds']:10.1f}{row['universes_per_second']:13,.0f}"
                f"{row['peak_mib']:10,.0f}\n"
            )
            sys.stdout.flush()
            count *= 10
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
