"""Help: every command, argument and option says what it does, and shows an example."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
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


SCREENS = 2 * 50
"""Lines of two screens."""


def help_of(*words: str, columns: int = 80) -> str:
    """What the help of a command prints on a terminal so wide."""
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": str(columns), "TERMINAL_WIDTH": str(columns)})
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("columns", [80, 100])
def test_the_help_of_run_fits_two_screens(columns: int) -> None:
    """Line by line, and in the width of the terminal."""
    lines = help_of("run", "--help", columns=columns).splitlines()
    assert len(lines) <= SCREENS
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("name", ["run", "sample", "realism", "trades", "size", "limits", "check", "freeze"])
def test_the_short_help_names_every_flag(name: str) -> None:
    """What few need is named after the rest, and `--help-all` explains it in its panel."""
    command: Any = dict(ALL)[(name,)]
    short, whole = help_of(name, "--help"), help_of(name, "--help-all")
    explained, _, more = short.partition(f"More, explained by `stresslab {name} --help-all`:")
    named = set(re.findall(r"--[a-z-]+", more.partition("Example:")[0]))
    for one in command.params:
        if one.param_type_name == "argument":
            continue
        assert (f"│ {one.opts[0]} " in explained) != (one.opts[0] in named), one.opts
        assert f"│ {one.opts[0]} " in whole, one.opts
    assert "More, explained by" not in whole


def test_what_most_runs_need_stands_first() -> None:
    """Bars, parameters, horizon and universes before everything else, rare flags after the common ones."""
    text = help_of("run", "--help")
    places = [text.index(f"│ --{name} ") for name in ("data", "horizon", "universes", "param", "grid", "seed", "fees")]
    assert places == sorted(places)
    panels = [text.index(panel) for panel in ("─ Common options", "─ Further studies", "─ Run ─", "More, explained by")]
    assert places[-1] < panels[1]
    assert panels == sorted(panels)


def test_a_switch_has_no_type() -> None:
    """Nobody is asked for a value that a switch does not take."""
    for path, _ in ALL:
        assert "<bool>" not in help_of(*path, "--help"), path


def test_the_page_of_flags_has_every_flag_and_no_other() -> None:
    """Who needs a flag is written down for each of them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
    written = {name for cell in re.findall(r"^\|(.*)\|", page, re.M) for name in re.findall(r"`(--[a-z-]+)`", cell)}
    flags = {one.opts[0] for _, command in ALL for one in command.params if one.param_type_name == "option"}
    assert written == flags - {"--help-all"} | {"--install-completion", "--show-completion"}
