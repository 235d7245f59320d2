"""`stresslab compare`: stored runs beside each other, paired where they share their universes."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli import options
from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab compare reports/20260102-030405-nasdaq-1a2b3c reports/20260102-040506-nasdaq-4d5e6f --out compared
"""


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Folders of two runs or more; the others are held against the first."),
    ],
    paired: Annotated[
        bool, typer.Option("--paired", help="Refuse runs that do not share their universes.", show_default=False)
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder to write comparison.html to; none by default.", show_default=False),
    ] = None,
) -> None:
    """Compare stored runs: universe by universe where they share them, side by side where not."""
    from stresslab.core.safe_files import report_damage_of
    from stresslab.core.whole_files import put_text
    from stresslab.report.formats.comparison import render_page, render_text
    from stresslab.runs.compare_run import compare as compare_runs

    with report_damage_of(" or ".join(runs)):
        found = compare_runs(*runs, paired=paired)
        text, page = render_text(found), None if out is None else render_page(found)
    if out is not None and page is not None:
        with options.output_folder(out) as folder:
            written = folder / "comparison.html"
            put_text(written, page)
        text += f"\n\ncomparison: {written}"
    say(text)
