"""`stresslab scenarios`: the crises that can be put into universes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab scenarios

stresslab scenarios my_crises.yaml
"""


def scenarios(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="YAML file of crises; the library by default.")
    ] = None,
) -> None:
    """List the crises that --scenarios and --shock bars=NAME@BAR can name."""
    from stresslab.analysis.crises import LIBRARY, read_crises

    found = read_crises(LIBRARY if file is None else Path(file))
    width = max(map(len, found))
    for name, crisis in found.items():
        bars = crisis.measured()
        counted = [f"{crisis.halt} without trading"] * bool(crisis.halt) + [f"{len(bars)}"] * bool(len(bars))
        about = f"{crisis.market}, {crisis.first:%Y-%m-%d}, bars: {' + '.join(counted)} ({crisis.kind})"
        say(f"{name.ljust(width)}  {about}; {crisis.title}")
    if file is None:
        say("Facts and sources, and how to write a file of your own: docs/what_if.md")
