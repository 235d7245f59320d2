"""The rolling Sharpe ratio of the backtest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.charts.tear_sheet import rolling_sharpe_chart
from tests.make.figures import charts_of


def with_values(strategy: StrategyResult, values: list[float | None] | None) -> StrategyResult:
    """The strategy with these values of its rolling ratio, or without one."""
    sheet = strategy.studies.tear_sheet
    assert sheet is not None
    assert sheet.rolling_sharpe is not None
    times = sheet.rolling_sharpe.times[: len(values or ())]
    rolling = None if values is None else {"window": 63, "times": times, "values": values}
    found = sheet.model_copy(
        update={"rolling_sharpe": None if rolling is None else type(sheet.rolling_sharpe).of(rolling)}
    )
    return replace(strategy, studies=strategy.studies.model_copy(update={"tear_sheet": found}))


def test_it_is_drawn_over_time_with_zero_and_the_whole(single: StressResult) -> None:
    """The sentence has its range and the share of time below zero; the dashed line is the whole backtest's."""
    strategy = with_values(single.strategies[0], [-1.0, 0.5, None, 2.0, 1.0])
    chart = rolling_sharpe_chart(strategy, "strategy-1")
    assert chart is not None
    whole = strategy.backtest["sharpe"]
    assert chart.sentence == (
        "Over the last 63 bars at a time it lies between -1.00 and 2.00 and is below zero 25% of the time; over the "
        f"whole backtest it is {whole:.2f}."
    )
    assert [shape.style for shape in chart.shapes] == ["baseline", "median", "real after"]
    assert chart.hover["series"][0]["text"] == ["-1.00", "0.50", "2.00", "1.00"]
    assert "strategy-1-rolling-sharpe" in charts_of(single)


@pytest.mark.parametrize("values", [None, [None, None, None], [1.0]])
def test_without_values_there_is_no_chart(single: StressResult, values: list[float | None] | None) -> None:
    """Too short a backtest, or one without trades."""
    assert rolling_sharpe_chart(with_values(single.strategies[0], values), "k") is None


def test_values_stand_at_their_own_times(single: StressResult) -> None:
    """Positions along the bottom grow with the stamps, from one end to the other."""
    chart = rolling_sharpe_chart(single.strategies[0], "k")
    assert chart is not None
    places = chart.hover["x"]
    assert (places[0], places[-1]) == (0.0, 1.0)
    assert (np.diff(places) > 0).all()
