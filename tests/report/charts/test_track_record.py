"""The backtest over time."""

from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import (
    StrategyStudies,
)
from stresslab.report.formats.html import render
from tests.make.figures import charts_of


def test_the_backtest_is_drawn_and_told_by_year(single: StressResult) -> None:
    """Its ends, and buy and hold beside it; a row for each year, or month."""
    strategy = single.strategies[0]
    assert strategy.track is not None
    chart = charts_of(single)["strategy-1-track"]
    first, last = (f"{strategy.track['equity'].iloc[at]:,.0f}" for at in (0, -1))
    assert f"{first} became {last}" in chart.sentence
    assert [meaning for _, meaning in chart.legend] == ["the strategy", "buy and hold"]
    deepest = f"{-100 * strategy.backtest['max_drawdown']:.1f}% below its highest"
    assert deepest in charts_of(single)["strategy-1-falls"].sentence
    page = render(single)
    assert all(f'<th scope="row">{row.period}</th>' in page for row in strategy.studies.periods)
    without = replace(single, strategies=[replace(strategy, track=None, studies=StrategyStudies())])
    assert "strategy-1-track" not in charts_of(without)
    assert "The backtest by period" not in render(without)
