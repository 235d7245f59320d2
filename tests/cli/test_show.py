"""`stresslab show`: a stored run on the terminal again."""

from __future__ import annotations

from pathlib import Path

import stresslab as sl
from tests.cli.conftest import Command
from tests.make.refused import assert_refused


def test_it_prints_the_result_that_python_loads(runs: tuple[Path, ...], command: Command) -> None:
    """The text of the result in the folder, and nothing on stderr."""
    for run in runs[:2]:
        done = command("show", run)
        assert (done.code, done.err) == (0, "")
        assert done.out.rstrip("\n") == str(sl.load_run(run)).rstrip("\n")
    assert command("show", runs[0]).out != command("show", runs[2]).out


def test_a_damaged_run_is_named(copied: Path, command: Command) -> None:
    """A result that does not hold what it must, and a folder that is no run: one line, exit code 2."""
    (copied / "result.json").write_text("{}")
    assert_refused(command("show", copied), str(copied))
    assert_refused(command("show", copied.parent), str(copied.parent), "is not a run")
