"""P(loss) of every strategy on one scale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_models import Edge, Losses, PlantedLosses
from stresslab.report.charts.loss_intervals import loss_chart
from tests.make.figures import NO_EDGE, charts_of, row
from tests.make.gridded import share


def planted(strategy: StrategyResult, without: float, supported: float) -> StrategyResult:
    """The strategy with P(loss) without and with its edge."""
    sides = [
        Losses.of(row(value, 0.0) | {"generators": (value - 0.1, value + 0.2),
                                     "probability_of_loss": share(value, value - 0.05, value + 0.05)})
        for value in (without, supported)
    ]  # fmt: skip
    found = PlantedLosses(
        without=sides[0], supported=sides[1], generators=("garch",), own_timing=0.1, shortest_robust_horizon=None
    )
    return replace(strategy, edge=Edge.of(NO_EDGE.to_dict() | {"losses": found.to_dict()}))


def test_all_strategies_share_a_scale_with_the_thresholds(several: StressResult) -> None:
    """A row each, in order; without an edge hollow and above, with it filled; thresholds are vertical lines."""
    strategies = [planted(several.strategies[0], 0.4, 0.3), *several.strategies[1:]]
    chart = loss_chart(strategies)
    assert chart is not None
    assert [tick.label for tick in chart.y_ticks] == [one.name for one in strategies]
    assert [mark.label for mark in chart.marks] == ["robust up to 10%", "lucky or losing from 50%"]
    scale = (chart.marks[1].at - chart.marks[0].at) / 0.4
    place = dict(zip(chart.hover["titles"], chart.points, strict=True))
    for title, value in (("hold, without an edge", 0.4), ("hold, with its edge", 0.3)):
        assert place[title].at == pytest.approx(chart.marks[0].at + scale * (value - 0.1))
    for one in strategies[1:]:
        loss = one.universes.probability_of_loss.value
        assert place[f"{one.name}, as generated"].at == pytest.approx(chart.marks[0].at + scale * (loss - 0.1))
    assert place["hold, without an edge"].style == "ring"
    assert (
        place["hold, without an edge"].height
        > place["hold, with its edge"].height
        > place["follow, as generated"].height
    )
    assert sum(shape.path.count("Z") for shape in chart.shapes if shape.style == "b90") == 2
    assert chart.hover["series"][2]["text"][:2] == ["30% to 60%", "20% to 50%"]


def test_it_says_where_chance_leaves_it_open(several: StressResult) -> None:
    """Strategies whose interval holds a threshold are counted."""
    clear, open_ = planted(several.strategies[0], 0.3, 0.3), planted(several.strategies[1], 0.48, 0.3)
    chart = loss_chart([clear, open_])
    assert chart is not None
    assert "for 1 of 2 strategies chance leaves open" in chart.sentence
    alone = loss_chart([clear, clear])
    assert alone is not None
    assert alone.sentence.endswith("no interval holds a threshold.")


def test_one_strategy_needs_no_comparison(several: StressResult, single: StressResult) -> None:
    """Its decision box says the same."""
    assert "losses" in charts_of(several)
    assert "losses" not in charts_of(single)
