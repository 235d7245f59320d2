"""One account over several symbols: cash is shared, exposure is bounded as a whole, and ruin takes everything.

At each open the account is valued and the bar's orders are sized on that value: targets are fractions of it. What is
sold goes first; what is bought follows, smallest order first, as far as cash and credit reach (vectorbt's grouped
simulation with automatic call sequence). Then, as in `event_fills`, a bar's borrowing, funding and interest at the
close, and all is sold at the last one. An account whose equity is zero or less at an open, after its fills or at a
close is ruined. Shapes: K symbols, N universes, T bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from stresslab.backtest.costs import Costs
from stresslab.backtest.result import Backtest
from stresslab.backtest.terms import Terms
from stresslab.core.arrays import FloatArray

_DUST = 1e-12
"""Orders of less than this share of the equity are rounding."""
_TRADES, _WINS, _GAINS, _LOSSES, _INTEREST, _RUINED = range(6)


@dataclass(frozen=True, eq=False, repr=False)
class JointBacktest(Backtest):
    """N accounts over a market of K symbols; `position` is gross exposure, short positions counting as long ones do.

    Attributes:
        positions: (K, T, N) value held of each symbol over bar t as a signed fraction of equity.
        contributions: (K, N) currency that each symbol brought, net of its costs; with `interest` they add up to what
            the account gained.
    """

    positions: FloatArray = field(kw_only=True)
    contributions: FloatArray = field(kw_only=True)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        symbols, steps, count = len(self.contributions), len(self.timestamps), len(self.ids)
        return super()._shapes() | {"positions": (symbols, steps, count), "contributions": (symbols, count)}


def walk_jointly(
    targets: FloatArray,
    opens: FloatArray,
    closes: FloatArray,
    slippage: FloatArray,
    costs: Sequence[Costs],
    terms: Terms,
    periods_per_year: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
) -> JointBacktest:
    """Fill target weights at the opens of each symbol, from one account in each universe.

    Args:
        targets: (N, K, T) fractions of the equity at each open, NaN where nothing is ordered.
        opens: (N, K, T).
        closes: (N, K, T).
        slippage: (N, K, T) fraction of each fill.
        costs: of each symbol; `min_trade` and the others of `terms` do not count.
        terms: of the account: initial cash, leverage, interest.
        periods_per_year: bars in a year.
        ids: (N,) of the universes.
        timestamps: (T,) of the bars.
    """
    count, symbols, steps = targets.shape
    names = ("fees", "fixed_fee", "borrow_fee", "funding", "min_trade")
    table = np.array([[getattr(one, name) for name in names] for one in costs])  # (K, 5)
    table[:, 2:4] /= periods_per_year
    equity, gross, traded = np.empty((count, steps + 1)), np.zeros((count, steps)), np.zeros((count, steps))
    positions, brought, summary = np.zeros((count, symbols, steps)), np.zeros((count, symbols)), np.zeros((count, 6))
    account = (terms.init_cash, terms.max_leverage, terms.risk_free / periods_per_year)
    for n in range(count):
        _walk(targets[n], opens[n], closes[n], slippage[n], table, account, equity[n], gross[n], traded[n],
              positions[n], brought[n], summary[n])  # fmt: skip
    return JointBacktest(
        equity=equity.T,
        position=gross.T,
        traded=traded.T,
        trades=summary[:, _TRADES].astype(np.int64),
        wins=summary[:, _WINS].astype(np.int64),
        gross_profit=summary[:, _GAINS].copy(),
        gross_loss=summary[:, _LOSSES].copy(),
        interest=summary[:, _INTEREST].copy(),
        ruined=summary[:, _RUINED] > 0,
        ids=ids.copy(),
        timestamps=timestamps,
        init_cash=terms.init_cash,
        positions=positions.transpose(1, 2, 0),
        contributions=brought.T,
    )


@njit(cache=True, error_model="numpy")
def _walk(
    targets: Any, opens: Any, closes: Any, slippage: Any, costs: Any, account: Any, equity: Any, gross: Any,
    traded: Any, positions: Any, brought: Any, summary: Any,
) -> None:  # fmt: skip
    """One account; arrays (K, T), equity (T + 1,), gross and traded (T,), the last four are written."""
    symbols, steps = targets.shape
    cash, leverage, rate = account
    units, entry, paid = np.zeros(symbols), np.zeros(symbols), np.zeros(symbols)
    orders, marks = np.zeros(symbols), np.zeros(symbols)
    equity[0] = cash
    alive = True
    for t in range(steps):
        if alive:
            value = cash
            for k in range(symbols):
                value += units[k] * opens[k, t]
            if value <= 0:
                cash = _ruin(units, entry, paid, opens[:, t], cash, brought, summary)
                alive = False
        if alive:
            for k in range(symbols):
                orders[k] = 0.0
                if not np.isnan(targets[k, t]):
                    orders[k] = targets[k, t] * value - units[k] * opens[k, t]
                    if targets[k, t] == 0:
                        orders[k] = -units[k] * opens[k, t]
            for k in np.argsort(orders, kind="mergesort"):
                if orders[k] == 0:
                    continue
                price, change = opens[k, t], orders[k] / opens[k, t]
                if targets[k, t] == 0:
                    change = -units[k]
                fill = price * (1.0 + slippage[k, t] * np.sign(change))
                if change > 0:
                    affordable = (cash + (leverage - 1.0) * value - costs[k, 1]) / (fill * (1.0 + costs[k, 0]))
                    change = min(change, max(affordable, min(max(-units[k], 0.0), change)))
                worth = abs(change) * fill
                if worth <= _DUST * value or (worth < costs[k, 4] and change != -units[k]):
                    continue
                cash -= _trade(k, change, fill, units, entry, paid, costs, brought, summary)
                traded[t] += worth / value
            after = cash
            for k in range(symbols):
                after += units[k] * opens[k, t]
            if after <= 0:
                cash = _ruin(units, entry, paid, opens[:, t], cash, brought, summary)
                alive = False
            else:
                for k in range(symbols):
                    positions[k, t] = units[k] * opens[k, t] / after
                    gross[t] += abs(positions[k, t])
        if alive:
            earned = cash * rate
            summary[_INTEREST] += earned
            cash += earned
            for k in range(symbols):
                held = units[k] * closes[k, t]
                charge = costs[k, 2] * max(-held, 0.0) + costs[k, 3] * held
                cash -= charge
                paid[k] += charge
            cash, alive = _survives(units, entry, paid, closes[:, t], cash, brought, summary)
        if alive and t == steps - 1:
            before = cash
            for k in range(symbols):
                before += units[k] * closes[k, t]
            for k in range(symbols):
                if units[k] != 0:
                    change = -units[k]
                    fill = closes[k, t] * (1.0 + slippage[k, t] * np.sign(change))
                    cash -= _trade(k, change, fill, units, entry, paid, costs, brought, summary)
                    traded[t] += abs(change) * fill / before
            cash, alive = _survives(units, entry, paid, closes[:, t], cash, brought, summary)
        marks[:] = units * closes[:, t]
        equity[t + 1] = cash + marks.sum()
    summary[_RUINED] = 0.0 if alive else 1.0


@njit(cache=True, error_model="numpy")
def _trade(
    k: int, change: float, fill: float, units: Any, entry: Any, paid: Any, costs: Any, brought: Any, summary: Any
) -> float:
    """Buy or sell units of a symbol; returns the cash that leaves the account."""
    size = abs(change)
    fees = size * fill * costs[k, 0] + costs[k, 1]
    closing = min(size, abs(units[k])) if change * units[k] < 0 else 0.0
    share = closing / abs(units[k]) if units[k] != 0 else 0.0
    if closing > 0:
        fees_closing = fees * closing / size
        profit = np.sign(units[k]) * closing * (fill - entry[k]) - paid[k] * share - fees_closing
        _book(k, profit, brought, summary)
        paid[k] = paid[k] * (1.0 - share) + fees - fees_closing
    else:
        paid[k] += fees
    opening, kept = size - closing, abs(units[k]) - closing
    if opening > 0:
        entry[k] = (kept * entry[k] + opening * fill) / (kept + opening)
    units[k] = 0.0 if kept == 0 and opening == 0 else units[k] + change
    return float(change * fill + fees)


@njit(cache=True, error_model="numpy")
def _book(k: int, profit: float, brought: Any, summary: Any) -> None:
    """Count a closed trade."""
    brought[k] += profit
    summary[_TRADES] += 1
    if profit > 0:
        summary[_WINS] += 1
        summary[_GAINS] += profit
    else:
        summary[_LOSSES] -= profit


@njit(cache=True, error_model="numpy")
def _survives(
    units: Any, entry: Any, paid: Any, prices: Any, cash: float, brought: Any, summary: Any
) -> tuple[float, bool]:
    """The cash, and whether the account has equity at these prices; without, it is closed."""
    value = cash
    for k in range(len(units)):
        value += units[k] * prices[k]
    if value > 0:
        return cash, True
    return _ruin(units, entry, paid, prices, cash, brought, summary), False


@njit(cache=True, error_model="numpy")
def _ruin(units: Any, entry: Any, paid: Any, prices: Any, cash: float, brought: Any, summary: Any) -> float:
    """Close everything at these prices, at what is owed; returns the cash that is left."""
    for k in range(len(units)):
        if units[k] != 0:
            _book(k, units[k] * (prices[k] - entry[k]) - paid[k], brought, summary)
            cash += units[k] * prices[k]
            units[k] = 0.0
    return cash
