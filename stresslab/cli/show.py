"""`stresslab show`: a stored run on the terminal again, from its files alone."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab show reports/20260102-030405-nasdaq-1a2b3c
"""


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, as `stresslab run` printed it.")],
) -> None:
    """Print the verdicts and the evidence of a stored run."""
    from stresslab.core.safe_files import report_damage_of
    from stresslab.runs.folder import load_run

    result = load_run(run)
    with report_damage_of(run):
        text = str(result)
    say(text)
