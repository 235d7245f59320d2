"""What costs, horizon and parameters change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import (
    StrategyStudies,
)
from stresslab.report.formats.html import render
from tests.make.figures import NO_EDGE, charts_of, row


def test_costs_and_horizon_say_what_they_change(single: StressResult) -> None:
    """From no costs to the dearest; the last bar's share is P(loss) itself."""
    levels = ((0.0, 0.4, 0.02), (1.0, 0.42, 0.01), (5.0, 0.6, -0.03))
    rows = [row(loss, middle, factor=factor) for factor, loss, middle in levels]
    strategy = single.strategies[0]
    studied = replace(strategy, edge=NO_EDGE, studies=strategy.studies.with_answers({"costs": rows}))
    found = charts_of(replace(single, strategies=[studied]))
    costs, horizon = found["strategy-1-costs"], found["strategy-1-horizon"]
    assert [tick.label for tick in costs.y_ticks] == ["without costs", "as given", "x 5"]
    assert costs.sentence == (
        "Without costs it loses in 40% of the universes, at 5 times the costs in 60%; "
        "the median return goes from +2.0% to -3.0%."
    )
    loss = re.search(r"([\d.]+)% after 60 bars lie below", horizon.sentence)
    assert loss is not None
    assert float(loss[1]) == pytest.approx(100 * strategy.universes.probability_of_loss.value, abs=0.06)


def test_parameters_next_to_the_given_ones_are_told(single: StressResult) -> None:
    """Each with P(loss) beside that of the given ones; what the strategy refuses is named."""
    found = {
        "as_given": row(0.4, 0.01),
        "moved": [
            row(0.35, 0.02, parameter="fast", value=8),
            row(0.55, -0.02, parameter="fast", value=12),
        ],
        "refused": [{"parameter": "slow", "value": 9}],
    }
    strategy = single.strategies[0]
    studied = replace(strategy, edge=NO_EDGE, studies=strategy.studies.with_answers({"parameters": found}))
    result = replace(single, strategies=[studied])
    chart = charts_of(result)["strategy-1-parameters"]
    assert [tick.label for tick in chart.y_ticks] == ["as given", "fast=8", "fast=12"]
    assert chart.sentence == "As given it loses in 40% of the universes, next to it in 35% to 55%."
    assert "The strategy refuses slow=9." in render(result)


def test_horizon_is_drawn_where_trading_is_free(single: StressResult) -> None:
    """Without costs there is nothing to multiply, and the horizon stands all the same, with Wilson's interval."""
    strategy = single.strategies[0]
    horizon = {"universes": 100, "losing": [0, 10, 20, 30, 50]}
    studies = StrategyStudies.of({"costs": [], "horizon": horizon})
    free = replace(single, strategies=[replace(strategy, edge=NO_EDGE, studies=studies)])
    found = charts_of(free)
    assert "strategy-1-horizon" in found
    assert "strategy-1-costs" not in found
    page = re.sub(r"\s*<[^>]+>\s*", "|", render(free))
    assert re.search(r"4 bars\|+50 of 100\|+50(\.0)?%\|+40\.4% to 59\.6%", page)
