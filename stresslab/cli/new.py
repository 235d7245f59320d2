"""`stresslab new`: writes a strategy file to start from."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab new my_strategy

stresslab new my_strategy --from freqtrade
"""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the file is to be called, in a folder or here.")],
    form: Annotated[
        str,
        typer.Option("--from", metavar="FORM", help="blank, freqtrade, backtrader, backtesting, jesse or sklearn."),
    ] = "blank",
) -> None:
    """Write a small strategy that runs, in the form that you know, to change into yours."""
    from stresslab.strategy.frameworks.starts import write_start

    path = write_start(name, form)
    say(f"{path} is written; next:")
    say(f"  stresslab check {path} --data sample:bitcoin")
    say(f"  stresslab run {path} --data sample:bitcoin --watch")
