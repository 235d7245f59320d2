"""`stresslab trades`: what a list of trades says without the rule behind it."""

from __future__ import annotations

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.runs.trades_run import TradeSettings

EXAMPLE = """Example:

stresslab trades trades.csv --data bars.csv --generator bootstrap

stresslab trades report.html --data bars.csv --init-cash 10000 --trials 50 --limits challenge-static --out studied
"""


@options.takes(TradeSettings, only=[name for name in TradeSettings.model_fields if name != "dependence"])
def trades(ctx: typer.Context, settings: TradeSettings) -> None:
    """Study a list of trades: its times against chance, the same exposure at other times, and the size that it bears.

    A list cannot be run again, so it gets no verdict: that needs the rule itself.
    """
    from stresslab.runs.trades_run import trades_run

    with progress() as report:
        report("loading", 0, 1)
        found = trades_run(settings, options.given_flags(ctx), report)
    text = str(found)
    if settings.out is not None:
        with options.output_folder(settings.out) as folder:
            text += "\n\n" + "\n".join(map(str, found.save(folder)))
    say(text)
