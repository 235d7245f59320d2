"""The same test in universes of other generators, on matched volatility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stresslab.analysis.case import Case, figures
from stresslab.generators.base import Generator
from stresslab.generators.matched import ALTERNATIVES, alternative, volatility_of
from stresslab.metrics.paired import difference


def alternative_generators(
    cases: list[Case], generator: Generator, horizon: int, progress: Callable[[int], None] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """What each strategy does in universes that keep other things of the market, on matched volatility.

    Args:
        cases: strategies with the run's universes.
        generator: the run's own.
        horizon: bars.
        progress: called with 1 after each generator.

    Returns:
        By strategy, one row per generator: figures, timing and excess over buy and hold.
    """
    first = cases[0]
    volatility = volatility_of(first.universes)
    found: dict[str, list[dict[str, Any]]] = {case.strategy.name: [] for case in cases}
    for name, row in ALTERNATIVES.items():
        sampled = None
        if row.generator is not None:
            made = alternative(name, generator, volatility)
            sampled = made.sample(first.history, horizon, len(first.universes), first.seed, jobs=first.jobs)
        about: dict[str, Any] = {"name": name, "label": row.label, "keeps": row.keeps, "lacks": row.lacks}
        about["own_drift"] = row.drift is None
        for case in cases:
            own = case if row.drift is None else case.drift_neutral
            found[case.strategy.name].append(about | _figures(own if sampled is None else case.elsewhere(sampled)))
        if progress is not None:
            progress(1)
    return found


def _figures(case: Case) -> dict[str, Any]:
    metrics = case.metrics
    held = metrics["total_return"] - metrics["excess_return"]
    return {
        **figures(metrics, case.seed),
        "timing": case.timing.to_dict(),
        "against_buy_and_hold": difference(metrics["total_return"], held).to_dict(),
    }
