"""A stored run done again from its manifest, and whether the numbers are the same; nothing else of the run is used.

What may differ (libraries, processor) is named, and then numbers are compared within `TOLERANCE`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.core.safe_files import report_damage_of
from stresslab.runs.restore import METRICS, finished
from stresslab.runs.stress_test import stress_test

TOLERANCE = 1e-6
"""Relative difference up to which two measures are the same number, rounded elsewhere."""
FLIPPED = 0.01
"""Share of rows that may differ by more: rounding may draw another token in a universe, which then goes its own way."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Rerun:
    """A run done again.

    Attributes:
        result: what came of it.
        same: whether `metrics.parquet` is the same, byte for byte.
        rows: rows of it, one per strategy and universe.
        beyond: rows in which a number differs by more than `TOLERANCE`.
        largest: the largest relative difference.
        differences: what is not as it was when the run was stored.
    """

    result: StressResult
    same: bool
    rows: int
    beyond: int
    largest: float
    differences: tuple[str, ...]

    @property
    def within(self) -> bool:
        """Whether the numbers are the same within the stated tolerance."""
        return self.beyond <= FLIPPED * self.rows

    def __str__(self) -> str:
        """What is the same, and what is not."""
        if self.same:
            line = f"the same: {METRICS} is equal byte for byte, {self.rows:,} rows"
        else:
            word = "the same within the tolerance" if self.within else "not the same"
            line = (
                f"{word}: {self.beyond:,} of {self.rows:,} rows differ by more than {TOLERANCE:g} "
                f"(at most {FLIPPED:.0%} may), the largest difference is {self.largest:.2g}"
            )
        return "\n".join([line, *(f"since then: {difference}" for difference in self.differences)])


def rerun(folder: str | Path, *, jobs: int = 0, model: str | None = None, progress: Progress | None = None) -> Rerun:
    """Do a stored run again.

    Args:
        folder: of the run.
        jobs: workers; 0 means one per processor.
        model: where Kronos' weights are now, if not where the run's settings say.
        progress: called with (stage, done, total).

    Raises:
        InputError: the manifest is not complete, or the bars, a strategy or the weights are not those of the run.
    """
    folder = Path(folder)
    if progress is not None:
        progress("loading", 0, 1)
    was = finished(folder, jobs, model)
    if progress is not None:
        progress("loading", 1, 1)
    arguments = was.settings.arguments(ledger=was.earlier, cache=False) | {"config": was.config}
    result = stress_test(bars=was.bars, generator=was.generator, progress=progress, **arguments)
    made = io.BytesIO()
    result.metrics.to_parquet(made, index=False)
    with report_damage_of(folder):
        rows, beyond, largest = compared(was.metrics, result.metrics)
    return Rerun(result, made.getvalue() == was.stored, rows, beyond, largest, was.differences)


def compared(then: pd.DataFrame, now: pd.DataFrame) -> tuple[int, int, float]:
    """Rows, how many differ by more than the tolerance in any number, and the largest relative difference."""
    keys = ["strategy", "universe"]
    shared = [name for name in then.columns if name in now.columns and name not in keys]
    if len(then) != len(now) or not then[keys].equals(now[keys]) or not shared:
        return max(len(then), len(now)), max(len(then), len(now)), math.inf
    old, new = (frame[shared].to_numpy(dtype=np.float64) for frame in (then, now))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(old - new) / np.maximum(np.maximum(np.abs(old), np.abs(new)), TOLERANCE)
    apart[(old == new) | (np.isnan(old) & np.isnan(new))] = 0.0
    apart[np.isnan(apart)] = math.inf
    return len(then), int((apart > TOLERANCE).any(axis=1).sum()), float(apart.max(initial=0.0))
