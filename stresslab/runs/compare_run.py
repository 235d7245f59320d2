"""Stored runs, or results in memory, beside each other: as the command line compares them, for Python."""

from __future__ import annotations

import os
from pathlib import Path

from stresslab.analysis.compare import Comparison
from stresslab.analysis.compare import compare as compare_results
from stresslab.analysis.result import StressResult
from stresslab.core.errors import InputError
from stresslab.runs.folder import load_run


def compare(*runs: StressResult | str | os.PathLike[str], paired: bool = False) -> Comparison:
    """Compare runs: universe by universe where they share them, side by side where not.

    Args:
        runs: two or more, each a result or the folder of a stored run; the others are held against the first.
        paired: refuse runs that do not share their universes.

    Raises:
        InputError: there are fewer than two, or they cannot be paired.
    """
    results, names = [], []
    for at, one in enumerate(runs):
        stored = isinstance(one, (str, os.PathLike))
        if not stored and not isinstance(one, StressResult):
            raise InputError(f"{one!r:.60} is no run; give a result of stress_test, or a run's folder")
        results.append(load_run(Path(os.fspath(one))) if isinstance(one, (str, os.PathLike)) else one)
        names.append(Path(os.fspath(one)).name if isinstance(one, (str, os.PathLike)) else f"run {at + 1}")
    found = compare_results(results, names)
    if paired and found.unpaired:
        letter, why = next(iter(found.unpaired.items()))
        odd = names[list(found.runs).index(letter)]
        raise InputError(
            f"{odd} cannot be paired with {names[0]}: {why}; run both on the same bars, origin, horizon, generator, "
            "`seed` and `universes`, or leave out `paired` to see them side by side"
        )
    return found
