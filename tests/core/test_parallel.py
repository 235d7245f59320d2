"""Pieces over workers: every result once, errors as they were raised, and no worker where none is needed."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stresslab.core import parallel
from stresslab.core.errors import InputError, InterruptedRunError
from stresslab.core.parallel import chunks, map_chunks

IDS = np.arange(10, dtype=np.int64)


def _double(piece: NDArray[np.int64]) -> NDArray[np.int64]:
    return 2 * piece


def _where(piece: NDArray[np.int64]) -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


@given(count=st.integers(0, 50), size=st.integers(1, 60))
def test_chunks_are_the_ids_in_pieces(count: int, size: int) -> None:
    """Laid end to end the pieces are the ids again; none is empty or larger than asked for."""
    ids = np.arange(count, dtype=np.int64)
    pieces = chunks(ids, size)
    assert [int(i) for piece in pieces for i in piece] == list(range(count))
    assert all(1 <= len(piece) <= size for piece in pieces)


@pytest.mark.parametrize(("jobs", "threads"), [(1, False), (2, True), (2, False)])
def test_every_piece_gives_its_result_once(jobs: int, threads: bool) -> None:
    """Results come with the position of their piece, in this process, in threads and in processes."""
    pieces = chunks(IDS, 3)
    found = dict(map_chunks(_double, pieces, jobs=jobs, threads=threads))
    assert sorted(found) == [0, 1, 2, 3]
    assert np.concatenate([found[position] for position in range(4)]).tolist() == (2 * IDS).tolist()


def test_results_come_as_they_finish() -> None:
    """A slow piece does not hold back a quick one."""

    def wait(piece: NDArray[np.int64]) -> int:
        time.sleep(0.3 if piece[0] == 0 else 0.0)
        return int(piece[0])

    order = [position for position, _ in map_chunks(wait, chunks(IDS[:4], 1), jobs=2, threads=True)]
    assert sorted(order) == [0, 1, 2, 3]
    assert order[0] != 0


def test_one_job_works_here_and_on_demand() -> None:
    """With one job, or one piece, nothing leaves this thread, and a piece is not begun before it is asked for."""
    here = os.getpid(), threading.get_ident()
    assert dict(map_chunks(_where, chunks(IDS, 4))) == {0: here, 1: here, 2: here}
    assert dict(map_chunks(_where, [IDS], jobs=2)) == {0: here}
    begun: list[int] = []
    results = map_chunks(lambda piece: begun.append(int(piece[0])), chunks(IDS, 5))
    assert begun == []
    next(results)
    assert begun == [0]


def test_no_number_of_jobs_means_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pieces that wait for one another all run at once where there are three processors."""
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    together = threading.Barrier(3, timeout=60)
    found = dict(map_chunks(lambda piece: together.wait(), chunks(IDS[:3], 1), jobs=0, threads=True))
    assert sorted(found.values()) == [0, 1, 2]


def test_threads_share_the_process_and_processes_do_not() -> None:
    """Threads see this process's memory; processes are others."""
    threads = {pid for _, (pid, _) in map_chunks(_where, chunks(IDS, 2), jobs=2, threads=True)}
    processes = {pid for _, (pid, _) in map_chunks(_where, chunks(IDS, 2), jobs=2)}
    assert threads == {os.getpid()}
    assert os.getpid() not in processes


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_to_do_gives_nothing(jobs: int) -> None:
    """No pieces, no results, whatever the number of workers."""
    assert list(map_chunks(_double, [], jobs=jobs)) == []


@pytest.mark.parametrize(("jobs", "threads"), [(1, False), (2, True), (2, False)])
def test_an_error_is_raised_as_it_was(jobs: int, threads: bool) -> None:
    """What a piece raises reaches the caller, type and text."""

    def fail(piece: NDArray[np.int64]) -> None:
        if piece[0] == 6:
            raise InputError("piece 6 is wrong")

    with pytest.raises(InputError, match="piece 6 is wrong"):
        list(map_chunks(fail, chunks(IDS, 3), jobs=jobs, threads=threads))


def test_a_killed_process_costs_nothing_but_time(tmp_path: Path) -> None:
    """Its pieces are done again: every result once, and none of a finished piece a second time in the answer."""

    def once(piece: NDArray[np.int64]) -> int:
        marker = tmp_path / f"{piece[0]}"
        if piece[0] in (3, 6) and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return int(piece.sum())

    found = list(map_chunks(once, chunks(IDS, 1), jobs=2))
    assert sorted(found) == [(number, number) for number in range(10)]


def test_a_piece_that_kills_every_process_ends_in_one_line() -> None:
    """After a few times, with what to do."""

    def deadly(piece: NDArray[np.int64]) -> int:
        if piece[0] == 9:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    with pytest.raises(InterruptedRunError, match="of 10 pieces still to do") as caught:
        list(map_chunks(deadly, chunks(IDS, 1), jobs=2))
    assert "\n" not in str(caught.value)


def test_threads_are_told_when_no_more_is_wanted() -> None:
    """Whoever stops half-way has those at work end early."""
    told: list[bool] = []
    results = map_chunks(_double, chunks(IDS, 1), jobs=2, threads=True, stop=lambda: told.append(True))
    next(results)
    results.close()
    assert told == [True]
    list(map_chunks(_double, chunks(IDS, 1), jobs=2, threads=True, stop=lambda: told.append(False)))
    assert told == [True]


def test_processes_that_have_started_are_worth_less_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import once and stay; with one worker there are none to wait for."""
    monkeypatch.setattr(parallel._Started, "yes", False)
    assert [parallel.worth_processes(seconds, 2) for seconds in (3.0, 20.0)] == [False, True]
    monkeypatch.setattr(parallel._Started, "yes", True)
    assert [parallel.worth_processes(seconds, 2) for seconds in (1.0, 3.0)] == [False, True]
    assert not parallel.worth_processes(100.0, 1)
