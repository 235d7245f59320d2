"""Errors become one line and an exit code, once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stresslab import cli
from stresslab.core.errors import DataError, InputError, InterruptedRunError
from tests.cli.conftest import Command

INTERPRETER = (sys.executable, "-m", "stresslab")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("fees=2 is wrong"), 2, "fees=2 is wrong"),
        (DataError("row 3"), 2, "row 3"),
        (InterruptedRunError("stopped"), 3, "stopped"),
        (KeyboardInterrupt(), 3, "interrupted"),
        (MemoryError(), 2, "fewer --universes"),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero; this is our fault"),
    ],
)
def test_errors_become_a_line_and_a_code(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    """Each kind of error has its exit code, one line on stderr, and no traceback."""

    def fail(path: str) -> None:
        raise error

    monkeypatch.setattr("stresslab.runs.folder.load_run", fail)
    outcome = command("show", "somewhere")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("error: ")
    assert words in outcome.err


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_debug_shows_the_traceback(command: Command, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """`--debug` or STRESSLAB_DEBUG=1 print the traceback before the line."""

    def fail(path: str) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("stresslab.runs.folder.load_run", fail)
    if how == "environment":
        monkeypatch.setenv("STRESSLAB_DEBUG", "1")
    outcome = command(*(["--debug"] if how == "flag" else []), "show", "somewhere")
    assert outcome.code == 1
    assert outcome.err.startswith("Traceback")
    assert outcome.err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runn"], "'run'"),
        (["run", "a.py", "--horizn", "3"], "--horizon"),
        (["run", "a.py", "--horizon", "many"], "'many' is not a whole number"),
        (["run", "a.py", "--fees", "half"], "'half' is not a number"),
        (["run", "a.py", "--horizon"], "--horizon"),
        (["run", "a.py"], "--data sample:bitcoin; there are sample:bitcoin, sample:nasdaq"),
        (["run", "--data", "sample:nasdaq"], "strategies/sma_cross.py"),
        (["sample", "--data", "sample:nasdaq"], "--out"),
        (["show"], "RUN"),
        (["run", "a.py", "--data", "b.csv", "--fail-on", "luky"], "'lucky'"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_usage_errors_are_one_line(command: Command, arguments: list[str], words: str) -> None:
    """A command line that cannot be read exits with 2 and one line that names what is wrong and what would be right."""
    outcome = command(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("error: ")
    assert words in outcome.err


def test_version(command: Command) -> None:
    """`--version` prints name and version."""
    outcome = command("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("stresslab ")


def test_help_needs_nothing_heavy() -> None:
    """Loading the command line imports none of the libraries that the commands use."""
    heavy = "torch vectorbt numba matplotlib scipy pandas numpy pyarrow jinja2 rich".split()
    script = f"import sys, stresslab.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reader_that_leaves_is_no_error() -> None:
    """`stresslab run --help | head -1` ends quietly."""
    piped = f"{' '.join(INTERPRETER)} run --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_main_leaves_warnings_as_they_were(command: Command) -> None:
    """What a command does to Python's warnings ends with it."""
    import warnings

    before = list(warnings.filters)
    command("--version")
    assert warnings.filters == before


def test_explain_names_every_exit_code() -> None:
    """The codes are those of the design."""
    assert (cli.DONE, cli.OUR_FAULT, cli.WRONG_INPUT, cli.INTERRUPTED) == (0, 1, 2, 3)


@pytest.mark.parametrize(("words", "said"), [(("--data",), "nothing"), (("--data", "--fees"), "--fees")])
def test_a_flag_without_its_value_says_what_it_takes(command: Command, words: tuple[str, ...], said: str) -> None:
    """At the end of the line as before another flag: one line, with what the value would be."""
    outcome = command("run", "any.py", *words)
    assert outcome.code == 2
    assert outcome.err == f"error: --data needs a value (SOURCE ...), and {said} follows it\n"
