"""Decisions with prices become what each open is given, and accounts of all universes; `order_walk` walks one.

Shapes: W bars of warm-up, T generated bars, N universes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.open_trades import NUMBERS, TRADES, Books
from stresslab.backtest.order_walk import walk_account
from stresslab.backtest.result import Backtest
from stresslab.backtest.terms import Terms
from stresslab.core.arrays import FloatArray
from stresslab.strategy.order_frames import LEVELS
from stresslab.strategy.panel import SIDES, Decisions, OrderRules

TRADE = ("units", "entry_bar", "entry_price", "exit_bar", "exit_price", "profit")
"""Columns of a table of closed trades."""


class PriceOrders(NamedTuple):
    """What each generated open is given.

    Attributes:
        flags: (N, T, 4) entries and exits, long then short.
        levels: (N, T, 2, 10) of the long and the short side, in the order of `LEVELS`; NaN where there is none.
        rules: what holds for all of them.
    """

    flags: NDArray[np.bool_]
    levels: FloatArray
    rules: OrderRules


def price_orders(decisions: Decisions, warmup: int) -> PriceOrders:
    """The orders that decisions (W+T, N) give to each generated open; the first are those of the origin's row.

    Exit and entry of one side in one row contradict each other and say nothing, as do entries of both sides at an open;
    orders that were given on the account are as they were given.
    """
    assert isinstance(decisions.rules, OrderRules)
    rows = slice(max(warmup - 1, 0), -1)
    arrays = decisions.arrays()
    flags = np.stack([arrays[side][rows] for side in SIDES], axis=-1)  # (T or T - 1, N, 4)
    levels = np.stack(
        [np.stack([arrays[f"{side}_{name}"][rows] for name in LEVELS], axis=-1) for side in ("long", "short")], axis=-2
    )  # (T, N, 2, 10)
    if warmup == 0:  # nothing was decided before the first bar
        flags = np.concatenate([np.zeros((1, *flags.shape[1:]), dtype=np.bool_), flags])
        levels = np.concatenate([np.full((1, *levels.shape[1:]), np.nan), levels])
    if not decisions.on_account:
        flags = flags & ~_contradictory(flags, levels)
    order, values = (np.ascontiguousarray(np.moveaxis(array, 1, 0)) for array in (flags, levels))
    return PriceOrders(order, values, decisions.rules)


def _contradictory(flags: NDArray[np.bool_], levels: FloatArray) -> NDArray[np.bool_]:
    """Which flags (T, N, 4) say nothing, since they contradict each other."""
    long_entry, long_exit, short_entry, short_exit = np.moveaxis(flags, -1, 0)
    waits = ~np.isnan(levels[..., LEVELS.index("limit")]) | ~np.isnan(levels[..., LEVELS.index("stop")])  # (T, N, 2)
    both = long_entry & short_entry & ~waits.all(axis=-1)
    long, short = long_entry & long_exit, short_entry & short_exit
    return np.stack([long | both, long, short | both, short], axis=-1)


def fill_orders(
    orders: PriceOrders,
    prices: FloatArray,
    slippage: FloatArray,
    terms: Terms,
    periods_per_year: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
) -> Backtest:
    """Fill orders on an account in each universe.

    Args:
        orders: what each open is given.
        prices: (N, T, 4) open, high, low, close.
        slippage: (N, T) fraction of each fill.
        terms: of the accounts, without their sizing and stops.
        periods_per_year: bars in a year.
        ids: (N,) of the universes.
        timestamps: (T,) of the bars.
    """
    walked = _walked(orders, prices, slippage, terms, periods_per_year, np.zeros((0, len(TRADE))))
    return account_of(*walked, terms, ids, timestamps)


def account_of(
    curves: dict[str, Any], numbers: FloatArray, terms: Terms, ids: NDArray[np.int64], timestamps: pd.DatetimeIndex
) -> Backtest:
    """Accounts of walked curves by name, and of their numbers (N, 6)."""
    found = dict(zip(NUMBERS, numbers.T.copy(), strict=True))
    return Backtest(
        **curves,
        trades=found["trades"].astype(np.int64),
        wins=found["wins"].astype(np.int64),
        gross_profit=found["gross_profit"],
        gross_loss=found["gross_loss"],
        interest=found["interest"],
        ruined=found["ruined"] > 0,
        ids=ids.copy(),
        timestamps=timestamps,
        init_cash=terms.init_cash,
    )


def trades_of(
    orders: PriceOrders, prices: FloatArray, slippage: FloatArray, terms: Terms, periods_per_year: float
) -> pd.DataFrame:
    """The closed trades of one universe, in the order in which they closed: the arguments of `fill_orders`, N = 1."""
    table = np.full((2 * orders.flags.shape[1] * (orders.rules.entries + 1), len(TRADE)), np.nan)
    _, summary = _walked(orders, prices, slippage, terms, periods_per_year, table)
    closed = pd.DataFrame(table[: int(summary[0, TRADES])], columns=list(TRADE))
    return closed.astype({"entry_bar": int, "exit_bar": int})


def rates_of(terms: Terms, periods_per_year: float) -> tuple[float, ...]:
    """What `open_trades.Books` calls rates."""
    costs, periods = terms.costs, periods_per_year
    yearly = (costs.borrow_fee / periods, costs.funding / periods, terms.risk_free / periods)
    return tuple(float(one) for one in (costs.fees, costs.fixed_fee, costs.min_trade, *yearly, terms.max_leverage))


def _walked(
    orders: PriceOrders, prices: FloatArray, slippage: FloatArray, terms: Terms, periods_per_year: float,
    table: FloatArray,
) -> tuple[dict[str, FloatArray], FloatArray]:  # fmt: skip
    """Equity, positions and traded values by name, and the numbers (N, 6) of each account; trades go to a table."""
    count, steps = slippage.shape
    rates = rates_of(terms, periods_per_year)
    curves, summary = empty_curves(count, steps)
    for n in range(count):
        books = Books(np.array([terms.init_cash, 1.0]), summary[n], curves["traded"][n], slippage[n], rates, table)
        walk_account(orders.flags[n], orders.levels[n], orders.rules, prices[n], books, curves_at(curves, n))
    return finished_curves(curves), summary


def empty_curves(count: int, steps: int) -> tuple[dict[str, FloatArray], FloatArray]:
    """What a walk writes for N accounts of T bars: curves by name, and the numbers (N, 6)."""
    zeros = np.zeros((count, steps)), np.zeros((count, steps))
    curves = {"equity": np.empty((count, steps + 1)), "position": zeros[0], "traded": zeros[1]}
    return curves | {"extremes": np.empty((count, 2, steps))}, np.zeros((count, len(NUMBERS)))


def curves_at(curves: dict[str, FloatArray], n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The curves that a walk of one account writes."""
    return curves["equity"][n], curves["position"][n], curves["extremes"][n]


def finished_curves(curves: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The curves as `Backtest` names and lays them."""
    extremes = curves["extremes"]
    flat = {name: curves[name].T for name in ("equity", "position", "traded")}
    return flat | {"low": extremes[:, 0].T, "high": extremes[:, 1].T}
