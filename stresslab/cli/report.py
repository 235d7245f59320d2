"""`stresslab report`: a stored run rendered again, from its files alone; nothing is computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stresslab.cli import options
from stresslab.cli.console import say
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab report reports/20260102-030405-nasdaq-1a2b3c --format html,pdf,md

stresslab report reports/20260102-030405-nasdaq-1a2b3c --format pdf --dossier facts.yaml
"""


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, as `stresslab run` printed it.")],
    format: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What to write: html, pdf, md, png, svg, csv, parquet, json; separated by commas.",
            show_default="html",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder to write to; by default `report` in the run's own.", show_default=False
        ),
    ] = None,
    dossier: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="YAML file of facts that make the report a dossier to sign.", show_default=False
        ),
    ] = None,
) -> None:
    """Render a stored run again: page, PDF, summary, pictures, tables."""
    from stresslab.core.safe_files import report_damage_of
    from stresslab.report.formats.registry import FORMATS, render_all
    from stresslab.runs.dossier import with_dossier
    from stresslab.runs.folder import load_run
    from stresslab.runs.verify import RENDERED

    wanted = _formats(format or ["html"], list(FORMATS))
    result = load_run(run) if dossier is None else with_dossier(load_run(run), dossier)
    with report_damage_of(run), options.output_folder(str(Path(run) / RENDERED) if out is None else out) as folder:
        written = render_all(result, folder, wanted)
    for path in dict.fromkeys(written):
        say(str(path))


def _formats(given: list[str], known: list[str]) -> list[str]:
    """Formats, given repeatedly or separated by commas."""
    from stresslab.core.text import did_you_mean

    names = [name.strip().lower() for entry in given for name in entry.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise InputError(f"--format {name!r} is not a format{did_you_mean(name, known)}")
    if not names:
        raise InputError(f"--format names nothing to write; choose from {', '.join(known)}")
    return names
