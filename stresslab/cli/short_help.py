"""Help that fits a screen or two: what most need is explained, what few need is named, and `--help-all` explains all.

Which settings few need, `stresslab.cli.options` lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from stresslab.runs.setting import PANELS, RUN

HELP_ALL = "help_all"
"""Name of the flag that explains everything; none of a command's settings."""


def show_all(ctx: typer.Context, wanted: bool) -> None:
    """Print the whole help and leave, where that is wanted."""
    if not wanted:
        return
    assert isinstance(ctx.command, Command)
    with ctx.command.explaining_all():
        typer.echo(ctx.get_help(), nl=False)
    raise typer.Exit


class Plain(TyperCommand):
    """A command whose help gives no type to a switch, which takes no value."""

    def get_params(self, ctx: Any) -> Any:
        """What it takes, `--help` included."""
        return _untyped(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose help gives no type to a switch."""

    def get_params(self, ctx: Any) -> Any:
        """What it takes, `--help` included."""
        return _untyped(super().get_params(ctx))


def _untyped(params: list[Any]) -> list[Any]:
    for one in params:
        if getattr(one, "is_flag", False):
            one.metavar = ""
    return params


class Command(Plain):
    """A command with a short help.

    Attributes:
        rare: the settings of which the short help gives the names alone, each with its panel.
    """

    rare: Mapping[str, str]
    _all = False

    def get_help_option(self, ctx: Any) -> Any:
        """`--help`, after what a run can be given."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = RUN
        return option

    @contextmanager
    def explaining_all(self) -> Iterator[None]:
        """The help is the whole one while this lasts."""
        self._all = True
        try:
            yield
        finally:
            self._all = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The short help, or the whole one."""
        left_out = [] if self._all else [one for one in self.params if one.name in self.rare]
        epilog = self.epilog
        for one in left_out:
            one.hidden = True  # type: ignore[attr-defined] # options alone can be rare
        if left_out:
            self.epilog = f"{self._names(ctx.command_path)}\n\n{epilog}"
        try:
            super().format_help(ctx, formatter)
        finally:
            self.epilog = epilog
            for one in left_out:
                one.hidden = False  # type: ignore[attr-defined] # as above

    def _names(self, command: str) -> str:
        """The names of what few need, a line for each panel."""
        lines = [f"More, explained by `{command} --help-all`:"]
        for panel in PANELS:
            names = [f"--{name.replace('_', '-')}" for name, its in self.rare.items() if its == panel]
            if names:
                lines.append(f"{panel}: {', '.join(names)}")
        return "\n".join(lines)


def with_rare(rare: Mapping[str, str]) -> type[Plain]:
    """The class of a command, of whose settings these are rare; each with its panel."""
    return type("Command", (Command,), {"rare": rare}) if rare else Plain
