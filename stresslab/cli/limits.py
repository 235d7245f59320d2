"""`stresslab limits`: whether the strategies of a stored run keep limits."""

from __future__ import annotations

from pathlib import Path

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.run import FAILED_ON
from stresslab.runs.decision_settings import HeldSettings

EXAMPLE = """Example:

stresslab limits reports/20260102-030405-nasdaq-1a2b3c limits.yaml --fail-on limits

stresslab limits reports/20260102-030405-nasdaq-1a2b3c challenge-static
"""


@options.takes(HeldSettings)
def limits(ctx: typer.Context, settings: HeldSettings) -> None:
    """Hold the strategies of a stored run to limits: shortfall, drawdowns, and the rules of an account.

    The run's strategies are run again in its universes, from the code that its folder keeps. Account rules are watched
    on equity inside each bar: the worse of high and low for what is held.
    """
    from stresslab.runs.limits_run import limits_run
    from stresslab.runs.verify import RENDERED

    folder = str(Path(settings.run) / RENDERED) if settings.out is None else settings.out
    with options.output_folder(folder) as place, progress() as report:
        found = limits_run(settings, report)
        written = found.save(place, settings.keep_accounts)
    say(f"{found}\n\n" + "\n".join(map(str, written)))
    if settings.fail_on and not found.kept:
        raise typer.Exit(FAILED_ON)
