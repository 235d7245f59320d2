"""`stresslab track`: whether what is traded still behaves as its run said."""

from __future__ import annotations

from pathlib import Path

import typer

from stresslab.cli import options
from stresslab.cli.console import progress, say
from stresslab.cli.run import FAILED_ON
from stresslab.core.errors import InputError
from stresslab.runs.decision_settings import TrackSettings

EXAMPLE = """Example:

stresslab track reports/20260102-030405-bitcoin-1a2b3c --data btc_up_to_today.csv

stresslab track reports/2026*/ --equity account.csv
"""


@options.takes(TrackSettings)
def track(ctx: typer.Context, settings: TrackSettings) -> None:
    """Hold stored runs against the bars since: inside, drifting or outside, since when, and what to do.

    Exits with 4 when a strategy is outside. Page, state and history are kept in `tracking` beside the runs.
    """
    from stresslab.runs.settings import SEVERAL
    from stresslab.runs.track_run import TRACKING, listed, track_run

    sources = [None] if settings.data is None else settings.data.split(SEVERAL)
    if len(sources) not in (1, len(settings.runs)):
        runs = "is 1 run" if len(settings.runs) == 1 else f"are {len(settings.runs)} runs"
        raise InputError(f"--data names {len(sources)} sources, and there {runs}; name one for all, or one for each")
    found, written = [], []
    with progress() as report:
        for at, run in enumerate(settings.runs):
            base = Path(run).resolve().parent / TRACKING if settings.out is None else Path(settings.out)
            with options.output_folder(str(base / Path(run).resolve().name)) as folder:
                one = track_run(run, settings, folder, sources[at % len(sources)], report)
                written += one.save(folder)
            found.append(one)
    say(f"{listed(found)}\n\n" + "\n".join(map(str, written)))
    if any(one.outside for one in found):
        raise typer.Exit(FAILED_ON)
