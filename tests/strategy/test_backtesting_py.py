"""Classes of backtesting.py, where that package is installed: they trade as the same rule of our own does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.backtest import Costs, Terms, backtest
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.backtesting_py import is_theirs
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.lookahead.check import find_lookahead
from tests.make.bars import make_bars

BARS = make_bars(400)
FREE = Terms(Costs(0.0, 0.0), warmup=200)


def test_without_the_package_nothing_is_theirs() -> None:
    """A class that happens to be called Strategy is not taken for one of theirs."""
    assert not is_theirs(type("Strategy", (), {}))
    assert not is_theirs(type("Mine", (type("Strategy", (), {}),), {}))
    assert not is_theirs(3)


@pytest.fixture
def cross() -> Any:
    """Two averages that cross, long and half short."""
    theirs = pytest.importorskip("backtesting")

    def average(values: Any, window: int) -> Any:
        return pd.Series(values).rolling(window).mean()

    class Cross(theirs.Strategy):  # type: ignore[misc] # of a package without annotations
        fast = 5
        slow = 20
        stop = 0.0

        def init(self) -> None:
            self.a = self.I(average, self.data.Close, self.fast)
            self.b = self.I(average, self.data.Close, self.slow)

        def next(self) -> None:
            if self.a[-1] > self.b[-1] and self.a[-2] < self.b[-2]:
                self.position.close()
                self.buy(sl=self.data.Close[-1] * (1 - self.stop) if self.stop else None)
            elif self.a[-1] < self.b[-1] and self.a[-2] > self.b[-2]:
                self.position.close()
                self.sell(size=0.5)

    return Cross


def ours(bars: Any, fast: int = 5, slow: int = 20) -> Any:
    """The same as weights."""
    a, b = bars.close.rolling(fast).mean(), bars.close.rolling(slow).mean()
    target = bars.close * np.nan
    target[(a > b) & (a.shift(1) < b.shift(1))] = 0.9999
    target[(a < b) & (a.shift(1) > b.shift(1))] = -0.5
    return target


def universes() -> Universes:
    """Five walks after one history."""
    values = np.stack([make_bars(150, seed=seed).values for seed in range(5)])
    return Universes(values, BARS.calendar.future(BARS.timestamps, 150), BARS, np.arange(5))


def test_the_same_rule_earns_the_same(cross: Any) -> None:
    """Decisions fall on the same bars; equity agrees but for the size of an order, which they fix before the open."""
    (strategy,) = load_strategies(cross, {"fast": "8"})
    assert (strategy.name, strategy.parameters) == ("Cross", {"fast": 8, "slow": 20, "stop": 0.0})
    theirs = detect_call_style(strategy, BARS)
    assert theirs.form.shape == "series"
    (mine,) = load_strategies(ours, {"fast": 8})
    one, other = backtest(theirs, universes(), FREE), backtest(mine, universes(), FREE)
    np.testing.assert_array_equal(one.trades, other.trades)
    np.testing.assert_allclose(one.equity, other.equity, rtol=0.01)
    assert one.trades.min() > 0


def test_a_grid_of_theirs(cross: Any) -> None:
    """Class variables are parameters, in grids too."""
    found = load_strategies(cross, {}, {"fast": "5:10:5"})
    assert [one.name for one in found] == ["Cross[fast=5]", "Cross[fast=10]"]


def test_stops_leave_at_the_next_open(cross: Any) -> None:
    """What their broker closes inside a bar is flat from the open after it, and nobody looks ahead."""
    (tight,) = load_strategies(cross, {"stop": 0.01})
    (loose,) = load_strategies(cross, {})
    tight, loose = detect_call_style(tight, BARS), detect_call_style(loose, BARS)
    report = find_lookahead(tight, BARS)
    assert (report.found, report.inconclusive) == ([], False)
    held = [backtest(one, universes(), FREE).position for one in (tight, loose)]
    assert (held[0] > 0).sum() < (held[1] > 0).sum()


def test_leaks_of_theirs_are_found(cross: Any) -> None:
    """An indicator of the whole sample, which their engine hides until it is reached, is found."""

    class Peeks(cross):  # type: ignore[misc]
        def init(self) -> None:
            close = pd.Series(self.data.Close)
            self.a = self.I(lambda: close - close.mean())
            self.b = self.I(lambda: close * 0)

    (strategy,) = load_strategies(Peeks, {})
    assert find_lookahead(detect_call_style(strategy, BARS), BARS).found
