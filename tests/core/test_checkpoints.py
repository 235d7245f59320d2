"""A folder of pieces: whole, once, by one process at a time, and continued where it was stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from stresslab.core.checkpoints import LEDGER, PLAN, Shards
from stresslab.core.errors import InputError
from tests.make.shards import work


def fill(shards: Shards, most: int = 10**9) -> list[int]:
    """Compute at most so many of the missing pieces; returns which were missing."""
    with shards.working() as missing:
        for position in missing[:most]:
            shards.add(position, lambda path, position=position: path.write_text(f"{position}" * 1000))
    return missing


def test_work_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """What is there is not computed again."""
    assert fill(work(tmp_path), most=2) == [0, 1, 2, 3, 4]
    assert fill(work(tmp_path)) == [2, 3, 4]
    assert fill(work(tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [LEDGER, *(f"piece-{n}" for n in range(5)), PLAN]


def forget(ledger: Path, line: int) -> None:
    """Take a line out of a ledger."""
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[:line] + lines[line + 1 :]))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "piece-1").write_text("torn"),
        lambda folder: (folder / "piece-1").unlink(),
        lambda folder: os.truncate(folder / "piece-1", 10),
        lambda folder: forget(folder / LEDGER, 1),
    ],
    ids=["changed", "missing", "torn", "not entered"],
)  # fmt: skip
def test_a_piece_that_is_not_as_it_was_written_is_missing(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    """Whatever happened to it; afterwards all is as if nothing had."""
    fill(work(tmp_path))
    digest = work(tmp_path).digest()
    harm(tmp_path)
    assert fill(work(tmp_path)) == [1]
    assert work(tmp_path).digest() == digest


def test_a_torn_ledger_loses_one_piece_at_most(tmp_path: Path) -> None:
    """Wherever the last line breaks off."""
    fill(work(tmp_path))
    whole = (tmp_path / LEDGER).read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last, len(whole) - 1, 7):
        (tmp_path / LEDGER).write_bytes(whole[:cut])
        assert fill(work(tmp_path)) == [4]
        assert fill(work(tmp_path)) == []


def test_another_plan_is_other_work(tmp_path: Path) -> None:
    """Refused with the setting that differs; the pieces stay."""
    fill(work(tmp_path))
    with pytest.raises(InputError, match="seed is 1, not 2"):
        fill(work(tmp_path, seed=2))
    assert work(tmp_path).missing() == []


def test_work_that_fails_at_once_leaves_nothing(tmp_path: Path) -> None:
    """No plan without a piece."""

    def fail(shards: Shards) -> None:
        with shards.working():
            raise InputError("no")

    with pytest.raises(InputError, match="no"):
        fail(work(tmp_path / "new"))
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no lock of this kind there")
def test_two_do_not_work_in_one_folder(tmp_path: Path) -> None:
    """The second is refused, and may go on once the first has ended."""
    with work(tmp_path).working():
        with pytest.raises(InputError, match="another process works in"):
            fill(work(tmp_path))
    assert fill(work(tmp_path)) == [0, 1, 2, 3, 4]


LOOP = """
import sys, time
from pathlib import Path
from tests.make.shards import work
shards = work(Path(sys.argv[1]), count=40)
with shards.working() as missing:
    print("begun", flush=True)
    for position in missing:
        text = f"{position}" * 1000
        shards.add(position, lambda path: (path.write_text(text[:50]), time.sleep(0.002), path.write_text(text)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_at_any_moment_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Twenty kills of the process that writes, at random moments."""
    chance, kills = Random(0), 0
    root = Path(__file__).parents[2]
    while kills < 20:
        with subprocess.Popen([sys.executable, "-c", LOOP, tmp_path], cwd=root, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            time.sleep(chance.uniform(0, 0.012))
            process.send_signal(signal.SIGKILL)
        kills += 1
    shards = work(tmp_path, count=40)
    fill(shards)
    for position in range(40):
        assert (tmp_path / f"piece-{position}").read_text() == f"{position}" * 1000
    ledger = [json.loads(line) for line in (tmp_path / LEDGER).read_text().splitlines() if line.endswith("}")]
    assert {entry["piece"] for entry in ledger} == set(range(40))
