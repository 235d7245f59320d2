"""`stresslab verify`: every file as it was written, or named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_run_as_it_was_written(stored: Path, command: Command) -> None:
    """Exit code 0 and how many files were looked at."""
    done = command("verify", stored)
    assert (done.code, done.err) == (0, "")
    assert "files are what the run wrote" in done.out


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda run: (run / "result.json").write_text("{}"), "changed: result.json"),
        (lambda run: (run / "metrics.parquet").unlink(), "missing: metrics.parquet"),
        (lambda run: (run / "notes.txt").write_text("mine"), "additional: notes.txt"),
    ],
    ids=["changed", "missing", "additional"],
)
def test_what_is_not_as_it_was_is_named(
    copied: Path, command: Command, spoil: Callable[[Path], object], line: str
) -> None:
    """Each file on stdout, one line on stderr, and exit code 2."""
    spoil(copied)
    done = command("verify", copied)
    assert done.code == 2
    assert line in done.out.splitlines()
    assert done.err.count("\n") == 1
    assert f"{copied} is not what the run wrote" in done.err
