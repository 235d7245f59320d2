"""Workers of a Dask cluster: the same bytes as in this process, whoever dies or joins; one line when all is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stresslab.backtest import Terms
from stresslab.backtest.evaluate import Evaluator
from stresslab.core.errors import InputError, InterruptedRunError
from stresslab.core.parallel import chunks, map_chunks
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.sharded import SampleTask
from stresslab.runs.shard_result import ShardResult, ShardTask
from stresslab.strategy import load_strategies
from tests.make.clusters import joined, served
from tests.make.strategies import ABOVE_MEAN

pytest.importorskip("distributed")
from stresslab.core.dask import Cluster, connect

IDS = np.arange(12, dtype=np.int64)


def slow(piece: NDArray[np.int64]) -> tuple[int, int]:
    """Who did it, and the sum."""
    time.sleep(0.15)
    return os.getpid(), int(piece.sum())


def deadly(piece: NDArray[np.int64]) -> int:
    """Kills every worker that it is given to."""
    if piece[0] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


def wrong(piece: NDArray[np.int64]) -> int:
    """A mistake of the user's."""
    raise InputError(f"piece {piece[0]} is wrong")


def test_every_piece_gives_its_result_once(cluster: Cluster) -> None:
    """From processes that are not this one."""
    found = list(map_chunks(slow, chunks(IDS, 1), cluster=cluster))
    assert sorted((position, total) for position, (_, total) in found) == [(number, number) for number in range(12)]
    assert os.getpid() not in {pid for _, (pid, _) in found}
    assert list(map_chunks(slow, [], cluster=cluster)) == []


def test_an_error_is_raised_as_it_was(cluster: Cluster) -> None:
    """Type and text."""
    with pytest.raises(InputError, match="piece 0 is wrong"):
        list(map_chunks(wrong, [IDS[:1]], cluster=cluster))


def test_workers_of_another_version_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they compute anything."""
    monkeypatch.setattr("stresslab.core.dask._version", lambda: "9.9")
    with pytest.raises(InputError, match=r"this is 9\.9; install the same on each"):
        list(map_chunks(slow, [IDS], cluster=cluster))


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time() -> None:
    """Its pieces are done again by the others and by the one that replaces it."""
    with connect(jobs=2) as cluster:
        found, killed = [], None
        for position, (pid, total) in map_chunks(slow, chunks(IDS, 1), cluster=cluster):
            found.append((position, total))
            if killed is None:
                killed = pid
                os.kill(pid, signal.SIGKILL)
    assert sorted(found) == [(number, number) for number in range(12)]


@pytest.mark.slow
def test_a_piece_that_kills_every_worker_ends_in_one_line() -> None:
    """It is given up after four of them."""
    with connect(jobs=2) as cluster, pytest.raises(InterruptedRunError, match="a piece killed 4 workers"):
        list(map_chunks(deadly, chunks(IDS, 1), cluster=cluster))


@pytest.mark.slow
def test_workers_may_join_and_die_and_all_may_be_lost() -> None:
    """One worker is joined by a second; both are killed; after a while the work is given up in one line."""
    with served() as (address, processes), connect(address) as connected:
        cluster = replace(connected, absent=2.0)
        pids: set[int] = set()

        def work() -> None:
            for count, (_, (pid, _)) in enumerate(map_chunks(slow, chunks(np.arange(90), 1), cluster=cluster)):
                pids.add(pid)
                if count == 2:
                    processes.append(joined(address))
                if len(pids) == 2:
                    for process in processes[1:]:
                        process.kill()

        with pytest.raises(InterruptedRunError, match=r"no worker for 2 s, with .* of 90 pieces still to do"):
            work()
        assert len(pids) == 2


@pytest.mark.slow
def test_a_scheduler_that_goes_ends_the_work() -> None:
    """In one line."""
    with served() as (address, processes), connect(address) as cluster:
        results = map_chunks(slow, chunks(np.arange(40), 1), cluster=cluster)
        next(results)
        processes[0].kill()
        with pytest.raises(InterruptedRunError, match="the scheduler of the cluster has gone"):
            list(results)


def test_no_scheduler_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says how to start one."""
    monkeypatch.setattr("stresslab.core.dask.CONNECT", 0.5)
    words = "does not answer .* start one by `dask scheduler`"
    with pytest.raises(InputError, match=words), connect("tcp://127.0.0.1:9"):
        pass


# ------------------------------------------------------------------------------------------------ universes, outcomes


def outcomes(task: ShardTask, cluster: Cluster | None, jobs: int = 1) -> ShardResult:
    """What strategies come to in 200 universes, in shards of 64; a worker of a cluster is killed in the middle."""
    pieces, found, pids = chunks(np.arange(200), 64), {}, []
    if cluster is not None:
        pids = [info["pid"] for info in cluster.client.run(lambda: {"pid": os.getpid()}).values()]
    for position, outcome in map_chunks(task, pieces, jobs=jobs, cluster=cluster):
        found[position] = outcome
        if pids and len(found) == 1:
            os.kill(pids[0], signal.SIGKILL)
    return ShardResult.merged([found[position] for position in sorted(found)])


def fan(outcome: ShardResult) -> np.ndarray:
    """Two quantiles of the first strategy's equity."""
    counted = outcome.found[0].fan
    assert counted is not None
    return counted.quantiles((0.05, 0.5))


@pytest.mark.slow
def test_outcomes_are_the_same_bytes_here_in_processes_and_on_a_cluster(bars: Bars, tmp_path: Path) -> None:
    """With a worker killed in the middle: metrics byte for byte, fans bit for bit."""
    (tmp_path / "above.py").write_text(ABOVE_MEAN)
    strategies = tuple(load_strategies([str(tmp_path / "above.py")], {"window": 15}))
    sample = SampleTask.of(StationaryBootstrap(block=10), bars, 20, 200, 1)
    task = ShardTask(
        sample, Evaluator(tuple(strategies), Terms(warmup=50), bars.periods_per_year, keep_going=True), kept=70
    )
    here, processes = outcomes(task, None), outcomes(task, None, jobs=2)
    with connect(jobs=2) as cluster:
        there = outcomes(task, cluster)
    for other in (processes, there):
        pd.testing.assert_frame_equal(here.found[0].metrics, other.found[0].metrics, check_exact=True)
        assert (here.closes.quantiles((0.05, 0.5)) == other.closes.quantiles((0.05, 0.5))).all()
        assert (fan(here) == fan(other)).all()
        assert here.facts == other.facts
    universes = StationaryBootstrap(block=10).sample(bars, 20, 200, 1)
    exact = np.quantile(universes.close.to_numpy(), (0.05, 0.5), axis=1).T
    np.testing.assert_allclose(here.closes.quantiles((0.05, 0.5)), exact, rtol=1e-3)
    assert here.found[0].metrics.index.tolist() == list(range(200))
    assert (here.first == universes.values[:70]).all()


def test_only_workers_that_offer_it_are_given_pieces() -> None:
    """As with graphics processors: a cluster without such a worker ends the work in one line."""
    with connect(jobs=1, resources={"GPU": 1}) as cluster:
        assert sorted(position for position, _ in cluster.map(np.sum, chunks(IDS, 4))) == [0, 1, 2]
        other = replace(cluster, resources={"TPU": 1.0}, absent=2.0)
        with pytest.raises(InterruptedRunError, match="no worker that offers TPU=1 for 2 s, with 3 of 3 pieces"):
            list(other.map(np.sum, chunks(IDS, 4)))


RUN = (
    *("--generator", "bootstrap", "--universes", "40000", "--horizon", "20", "--warmup", "60", "--memory", "540MB"),
    *("--jobs", "1", "--realism-origins", "0", "--permutations", "9", "--portfolio", "above=0.5,below=0.5"),
)


@pytest.mark.slow
def test_a_whole_run_on_a_cluster_has_the_same_bytes(bars: Bars, tmp_path: Path) -> None:
    """Worker processes of a scheduler of their own, one of them killed in the middle, another one joining."""
    bars.frame.to_csv(tmp_path / "bars.csv", index_label="date")
    for name, text in (("above", ABOVE_MEAN), ("below", ABOVE_MEAN.replace(">", "<"))):
        (tmp_path / f"{name}.py").write_text(text)
    words = [sys.executable, "-m", "stresslab", "run", "above.py", "below.py", "--data", "bars.csv", *RUN, "--out"]
    here = subprocess.run([*words, "here"], cwd=tmp_path, capture_output=True, check=False)
    assert here.returncode == 0, here.stderr
    with served(2) as (address, processes):
        there = subprocess.Popen(
            [*words, "there", "--backend", "dask", "--scheduler", address], cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        while there.poll() is None and len(list(tmp_path.glob("there/.*.work/outcome-*.npz"))) < 3:
            time.sleep(0.02)
        assert there.poll() is None
        processes[1].kill()
        processes.append(joined(address))
        _, told = there.communicate(timeout=300)
    assert there.returncode == 0, told
    files = [next(tmp_path.glob(f"{place}/2*/metrics.parquet")).read_bytes() for place in ("here", "there")]
    assert files[0] == files[1]
    assert not list(tmp_path.glob("there/.*"))
