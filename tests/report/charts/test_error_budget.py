"""Errors side by side: chance, generators and origins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import (
    StrategyStudies,
)
from stresslab.report.charts import error_budget
from stresslab.report.charts.images import picture
from tests.make.figures import origin, walk, world


def test_a_budget_lays_its_parts_side_by_side(single: StressResult) -> None:
    """Generators give their range, origins twice their spread about the figure, and a share stays within its bounds."""
    worlds = [world(0.2, 0.0, label="a"), world(0.6, 0.02, label="b"), world(0.99, 0.5, label="c", own_drift=False)]
    losses = [0.1, 0.9, 0.1, 0.9]
    walked = walk([origin(2000 + at, loss, 0.0) for at, loss in enumerate(losses)])
    studies = StrategyStudies(alternative_generators=tuple(worlds), walk_forward=walked)
    one = replace(single.strategies[0], studies=studies)
    found = error_budget.headlines(one)
    own = one.universes.probability_of_loss
    by_name = {part.name: part for part in found[0].budget.parts}
    assert (by_name["monte_carlo"].low, by_name["monte_carlo"].high) == (own.low, own.high)
    assert (by_name["generators"].low, by_name["generators"].high) == (0.2, 0.6)
    assert (by_name["origins"].low, by_name["origins"].high) == (0.0, 1.0)  # 2 x 0.46 on either side
    middle = {part.name: part for part in found[2].budget.parts}
    assert middle["origins"].high - middle["origins"].low == pytest.approx(0.0, abs=1e-12)
    assert [headline.name for headline in found] == [
        "P(loss)", "P(drawdown > 20%)", "Median return", "Expected shortfall 97.5",
    ]  # fmt: skip
    chart = error_budget.chart(found, "strategy-1-budget")
    assert chart is not None
    assert "choice of origin (0% to 100%)" in chart.sentence
    assert [meaning for _, meaning in chart.legend] == ["chance", "choice of generator", "choice of origin"]
    assert picture(chart, "png").startswith(b"\x89PNG")


def test_all_figures_share_one_scale_with_the_thresholds(single: StressResult) -> None:
    """A percent is as wide in every row, and the verdict's thresholds stand in the row of P(loss)."""
    worlds = (world(0.2, 0.0, label="a"), world(0.6, 0.02, label="b"))
    one = replace(single.strategies[0], studies=StrategyStudies(alternative_generators=worlds))
    found = error_budget.headlines(one)
    chart = error_budget.chart(found, "strategy-1-budget", [0.1, 0.5])
    assert chart is not None
    values = [headline.budget.value for headline in found]
    places = [point.at for point in chart.points]
    slope = (places[1] - places[0]) / (values[1] - values[0])
    for value, place in zip(values, places, strict=True):
        assert place == pytest.approx(places[0] + slope * (value - values[0]), abs=0.01)
    lines = next(shape.path for shape in chart.shapes if shape.style == "bar-median")
    drawn = [float(part.split()[0]) / 10 for part in lines.split("M")[1:]]
    assert drawn == pytest.approx([places[0] + slope * (limit - values[0]) for limit in (0.1, 0.5)], abs=0.1)
    ends = [float(part.split()[1].split("V")[0]) for part in lines.split("M")[1:]]
    assert max(ends) <= 250
    assert ("bar-median", "thresholds of P(loss): 10%, 50%") in chart.legend
    assert {tick.label for tick in chart.x_ticks}


def test_chance_alone_is_not_drawn(single: StressResult) -> None:
    """Without other generators and origins there is one part, which stands in a table."""
    assert error_budget.chart(error_budget.headlines(single.strategies[0]), "key") is None
