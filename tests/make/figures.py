"""Figures of studies as a result holds them, and the charts that a report draws of a result."""

from __future__ import annotations

from typing import Any

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_models import Edge, Estimate
from stresslab.analysis.result_studies import (
    AlternativeGenerator,
    Difference,
    Fold,
    Timing,
    WalkForward,
)
from stresslab.report.charts.chart import Chart
from stresslab.report.sections.registry import parts
from tests.make.gridded import share


def charts_of(result: StressResult) -> dict[str, Chart]:
    """Every chart of a report by its key."""
    return {chart.key: chart for part in parts(result) for chart in part.charts}


def row(loss: float, middle: float, **more: Any) -> dict[str, Any]:
    """The figures of one origin or one generator."""
    return {
        "universes": 10_000_000,  # no chance left
        "probability_of_loss": share(loss, loss, loss),
        "probability_of_drawdown": {"0.2": share(loss / 2, loss / 2, loss / 2)},
        "expected_shortfall_97_5": share(0.1, 0.1, 0.1),
        "median_return": middle,
        "time_under_water": 0.5,
        **more,
    }


NO_EDGE = Edge(label="no", reasons=("Nothing.",), checks=())


def world(
    loss: float, middle: float, *, label: str, own_drift: bool = True, total: tuple[float, float, float] = (0, 0, 0)
) -> AlternativeGenerator:
    """Figures in universes of another generator."""
    value, low, high = total
    timing = Timing(
        total=Estimate(value=value, low=low, high=high),
        sharpe=Estimate(value=0.0, low=0.0, high=0.0),
        p_value=0.5,
        timed=True,
        paths=10,
    )
    ahead = Difference(
        first="strategy",
        second="buy and hold",
        mean=Estimate(value=0.0, low=0.0, high=0.0),
        better=share(0.5, 0.4, 0.6),
        equal=Estimate(value=0.0, low=0.0, high=0.0),
        worse=share(0.5, 0.4, 0.6),
    )
    about = {"name": label, "label": label, "keeps": "", "lacks": "", "own_drift": own_drift}
    return AlternativeGenerator.of(row(loss, middle, **about, timing=timing, against_buy_and_hold=ahead))


def walk(folds: list[Fold]) -> WalkForward:
    """A walk-forward study with these folds, and nothing else."""
    return WalkForward.model_construct(origins=tuple(folds))


def origin(year: int, loss: float, real: float, **more: Any) -> Fold:
    """One origin of the timeline."""
    levels = {"0.05": -0.1, "0.25": -0.02, "0.5": 0.01, "0.75": 0.04, "0.95": 0.1}
    about = {"trend": "up", "volatility": "calm", "in_sample": False}
    place = {"realised_percentile": share(0.5, 0.4, 0.6)}
    stamp = {"origin": f"{year}-06-30", "quantiles": levels, "realised_return": real}
    return Fold.of(row(loss, 0.01, median_interval=[0.01, 0.01], **(stamp | place | about | more)))
