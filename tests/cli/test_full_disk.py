"""A disk that is full, or a place that cannot be written: one line, and nothing half-written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.make.refused import assert_refused
from tests.make.runs import stored_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limits to the size of files there")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored run."""
    return stored_run(tmp_path_factory.mktemp("full"), "--generator", "bootstrap", "--permutations", "9")


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes, as on a disk that is nearly full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "words",
    [
        ("report", "RUN", "--format", "html,csv", "--out", "OUT"),
        ("compare", "RUN", "RUN", "--out", "OUT"),
        ("replay", "RUN", "3", "--out", "OUT"),
        ("realism", "--data", "BARS", "--generator", "bootstrap", "--universes", "4", "--realism-origins", "2",
         "--horizon", "5", "--out", "OUT.json"),
        ("train", "tokenizer", "--data", "BARS", "--out", "OUT", "--steps", "2", "--batch", "2", "--context", "64",
         "--width", "8", "--layers", "1", "--bits", "4"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_full_disk(command: Command, run: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """One line, exit code 2; what was there stays as it was, and nothing is half-written."""
    bars = run.parents[1] / "bars.csv"
    places = {"RUN": run, "OUT": tmp_path / "out", "OUT.json": tmp_path / "out.json", "BARS": bars}
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with full_after(1000):
        done = command(*(places.get(word, word) for word in words))
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "cannot be written (File too large)" in done.err
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {"learns-from.json", "loss.csv"}  # whole, for a training that goes on


@pytest.mark.parametrize("name", ["x" * 300, "bars.csv/below", "\udcff", "/dev/null", "/proc/nowhere"])
@pytest.mark.parametrize("what", ["report", "compare", "replay"])
def test_places_that_cannot_be(
    command: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    """A name that is too long, a file as a folder, bytes that are no text, a device: one line that names it."""
    monkeypatch.chdir(run.parents[1])
    more = {"report": (), "compare": (run,), "replay": ("3",)}[what]
    assert_refused(command(what, run, *more, "--out", name), "--out ", "cannot be written")


def test_bars_that_cannot_be_read(command: Command, tmp_path: Path, strategy: Path) -> None:
    """A folder, a file without permission and a device of a process end in one line."""
    for place in (tmp_path, Path("/proc/self/mem"), tmp_path / ("x" * 300), Path("/dev/null")):
        done = command("check", strategy, "--data", place)
        assert_refused(done, str(place)[:60])
    if os.geteuid():
        locked = tmp_path / "locked.csv"
        locked.write_text("date,close\n")
        locked.chmod(0)
        assert_refused(command("check", strategy, "--data", locked), "ermission denied")
