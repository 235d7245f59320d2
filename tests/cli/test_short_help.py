"""Help that fits a screen or two: its length, its order, and where the rest is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stresslab.cli import app
from stresslab.cli.short_help import HELP_ALL, with_rare


def commands(command: Any = None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command by the words that call it, groups among them."""
    command = command or get_command(app)
    found = {path: command}
    for name, inner in getattr(command, "commands", {}).items():
        found |= commands(inner, (*path, name))
    return found


ALL = commands()
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
    command: Any = ALL[(name,)]
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
    for path in ALL:
        assert "<bool>" not in help_of(*path, "--help"), path


def test_the_page_of_flags_has_every_flag_and_no_other() -> None:
    """Who needs a flag is written down for each of them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
    written = {name for cell in re.findall(r"^\|(.*)\|", page, re.M) for name in re.findall(r"`(--[a-z-]+)`", cell)}
    flags = {one.opts[0] for command in ALL.values() for one in command.params if one.param_type_name == "option"}
    assert written == flags - {"--help-all"} | {"--install-completion", "--show-completion"}


def test_a_command_without_rare_settings_has_no_second_help() -> None:
    """Where all is explained at once, there is nothing more to ask for."""
    assert with_rare({}) is not with_rare({"jobs": "Run"})
    for command in ALL.values():
        names = {one.name for one in command.params}
        assert (HELP_ALL in names) == bool(getattr(command, "rare", {}))
