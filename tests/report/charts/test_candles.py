"""Candles: every bar of the real outcome and of the worst universes, with entries and exits at their bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.charts.candles import CANDLES, SIGNS, followed_chart, worst_charts
from stresslab.report.charts.chart import Chart
from stresslab.report.formats.html import render
from stresslab.report.wording import percent
from tests.make.results import make_result


def test_entries_and_exits_stand_at_their_bars(single: StressResult) -> None:
    """An order at an open is marked at that bar; a position gone without an order was stopped out in the bar before."""
    bars = one_universe([0, 1, 1, 0, 0, -1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 0, 1, 1])
    (chart,) = candles(replace(single.strategies[0], replays=bars))
    assert signs(chart, "in") == [2, 6, 9]
    assert signs(chart, "out") == [4, 6, 10]
    assert "it goes in 3 times and is in the market over 50% of the bars" in chart.sentence
    assert {"long", "short"} <= {style for style, _ in chart.legend}


def test_a_reversal_is_an_exit_and_an_entry(single: StressResult) -> None:
    """From long to short in one order, both signs stand at the same bar."""
    (chart,) = candles(replace(single.strategies[0], replays=one_universe([1, 1, -1, -1], [1, 0, 2, 1])))
    assert signs(chart, "in") == [1, 3]
    assert signs(chart, "out") == [3, 4]


def test_many_bars_become_fewer_candles() -> None:
    """2,000 bars are merged; the extremes, the first open and the last close stay."""
    strategy = make_result("follow", universes=20, horizon=2000).strategies[0]
    chart = candles(strategy)[0]
    assert len(chart.hover["x"]) <= CANDLES
    assert chart.x_name == "16 bars a candle"
    assert len(chart.points) <= SIGNS


def test_what_really_happened_is_drawn_bar_by_bar(single: StressResult, forward: StressResult) -> None:
    """Where something followed; the account ends where the realised outcome is."""
    strategy = single.strategies[0]
    stamps = [f"day {step}" for step in range(single.horizon + 1)]
    chart = followed_chart(strategy, "strategy-1", 100_000.0, stamps)
    assert chart is not None
    assert strategy.realised is not None
    assert f"the account {percent(strategy.realised['total_return'], signed=True)}" in chart.sentence
    assert chart.title == "What really happened, bar by bar"
    assert chart.title in render(single)
    assert len(candles(strategy)) == 3
    assert followed_chart(forward.strategies[0], "strategy-1", 100_000.0, stamps) is None
    assert chart.title not in render(forward)


def test_without_universes_there_are_no_candles(single: StressResult) -> None:
    """A result that kept none draws none."""
    assert worst_charts(replace(single.strategies[0], replays=None), "strategy-1", 1e5, []) == []


def candles(strategy: StrategyResult) -> list[Chart]:
    """The charts of a strategy's worst universes."""
    assert strategy.replays is not None
    steps = int(strategy.replays["step"].max())
    return worst_charts(strategy, "strategy-1", 100_000.0, [f"day {step}" for step in range(steps + 1)])


def one_universe(position: list[float], traded: list[float]) -> pd.DataFrame:
    """A universe whose price stands still, so that only the position matters."""
    count = len(position)
    flat = {name: np.full(count, 100.0) for name in ("open", "high", "low", "close")}
    steps = np.arange(1, count + 1)
    return pd.DataFrame({"universe": 5, "step": steps, **flat, "position": position, "traded": traded, "equity": 1e5})


def signs(chart: Chart, style: str) -> list[int]:
    """Bars, from 1, at which a chart has a sign."""
    bars = len(chart.hover["x"])
    return [round(point.at / 100 * bars + 0.5) for point in chart.points if point.style == style]
