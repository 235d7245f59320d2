"""Orders with prices as a strategy gives them, and as backtesting.py fills them."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.backtest import Costs, Sizing, Stops, Terms, backtest
from stresslab.backtest.order_fills import fill_orders, price_orders, trades_of
from stresslab.core.errors import StrategyError
from stresslab.strategy import load_strategies
from stresslab.strategy.order_frames import LEVELS, Orders
from stresslab.strategy.panel import SIDES, OrderRules
from tests.backtest.order_reference import STAMPS, STEPS, YEAR, random_case
from tests.make.bars import make_bars


def test_orders_as_a_strategy() -> None:
    """Through the engine, in chunks, over many universes: each account is that of its universe alone."""

    def breakout(bars: Any, days: int = 10) -> Orders:
        high, low = bars.high.rolling(days).max(), bars.low.rolling(days).min()
        return sl.Orders(long_entries=high > 0, stop=high, lifetime=1, stop_loss=low, exit_after=5)

    universes = sl.StationaryBootstrap().sample(make_bars(400), 50, 30, 1)
    (strategy,) = load_strategies(breakout, {})
    terms = Terms(costs=Costs(fees=0.001))
    whole = backtest(strategy, universes, terms)
    assert whole.trades.min() >= 1
    assert whole.trades.mean() > 2
    assert np.array_equal(whole.equity, backtest(strategy, universes, terms, chunk=7).equity)
    alone = backtest(strategy, universes.take(np.array([11])), terms)
    assert np.array_equal(whole.equity[:, 11], alone.equity[:, 0])
    for own in ({"sizing": Sizing(fraction=0.5)}, {"stops": Stops(stop_loss=0.1)}):
        with pytest.raises(StrategyError, match=f"answers with Orders, .* leave out the {next(iter(own))}"):
            backtest(strategy, universes, replace(terms, **own))


def theirs(frame: pd.DataFrame, flags: dict[str, np.ndarray], levels: dict[str, np.ndarray], lifetime: int) -> Any:
    """The trades of backtesting.py when the same orders are given to it, bar by bar."""
    framework = pytest.importorskip("backtesting")

    class Replayed(framework.Strategy):  # type: ignore[misc, name-defined] # untyped, and found at run time
        def init(self) -> None:
            self.waiting: dict[int, tuple[int, Any]] = {}

        def next(self) -> None:
            bar = len(self.data)  # the next one, at which orders of now fill
            if bar >= len(frame):
                return
            self.waiting = {sign: one for sign, one in self.waiting.items() if one[1] in self.orders}
            for sign, side in ((1, "long"), (-1, "short")):
                if sign in self.waiting and lifetime and bar > self.waiting[sign][0] + lifetime - 1:
                    self.waiting.pop(sign)[1].cancel()
                leaving = flags[f"{side}_exits"][bar]
                for trade in self.trades:
                    held = levels[f"{side}_exit_after"][trade.tag] if (trade.size > 0) == (sign > 0) else math.nan
                    if bar >= trade.entry_bar + (math.inf if math.isnan(held) else held) or (
                        leaving and (trade.size > 0) == (sign > 0)
                    ):
                        trade.close()
                if (leaving or flags[f"{side}_entries"][bar]) and sign in self.waiting:
                    self.waiting.pop(sign)[1].cancel()
                if flags[f"{side}_entries"][bar]:
                    price = {
                        name: levels[f"{side}_{name}"][bar] for name in ("limit", "stop", "stop_loss", "take_profit")
                    }
                    given = {name: None if math.isnan(value) else value for name, value in price.items()}
                    order = (self.buy if sign > 0 else self.sell)(
                        size=int(levels[f"{side}_units"][bar]), limit=given["limit"], stop=given["stop"],
                        sl=given["stop_loss"], tp=given["take_profit"], tag=bar,
                    )  # fmt: skip
                    self.waiting[sign] = (bar, order)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = framework.Backtest(frame, Replayed, cash=1e9, commission=0.001, finalize_trades=True).run()
    return run


def test_trades_are_those_of_backtesting_py() -> None:
    """The same orders on the same bars, some random cases."""
    for seed in range(10):
        compare_with_backtesting_py(seed)


@pytest.mark.slow
def test_trades_are_those_of_backtesting_py_in_hundreds_of_cases() -> None:
    """The same in 400 other cases."""
    for seed in range(100, 500):
        compare_with_backtesting_py(seed)


def compare_with_backtesting_py(seed: int) -> None:
    """Market, limit and stop entries, levels and times: the same bars, prices, sizes and final equity.

    One side at a time, since it nets orders of opposite sides; no levels beside priced entries, whose own bar it reads
    in another order; one price in the last bar, where it ends at the open.
    """
    rng = np.random.default_rng(seed)
    decisions, bars, _ = random_case(rng, OrderRules(int(rng.integers(0, 4)), 50, False), units=True)
    bars[0, -1] = bars[0, -1, 0]
    orders = price_orders(decisions, 1)
    gone = "short" if seed % 2 else "long"
    flags = {side: orders.flags[0, :, k] & (not side.startswith(gone)) for k, side in enumerate(SIDES)}
    for one in flags.values():
        one[:2] = one[-1:] = False  # it asks from its second bar on, and ends with the last
    levels = {name: array[:-1, 0].copy() for name, array in decisions.levels.items()}
    for side in ("long", "short"):
        priced = ~np.isnan(levels[f"{side}_limit"]) | ~np.isnan(levels[f"{side}_stop"])
        for name in ("stop_loss", "take_profit"):
            levels[f"{side}_{name}"][priced] = np.nan
        for name in ("trailing_stop", "exit_size", "lifetime"):
            levels[f"{side}_{name}"][:] = np.nan
    frame = pd.DataFrame(bars[0], columns=["Open", "High", "Low", "Close"], index=STAMPS)
    run = theirs(frame, flags, levels, decisions.rules.lifetime if decisions.rules else 0)
    stacked = np.stack(
        [np.stack([levels[f"{side}_{name}"] for name in LEVELS], axis=-1) for side in ("long", "short")], 1
    )
    given = orders._replace(flags=np.stack([flags[side] for side in SIDES], axis=-1)[None], levels=stacked[None])
    terms, free = Terms(costs=Costs(fees=0.001), init_cash=1e9), np.zeros((1, STEPS))
    columns = ["entry_bar", "exit_bar", "units", "entry_price", "exit_price"]
    ours = trades_of(given, bars, free, terms, YEAR)[columns].sort_values(columns).to_numpy(dtype=np.float64)
    names = ["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice"]
    other = run["_trades"][names].sort_values(names).to_numpy(dtype=np.float64)
    np.testing.assert_allclose(ours, other, rtol=1e-9)
    account = fill_orders(given, bars, free, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS)
    np.testing.assert_allclose(account.equity[-1, 0], run["Equity Final [$]"], rtol=1e-12)
