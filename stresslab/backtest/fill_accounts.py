"""Decisions that are fills become accounts of all universes; `fill_walk` walks one.

Shapes: W bars of warm-up, T generated bars, N universes, S fills of a bar, P trades that may be open at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.fill_walk import walk_fills
from stresslab.backtest.open_trades import TRADES, Books
from stresslab.backtest.order_fills import (
    TRADE,
    account_of,
    curves_at,
    empty_curves,
    finished_curves,
    rates_of,
)  # fmt: skip
from stresslab.backtest.result import Backtest
from stresslab.backtest.terms import Terms
from stresslab.core.arrays import FloatArray
from stresslab.strategy.fills import ALL, LANES, PARTS, SLOTS
from stresslab.strategy.panel import Decisions


class FillTable(NamedTuple):
    """The fills of generated bars.

    Attributes:
        fills: (N, T, S, 3) lane, price and size.
        counted: (N,) whether sizes of entries are numbers of units.
        carried: (N, P) what was open at the origin and is bought at the first open; 0 is nothing.
    """

    fills: FloatArray
    counted: NDArray[np.bool_]
    carried: FloatArray


def read_fills(decisions: Decisions, warmup: int, position: str) -> FillTable:
    """The fills of decisions (W + T, N).

    Args:
        decisions: that are fills.
        warmup: W.
        position: "carry" buys at the first open what was open at the origin; "flat" leaves it, and its exits, out.
    """
    levels = decisions.levels
    count = levels["counted"].shape[1]
    fills = np.stack(
        [np.stack([levels[f"{part}_{slot}"] for part in PARTS], axis=-1) for slot in range(SLOTS)], axis=-2
    )  # (W + T, N, S, 3)
    fills = np.moveaxis(fills, 1, 0)
    carried = np.zeros((count, max(1, int(np.nanmax(fills[..., 0], initial=1.0)))))
    if position == "carry":
        for n in range(count):
            _replay(fills[n, :warmup], carried[n])
    counted = np.asarray((levels["counted"] > 0).any(axis=0), dtype=np.bool_)
    return FillTable(np.ascontiguousarray(fills[:, warmup:]), counted, carried)


def _replay(fills: FloatArray, lanes: FloatArray) -> None:
    """Leave in `lanes` (P,) the sizes that fills (rows, S, 3) leave open."""
    for row in np.flatnonzero(~np.isnan(fills[:, 0, 0])):
        for lane, _, size in fills[row]:
            if np.isnan(lane):
                break
            at = slice(None) if lane == ALL else int(abs(lane)) - 1
            lanes[at] = size if lane > 0 else (0.0 if size >= 1.0 else lanes[at] * (1.0 - size))


def book_fills(
    table: FillTable,
    prices: FloatArray,
    slippage: FloatArray,
    terms: Terms,
    periods_per_year: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
) -> Backtest:
    """An account in each universe; the other arguments are those of `order_fills.fill_orders`."""
    walked = _walked(table, prices, slippage, terms, periods_per_year, np.zeros((0, len(TRADE))))
    return account_of(*walked, terms, ids, timestamps)


def booked_trades(
    table: FillTable, prices: FloatArray, slippage: FloatArray, terms: Terms, periods_per_year: float
) -> pd.DataFrame:
    """The closed trades of one universe, in the order in which they closed."""
    most = int((~np.isnan(table.fills[..., 0])).sum()) + LANES + 1
    trades = np.full((most, len(TRADE)), np.nan)
    _, summary = _walked(table, prices, slippage, terms, periods_per_year, trades)
    closed = pd.DataFrame(trades[: int(summary[0, TRADES])], columns=list(TRADE))
    return closed.astype({"entry_bar": int, "exit_bar": int})


def _walked(
    table: FillTable, prices: FloatArray, slippage: FloatArray, terms: Terms, periods_per_year: float,
    trades: FloatArray,
) -> tuple[dict[str, FloatArray], FloatArray]:  # fmt: skip
    """Curves by name, and the numbers (N, 6) of each account."""
    count, steps = slippage.shape
    curves, summary = empty_curves(count, steps)
    rates = rates_of(terms, periods_per_year)
    for n in range(count):
        books = Books(np.array([terms.init_cash, 1.0]), summary[n], curves["traded"][n], slippage[n], rates, trades)
        walk_fills(table.fills[n], bool(table.counted[n]), table.carried[n], prices[n], books, curves_at(curves, n))
    return finished_curves(curves), summary
