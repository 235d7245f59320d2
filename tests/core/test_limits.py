"""Sizes, chunks that fit memory, and disks that are large enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import InputError
from stresslab.core.limits import (
    LARGEST,
    PER_BAR,
    PROCESS,
    TILE,
    check_disk,
    chunk_size,
    disk_need,
    parse_size,
    readable,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("512 MiB", 512 * 2**20), ("1.5g", 15 * 10**8), ("2TB", 2 * 10**12), ("1000", 1000), (7, 7)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    """Decimal and binary units, with or without B, in any case."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1GB", "GB", "4 XB", "nan", "1e9", "4GB of it", "9" * 99, "٤GB1"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """In one line with an example."""
    with pytest.raises(InputError, match="write for example 4GB"):
        parse_size(text)


@given(st.integers(1, 10**13), st.integers(1, 64), st.integers(1, 5000), st.integers(0, 1000))
def test_chunks_fit_the_memory(memory: int, jobs: int, horizon: int, warmup: int) -> None:
    """All processes with their chunks stay within it, whole tiles each; what cannot fit is refused with what would."""
    processes = 1 if jobs == 1 else jobs + 1
    try:
        size = chunk_size(memory, jobs, horizon, warmup)
    except InputError as error:
        assert processes * PROCESS + jobs * TILE * PER_BAR * (horizon + warmup) > memory
        enough = int(str(error).rpartition("`memory=")[2].partition("MB")[0]) * 10**6
        assert chunk_size(enough, jobs, horizon, warmup) >= TILE
        return
    assert size % TILE == 0
    assert TILE <= size <= LARGEST
    assert processes * PROCESS + jobs * size * PER_BAR * (horizon + warmup) <= memory


def test_more_memory_never_means_smaller_chunks() -> None:
    """And without a limit a chunk is what is quick."""
    sizes = [chunk_size(memory * 10**8, 2, 60, 500) for memory in range(20, 200)]
    assert sizes == sorted(sizes)
    assert chunk_size(None, 2, 60, 500) == 16 * TILE


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a folder that is there and one that is not yet, naming both sizes."""
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 10**9})())
    assert check_disk(tmp_path, 5 * 10**8) == "up to 500 MB on disk, 1.0 GB are free"
    with pytest.raises(InputError, match=r"needs up to 2\.4 GB on disk, 1\.0 GB are free"):
        check_disk(tmp_path / "not" / "yet", disk_need(1_000_000, 60))


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (1500, "1.5 kB"), (64e9, "64 GB"), (2.5e15, "2,500.0 TB")])
def test_sizes_for_people(size: float, text: str) -> None:
    """Two digits and a unit."""
    assert readable(size) == text
