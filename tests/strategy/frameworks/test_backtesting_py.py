"""Classes of backtesting.py, where that package is installed: they trade as the same rule of our own does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.shocks import DelayedOrders
from stresslab.backtest import Costs, Sizing, Terms, backtest
from stresslab.backtest.fill_accounts import booked_trades, read_fills
from stresslab.core.errors import StrategyError
from stresslab.data.bars import CLOSE, OPEN
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.detect_style import detect_call_style
from stresslab.strategy.frameworks.backtesting_py import is_theirs
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
    unsaid = {"exclusive_orders": None, "hedging": None}
    assert (strategy.name, strategy.parameters) == ("Cross", {"fast": 8, "slow": 20, "stop": 0.0, **unsaid})
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


def test_orders_fill_inside_a_bar(cross: Any) -> None:
    """A stop given with an order leaves where the low touches it, and not at the next open."""
    said = original(BARS, cross, cash=1e12, run={"stop": 0.01}, finalize_trades=False)
    closed, still = said["_trades"], said["_strategy"].trades
    assert real(BARS, cross, stop=0.01).trades[0] == len(closed) + len(still)
    assert (closed["ExitPrice"] == closed["SL"]).sum() > 3


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("how", [{}, {"hedging": True}, {"exclusive_orders": True}])
def test_random_orders_trade_like_the_original(seed: int, how: dict[str, bool]) -> None:
    """Limits, stops, levels that move, parts and several trades at once: bars, prices and size of each trade."""
    theirs = pytest.importorskip("backtesting")
    bars = make_bars(250, seed=seed)

    class Random(theirs.Strategy):  # type: ignore[misc]
        BACKTEST: ClassVar = {"exclusive_orders": False, **how}

        def init(self) -> None:
            pass

        def next(self) -> None:
            rng, price = np.random.default_rng([seed, len(self.data)]), self.data.Close[-1]
            act, up, near, far = rng.random(), rng.random() < 0.5, *rng.uniform(0.001, 0.03, 2)
            sign = 1 if up else -1
            order = (self.buy if up else self.sell) if act < 0.35 and len(self.trades) < 3 else None
            given: dict[str, float] = {"size": float(rng.uniform(0.1, 0.25))}
            entry = price
            if act < 0.12:
                given["limit"] = entry = price * (1 - sign * near)
            elif act < 0.2:
                given["stop"] = entry = price * (1 + sign * near)
            if rng.random() < 0.6:
                given |= {"sl": entry * (1 - sign * far), "tp": entry * (1 + sign * far)}
            if order:
                order(**given)
            elif act < 0.45 and self.trades:
                self.trades[0].close(float(rng.uniform(0.2, 1.0)))
            elif act < 0.5:
                self.position.close()
            elif act < 0.6 and self.orders:
                self.orders[0].cancel()
            elif act < 0.75 and self.trades:
                trade = self.trades[-1]
                trade.sl = price * (1 - near if trade.is_long else 1 + near)

    said = original(bars, Random, cash=1e12, finalize_trades=False, **how)
    still, closed = said["_strategy"].trades, said["_trades"]
    mine = traded(bars, Random).iloc[: len(closed)].sort_values(["entry_bar", "exit_bar", "exit_price", "units"])
    columns = ["EntryBar", "ExitBar", "EntryPrice", "ExitPrice"]
    order = said["_trades"].assign(Part=closed["Size"].abs()).sort_values(["EntryBar", "ExitBar", "ExitPrice", "Size"])
    assert len(closed) > 15
    assert len(traded(bars, Random)) == len(closed) + len({(one.entry_bar, one.entry_price) for one in still})
    np.testing.assert_allclose(
        mine[["entry_bar", "exit_bar", "entry_price", "exit_price"]].to_numpy(), order[columns].to_numpy(), rtol=1e-12
    )
    np.testing.assert_allclose(mine["units"] * 1e7, order["Size"], rtol=1e-5)


def mean(values: Any, window: int) -> Any:
    """A moving average."""
    return pd.Series(values).rolling(window).mean()


@pytest.fixture
def flip() -> Any:
    """Reverses by `buy()` and `sell()` alone."""
    theirs = pytest.importorskip("backtesting")

    class Flip(theirs.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.a, self.b = (self.I(mean, self.data.Close, window) for window in (5, 20))

        def next(self) -> None:
            if self.a[-1] > self.b[-1] and self.a[-2] <= self.b[-2]:
                self.buy()
            elif self.a[-1] < self.b[-1] and self.a[-2] >= self.b[-2]:
                self.sell()

    return Flip


def real(bars: Any, theirs: Any, cash: float = 100_000.0, **parameters: Any) -> Any:
    """A class on the real bars, on an account without costs that began with so much."""
    (strategy,) = load_strategies(theirs, parameters)
    terms = Terms(Costs(0.0, 0.0), warmup=0, init_cash=cash)
    return backtest(detect_call_style(strategy, bars), Universes.from_bars(bars, bars[:0]), terms, periods_per_year=252)


def traded(bars: Any, theirs: Any) -> pd.DataFrame:
    """The trades of a class on the real bars, without costs."""
    (strategy,) = load_strategies(theirs, {})
    strategy = detect_call_style(strategy, bars)
    universes = Universes.from_bars(bars, bars[:0])
    table = read_fills(strategy.decide(strategy.panel(universes, 0)), 0, "carry")
    prices = np.ascontiguousarray(universes.values[:, :, : CLOSE + 1], dtype=float)
    return booked_trades(table, prices, np.zeros((1, len(bars))), replace(FREE, warmup=0), 252.0)


def original(bars: Any, theirs: Any, cash: float = 100_000.0, run: Any = None, **how: Any) -> Any:
    """What backtesting.py says of it."""
    frame = bars.frame.rename(columns=str.capitalize)[["Open", "High", "Low", "Close", "Volume"]]
    engine = pytest.importorskip("backtesting").Backtest
    return engine(frame, theirs, cash=cash, **how).run(**(run or {}))


def test_flips_are_reversals_where_that_is_declared(flip: Any) -> None:
    """With `exclusive_orders` an order reverses, trade for trade as in backtesting.py; without a word it is refused."""
    with pytest.raises(StrategyError, match="BACKTEST = dict\\(exclusive_orders=True\\)"):
        real(BARS, flip)
    flip.BACKTEST = {"exclusive_orders": True}
    run, said = real(BARS, flip), original(BARS, flip, cash=1e9, exclusive_orders=True)
    assert run.trades[0] == len(said["_trades"]) + 1  # the last one is open there
    np.testing.assert_allclose(run.equity[-1, 0] / 1e5, said["Equity Final [$]"] / 1e9, rtol=0.02)


@pytest.mark.parametrize(("setting", "text"), [
    ({"commission": 0.01}, "`fees`"), ({"exclusive": True}, "did you mean 'exclusive_orders'"), ([1], "is a list"),
])  # fmt: skip
def test_settings_that_the_run_decides_are_refused(flip: Any, setting: Any, text: str) -> None:
    """What `BACKTEST` says of costs is the run's, and what is no setting is named."""
    flip.BACKTEST = setting
    with pytest.raises(StrategyError, match=text):
        load_strategies(flip, {})


@pytest.mark.parametrize("cash", [40_000.0, 100_000.0, 5_000_000.0])
@pytest.mark.parametrize("money", [False, True])
def test_numbers_of_units_are_units(cash: float, money: bool) -> None:
    """So many units, and so much money, mean what they say on the run's own cash, whatever the next open is."""
    theirs = pytest.importorskip("backtesting")

    class Units(theirs.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.a, self.b = (self.I(mean, self.data.Close, window) for window in (5, 20))

        def next(self) -> None:
            if not self.position and self.a[-1] > self.b[-1]:
                self.buy(size=int(30_000 / self.data.Close[-1]) if money else 300)
            elif self.position and self.a[-1] < self.b[-1]:
                self.position.close()

    run, said = real(BARS, Units, cash), original(BARS, Units, cash)
    assert said["# Trades"] > 5
    np.testing.assert_allclose(run.equity[-1, 0], said["Equity Final [$]"], rtol=1e-9)


def test_units_begin_on_the_cash_of_the_account() -> None:
    """What a class earned over the warm-up does not make its units fewer in the universes that follow."""
    theirs = pytest.importorskip("backtesting")

    class Units(theirs.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            if not self.position:
                self.buy(size=300)

    (strategy,) = load_strategies(Units, {})
    account = backtest(detect_call_style(strategy, BARS), universes(), FREE)
    values = universes().values
    earned = 300 * (values[:, -1, CLOSE] - values[:, 0, OPEN])
    np.testing.assert_allclose(account.equity[-1] - account.equity[0], earned, rtol=1e-9)


def test_units_that_grow_with_the_account_are_shares_of_it() -> None:
    """A class that computes its units from its equity holds the same share on every account."""
    theirs = pytest.importorskip("backtesting")

    class Share(theirs.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            if not self.position:
                self.buy(size=int(0.5 * self.equity / self.data.Close[-1]))

    (strategy,) = load_strategies(Share, {})
    account = backtest(detect_call_style(strategy, BARS), universes(), replace(FREE, init_cash=50.0))
    assert (account.trades == 1).all()
    with pytest.raises(StrategyError, match=r"is a class that says itself how large .* leave out the sizing"):
        backtest(fixed_units(), universes(), replace(FREE, sizing=Sizing(fraction=0.5)))


def fixed_units() -> Any:
    """Three hundred units whenever it holds none, and none after a fall."""
    theirs = pytest.importorskip("backtesting")

    class Fixed(theirs.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            if not self.position:
                self.buy(size=300)
            elif self.data.Close[-1] < self.data.Close[-2]:
                self.position.close()

    (strategy,) = load_strategies(Fixed, {})
    return detect_call_style(strategy, BARS)


def test_units_that_nobody_pays_for_are_not_bought() -> None:
    """An order for more than there is cash is not filled at all, as in backtesting.py; what is held can be closed."""
    poor = backtest(fixed_units(), universes(), replace(FREE, init_cash=100.0))
    assert (poor.trades == 0).all()
    assert (poor.equity == 100.0).all()


@pytest.mark.slow
def test_units_are_checked_for_look_ahead_and_wait_in_shocks() -> None:
    """A class of units passes the check with all of its decisions looked at, and its orders wait where others do."""
    report = find_lookahead(fixed_units(), BARS)
    assert (report.found, report.inconclusive) == ([], False)
    assert report.decisions > 50
    closed = np.zeros((150, 5), dtype=bool)
    closed[5:15] = True
    delayed = DelayedOrders.of(fixed_units(), closed, universes().ids)
    assert (backtest(delayed, universes(), FREE).traded[5:15] == 0).all()
    assert (backtest(fixed_units(), universes(), FREE).traded[5:15] > 0).any()


@pytest.mark.slow
def test_an_indicator_that_comes_late_is_no_leak(flip: Any) -> None:
    """backtesting.py begins where every indicator has a value; one that gets its first late is not accused."""

    class Late(flip):  # type: ignore[misc]
        BACKTEST: ClassVar = {"exclusive_orders": True}

        def init(self) -> None:
            super().init()
            self.late = self.I(lambda close: pd.Series(close).where(np.arange(len(close)) > 250), self.data.Close)

    (strategy,) = load_strategies(Late, {})
    report = find_lookahead(detect_call_style(strategy, BARS), BARS)
    assert (report.found, report.inconclusive) == ([], False)


def test_leaks_of_theirs_are_found(cross: Any) -> None:
    """An indicator of the whole sample, which their engine hides until it is reached, is found."""

    class Peeks(cross):  # type: ignore[misc]
        def init(self) -> None:
            close = pd.Series(self.data.Close)
            self.a = self.I(lambda: close - close.mean())
            self.b = self.I(lambda: close * 0)

    (strategy,) = load_strategies(Peeks, {})
    assert find_lookahead(detect_call_style(strategy, BARS), BARS).found
