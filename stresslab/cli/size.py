"""`stresslab size`: how large the strategies of a stored run can be traded."""

from __future__ import annotations

from pathlib import Path

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.runs.decision_settings import SizeSettings

EXAMPLE = """Example:

stresslab size reports/20260102-030405-nasdaq-1a2b3c --limit "P(drawdown > 20%) <= 5%"
"""


@options.takes(SizeSettings)
def size(ctx: typer.Context, settings: SizeSettings) -> None:
    """Say how large to trade: growth, losses, drawdowns and ruin over sizes, the largest within a limit, and Kelly's.

    The run's strategies are run again in its universes, from the code that its folder keeps.
    """
    from stresslab.runs.size_run import size_run
    from stresslab.runs.verify import RENDERED

    folder = str(Path(settings.run) / RENDERED) if settings.out is None else settings.out
    with options.output_folder(folder) as place, progress() as report:
        found = size_run(settings, report)
        written = found.save(place, settings.keep_accounts)
    say(f"{found}\n\n" + "\n".join(map(str, written)))
