"""Help: every command, argument and option says what it does, and shows an example."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stresslab.cli import app


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
        "resume", "freeze", "size", "limits",
        "models", "strategies", "scenarios", "train", "train tokenizer", "train model",
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


def test_without_a_command_the_help_is_printed() -> None:
    """`stresslab` alone shows what there is."""
    result = CliRunner().invoke(app, [], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    assert "strategies" in result.output
