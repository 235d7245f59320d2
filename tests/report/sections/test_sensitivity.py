"""What the horizon changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_studies import (
    StrategyStudies,
)
from stresslab.report.formats.html import render
from tests.make.figures import NO_EDGE, charts_of


def test_the_last_bar_of_the_horizon_is_p_loss_itself(single: StressResult) -> None:
    """Losses grow with the horizon up to what the verdict is about."""
    strategy = single.strategies[0]
    found = charts_of(replace(single, strategies=[replace(strategy, edge=NO_EDGE)]))
    loss = re.search(r"([\d.]+)% after 60 bars lie below", found["strategy-1-horizon"].sentence)
    assert loss is not None
    assert float(loss[1]) == pytest.approx(100 * strategy.universes.probability_of_loss.value, abs=0.06)


def test_horizon_is_drawn_where_trading_is_free(single: StressResult) -> None:
    """Without costs there is nothing to multiply, and the horizon stands all the same, with Wilson's interval."""
    strategy = single.strategies[0]
    horizon = {"universes": 100, "losing": [0, 10, 20, 30, 50]}
    studies = StrategyStudies.of({"costs": [], "horizon": horizon})
    free = replace(single, strategies=[replace(strategy, edge=NO_EDGE, studies=studies)])
    found = charts_of(free)
    assert "strategy-1-horizon" in found
    assert "strategy-1-tornado" not in found
    page = re.sub(r"\s*<[^>]+>\s*", "|", render(free))
    assert re.search(r"4 bars\|+50 of 100\|+50(\.0)?%\|+40\.4% to 59\.6%", page)
