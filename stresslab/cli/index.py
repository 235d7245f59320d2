"""`stresslab index`: all runs of a folder on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli.console import say

EXAMPLE = """Example:

stresslab index reports
"""


def index(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder that runs were written to; the page is written into it.")
    ] = "reports",
) -> None:
    """List all runs of a folder on one page: strategy, market, verdict, P(loss), date and tracked state."""
    from stresslab.runs.index import index_of

    found = index_of(folder)
    page = found.save()
    runs, rows = found.runs, len(found.rows)
    lines = [f"{runs:,} {'run' if runs == 1 else 'runs'}, {rows:,} {'strategy' if rows == 1 else 'strategies'}"]
    lines += [f"not read: {name}: {why}" for name, why in found.unread]
    say("\n".join([*lines, "", str(page)]))
