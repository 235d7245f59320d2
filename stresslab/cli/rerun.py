"""`stresslab rerun`: a stored run again, from its manifest alone; `stresslab.runs.rerun` compares the two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.values import whole
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab rerun reports/20260102-030405-nasdaq-1a2b3c
"""


def rerun(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, as `stresslab run` printed it.")],
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Worker processes; 0 means one per processor.", parser=whole)
    ] = 0,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Where Kronos' weights are now, if they were moved.", show_default=False),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder in which to store the new run; by default it is not stored."),
    ] = None,
) -> None:
    """Do a stored run again and say whether the numbers are the same; exit with 2 when they are not.

    The bars and the strategies are those that the run kept in its folder; weights that have changed are refused. The
    strategy files in the folder are run: they are code.
    """
    from contextlib import nullcontext

    from stresslab.runs.folder import save_run
    from stresslab.runs.inputs import INPUTS
    from stresslab.runs.rerun import rerun as compute

    with nullcontext() if out is None else options.output_folder(out) as folder, progress() as report:
        found = compute(run, jobs=jobs, model=model, progress=report)
        text = str(found)
        if folder is not None:
            report("report", 0, 1)
            text += f"\nreport: {save_run(found.result, folder, inputs=Path(run) / INPUTS) / 'report.html'}"
            report("report", 1, 1)
    say(text)
    if not found.within:
        raise InputError(f"{run} cannot be reproduced here; what differs is listed above")
