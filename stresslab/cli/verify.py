"""`stresslab verify`: is a stored run what was written?"""

from __future__ import annotations

from typing import Annotated

import typer

from stresslab.cli.console import say
from stresslab.core.errors import InputError

EXAMPLE = """Example:

stresslab verify reports/20260102-030405-nasdaq-1a2b3c
"""


def verify(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run, as `stresslab run` printed it.")],
) -> None:
    """Compute every file's hash of a stored run again, and name what was changed; exit with 2 when anything was."""
    from stresslab.runs.verify import verify as compute

    found = compute(run)
    say(str(found))
    if not found.whole:
        counts = f"{len(found.changed)} changed, {len(found.missing)} missing, {len(found.additional)} additional"
        raise InputError(f"{run} is not what the run wrote ({counts}); copy it from its origin, or run it again")
