"""The same test in universes of other generators, on matched volatility."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stresslab.analysis.case import Case, figures
from stresslab.generators.base import Generator
from stresslab.generators.matched import ALTERNATIVES, alternative, volatility_of
from stresslab.generators.transforms import drift_neutral
from stresslab.metrics.paired import difference


def contrasts(
    cases: list[Case], generator: Generator, horizon: int, progress: Callable[[int], None] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """What each strategy does in worlds that keep other things of the market, on matched volatility.

    Args:
        cases: strategies with the run's universes.
        generator: the run's own.
        horizon: bars.
        progress: called with 1 after each world.

    Returns:
        By strategy, one row per contrast: figures, timing and excess over buy and hold.
    """
    first = cases[0]
    volatility = volatility_of(first.universes)
    found: dict[str, list[dict[str, Any]]] = {case.strategy.name: [] for case in cases}
    for name, row in ALTERNATIVES.items():
        world = first.universes
        if row.generator is not None:
            made = alternative(name, generator, volatility)
            world = made.sample(first.history, horizon, len(first.universes), first.seed, jobs=first.jobs)
        elif row.drift is not None:
            world = drift_neutral(first.universes)
        about: dict[str, Any] = {"name": name, "label": row.label, "keeps": row.keeps, "lacks": row.lacks}
        about["own_drift"] = row.drift is None
        for case in cases:
            found[case.strategy.name].append(about | _in_world(replace(case, universes=world)))
        if progress is not None:
            progress(1)
    return found


def _in_world(case: Case) -> dict[str, Any]:
    metrics = case.measured(case.universes)
    held = metrics["total_return"] - metrics["excess_return"]
    return {
        **figures(metrics, case.seed),
        "timing": case.timing.to_dict(),
        "against_buy_and_hold": difference(metrics["total_return"], held).to_dict(),
    }
