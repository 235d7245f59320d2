"""`stresslab resume`: a run that was stopped goes on from its finished universes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stresslab.cli.console import progress
from stresslab.cli.run import conduct, finished, working_alone

EXAMPLE = """Example:

stresslab resume reports/.20260102-030405-1a2b3c.work
"""


def resume(
    ctx: typer.Context,
    work: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder that the run named when it was stopped.")],
) -> None:
    """Go on with a run that was stopped, by whatever; it ends with the same bytes as a run that was not.

    The bars, the strategies, the weights and stresslab must be those of the run. The strategy files are run: they are
    code.
    """
    from stresslab.runs.restore import check_stopped, stopped

    place = Path(work)
    check_stopped(place)
    with working_alone(place), progress() as report:
        report("loading", 0, 1)
        settings, bars, generator = stopped(place)
        report("loading", 1, 1)
        finished(settings, *conduct(ctx, settings, bars, generator, place, report))
