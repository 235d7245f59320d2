"""Help: every command, argument and option says what it does, and shows an example."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stresslab.cli import app
from tests.cli.conftest import Command


def commands(command: Any = None, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, groups among them."""
    command = command or get_command(app)
    found = [(path, command)]
    for name, inner in getattr(command, "commands", {}).items():
        found += commands(inner, (*path, name))
    return found


ALL = commands()
NAMES = [" ".join(path) or "stresslab" for path, _ in ALL]


def test_the_commands_are_those_of_the_design() -> None:
    """The command line offers what the design promises so far, and no stub."""
    assert set(NAMES) == {
        "stresslab", "run", "sample", "check", "realism", "show", "report", "compare", "verify", "rerun", "replay",
        "resume", "freeze", "cache", "size", "limits", "track", "trades", "index", "mcp",
        "models", "new", "strategies", "scenarios", "train", "train tokenizer", "train model",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_everything_has_help(path: tuple[str, ...], command: Any) -> None:
    """Each command and each of its parameters has a summary of one line, which is a sentence."""
    assert command.help
    assert command.help.splitlines()[0].endswith((".", "?"))
    for parameter in command.params:
        assert parameter.help, f"{path}: {parameter.name} has no help"
        assert "\n" not in parameter.help
        assert parameter.help.endswith((".", "..."))


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_help_is_printed_with_an_example(path: tuple[str, ...], command: Any) -> None:
    """`--help` and `-h` of every command end with an example that calls that command."""
    for flag in ("--help", "-h"):
        result = CliRunner().invoke(app, [*path, flag], env={"COLUMNS": "100"})
        assert result.exit_code == 0
        summary, _, example = result.output.partition("Example:")
        assert "Usage: " in summary
        assert " ".join(("stresslab", *path)) in example


def test_without_a_command_what_matters_is_shown(command: Command) -> None:
    """The three command lines that a first look needs, each of a command that there is, and where the rest is."""
    outcome = command()
    assert outcome.code == 0
    lines = [line.split() for line in outcome.out.splitlines() if line.startswith("  stresslab ")]
    assert [words[1] for words in lines] == ["run", "check", "run"]
    assert "stresslab --help" in outcome.out
    assert "--install-completion" in outcome.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("stresslab ca", "cache"),
        ("stresslab run --wat", "--watch"),
        ("stresslab run example:sma_c", "example:sma_cross"),
        ("stresslab run x.py --data sample:bit", "sample:bitcoin"),
        ("stresslab run x.py --generator boot", "bootstrap"),
    ],
)
def test_tab_completes_commands_flags_and_values(words: str, offered: str) -> None:
    """A shell that asks as bash does gets what begins like the last word."""
    asked = {"_STRESSLAB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    command = [sys.executable, "-m", "stresslab"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | asked)
    assert offered in done.stdout.split()


def test_the_completion_of_a_shell_can_be_shown(command: Command) -> None:
    """It is a script, and asking for it is no error."""
    assert command("--show-completion", "bash").code == 0


def test_a_run_without_bars_is_offered_the_samples(command: Command) -> None:
    """All of them by name, that of the demo first."""
    outcome = command("run", "example:sma_cross")
    assert outcome.code == 2
    assert "--data sample:bitcoin" in outcome.err
    for name in ("nasdaq", "sp500", "crypto5"):
        assert f"sample:{name}" in outcome.err
