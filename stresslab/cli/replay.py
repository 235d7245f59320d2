"""`stresslab replay`: one universe of a stored run again, by `stresslab.runs.replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.values import whole
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab replay reports/20260102-030405-nasdaq-1a2b3c 17 --out universe
"""


def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, as `stresslab run` printed it.")],
    universe: Annotated[
        int, typer.Argument(metavar="UNIVERSE", help="Its number, as the report names it.", parser=whole)
    ],
    strategy: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this strategy; may be given again.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Where Kronos' weights are now, if they were moved.", show_default=False),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder to write bars, accounts and pictures to; none by default."),
    ] = None,
    tear_sheet: Annotated[
        bool,
        typer.Option(
            "--tear-sheet",
            help="Write a tear sheet of each account too, where you have quantstats.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Show one universe of a stored run: its bars, and what each strategy did in them, bar by bar.

    The bars and the strategies are those that the run kept in its folder; weights that have changed are refused. The
    strategy files in the folder are run: they are code.
    """
    from contextlib import nullcontext

    from stresslab.runs.replay import check_tear_sheets
    from stresslab.runs.replay import replay as compute

    if tear_sheet:
        if out is None:
            raise InputError("--tear-sheet has no place to be written to; add --out, for example --out universe")
        check_tear_sheets()
    with nullcontext() if out is None else options.output_folder(out) as folder, progress() as report:
        found = compute(run, universe, strategy or (), model=model, progress=report)
        text = str(found)
        if folder is not None:
            written, missing = found.save(folder, tear_sheet)
            text = "\n".join([text, "", *map(str, written), *missing])
    say(text)
