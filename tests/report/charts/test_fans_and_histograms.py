"""Fans and histograms hold the numbers of the result."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.analysis.result import StressResult
from stresslab.report.charts import binning
from stresslab.report.charts.fans_and_histograms import (
    DRAWN_PATHS,
    difference_chart,
    drawdown_chart,
    equity_chart,
    marked,
    pnl_chart,
    underwater_chart,
    universes_chart,
)


def counted(texts: list[str]) -> int:
    """The universes in all bars, from the page's hover texts."""
    return sum(int(text.split(" ")[0].replace(",", "")) for text in texts)


def test_every_universe_is_in_a_bar(single: StressResult) -> None:
    """Of returns, drawdowns and time under water; those beyond the scale are in the outermost bars."""
    strategy = single.strategies[0]
    charts = (
        pnl_chart(strategy, "strategy-1", single.init_cash),
        drawdown_chart(strategy, "strategy-1"),
        underwater_chart(strategy, "strategy-1"),
    )
    for chart in charts:
        assert counted(chart.hover["series"][0]["text"]) == len(strategy.metrics)


def test_losses_and_gains_have_colours_of_their_own(several: StressResult) -> None:
    """Where all universes gain there is no bar of losses."""
    styles = {
        one.name: {shape.style for shape in pnl_chart(one, "x", several.init_cash).shapes} for one in several.strategies
    }
    assert {"bar loss", "bar gain"} <= styles["follow"]
    lucky = next(one for one in several.strategies if one.name == "favour")
    assert ("bar loss" in styles["favour"]) == bool((lucky.metrics["total_return"] < 0).any())


def test_a_mark_beyond_the_scale_is_held_at_its_end() -> None:
    """And says so; within, it stands at its value."""
    found = binning.histogram(np.linspace(0.0, 1.0, 200), [])
    middle = (found.low + found.high) / 2
    assert marked(found, middle, "median", "middle").at == pytest.approx(50)
    assert marked(found, middle, "median", "middle").label == "median"
    beyond = marked(found, found.high + 1, "real", "outcome")
    assert (beyond.at, beyond.label) == (100.0, "real, off the scale")


def test_the_fan_holds_history_universes_and_what_followed(single: StressResult, forward: StressResult) -> None:
    """Three bands, the median, some paths, the real path before the origin, and after it where there is one."""
    styles = [shape.style for shape in universes_chart(single).shapes]
    assert styles.count("path") == min(DRAWN_PATHS, len(single.sample_paths))
    assert styles[-1] == "real after"
    assert "real after" not in [shape.style for shape in universes_chart(forward).shapes]
    (origin,) = universes_chart(single).marks
    assert origin.label == f"origin {single.origin.date()}"


def test_an_account_begins_with_its_cash(single: StressResult) -> None:
    """The hover of the first bar shows the initial capital in every quantile."""
    stamps = [str(stamp.date()) for stamp in single.fan.index.insert(0, single.origin)]
    chart = equity_chart(single.strategies[0], "strategy-1", single.init_cash, stamps)
    first = [series["y"][0] for series in chart.hover["series"] if series.get("y")]
    assert all(value == pytest.approx(single.init_cash, rel=1e-3) for value in first if value is not None)


def test_differences_are_around_zero() -> None:
    """Better and worse universes are counted apart."""
    gaps = np.concatenate([np.full(30, -0.1), np.linspace(0.01, 0.2, 70)])
    chart = difference_chart(gaps, "pair", "A less B")
    assert counted(chart.hover["series"][0]["text"]) == 100
    assert len(chart.shapes) == 2
