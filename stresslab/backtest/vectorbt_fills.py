"""Accounts that vectorbt fills: shares of the equity, costs in proportion, no credit.

`event_fills` does what vectorbt cannot express. It knows no cash flows but fills (interest, borrowing, funding), buys
with the cash there is alone (leverage), with a fixed fee or a smallest order it also refuses to close a position, and
it watches one stop per position at most, and none where weights are ordered.

Its kernels are called by `vectorbt_kernels`, without its frames: of the time that `Portfolio.from_signals` takes for
1,000 universes nearly half goes into frames and copies of settings. Arrays are laid out bar by bar and cut into chunks
before they come here; on others the kernels take three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import vectorbt_kernels
from stresslab.backtest.orders import Signals
from stresslab.backtest.result import Backtest
from stresslab.backtest.vectorbt_kernels import CLOSED, TARGET_PERCENT, cash_units_and_trades
from stresslab.core.arrays import BoolArray, FloatArray

_DUST = 1e-12
"""Orders of less than this share of the initial cash are rounding."""
RANGE = 1e9
"""Most that the highest price of a universe may be of its lowest one: beyond it vectorbt's own tolerances decide."""


def fill(
    orders: Signals | FloatArray,
    opens: FloatArray,
    closes: FloatArray,
    fees: float,
    slippage: FloatArray | float,
    init_cash: float,
    ids: NDArray[np.int64],
    timestamps: pd.DatetimeIndex,
) -> tuple[Backtest, BoolArray]:
    """Fill orders (T, N) at the opens and close what is left at the last close, in a row of its own.

    vectorbt takes prices below 1e-12 for zero and skips orders of few units, so prices and cash are scaled by powers of
    two, which changes no result.

    Cash is not locked: vectorbt would then keep a short's profit out of later orders and refuse to cover one that has
    eaten the cash, while entries of the whole equity and targets in [-1, 1] need no other bound.

    Args:
        orders: signals or target weights.
        opens: (T, N).
        closes: (T, N).
        fees: fraction of each fill.
        slippage: fraction of each fill, (T, N) or one for all.
        init_cash: currency.
        ids: (N,) of the universes.
        timestamps: (T,) of the bars.

    Returns:
        The accounts, and in which of them a short may have cost more to cover than there was cash, which vectorbt does
        in part (N,).
    """
    given, unit = init_cash, 2.0 ** np.floor(np.log2(init_cash))
    scale = 2.0 ** np.floor(np.log2(opens[0]))  # (N,)
    init_cash = init_cash / unit * _CASH
    opens, closes = np.concatenate([opens, closes[-1:]]) / scale, np.concatenate([closes, closes[-1:]]) / scale
    shape, count = closes.shape, len(ids)  # (T+1, N)
    account = (shape, np.ones(count, dtype=np.int64), np.full(count, float(init_cash)), np.zeros(shape, dtype=np.int64))
    how: dict[str, Any] = {
        "price": opens,
        "close": closes,
        "min_size": _DUST * init_cash / opens,
        "fees": np.asarray(fees, dtype=np.float64),
        "slippage": np.concatenate([slippage, slippage[-1:]])
        if isinstance(slippage, np.ndarray)
        else np.asarray(slippage, dtype=np.float64),
    }
    fills = _simulated(orders, account, how)
    accounts, short_of_cash = _accounts(fills, opens, closes, init_cash, how["fees"], how["slippage"])
    for name in ("equity", "gross_profit", "gross_loss"):
        accounts[name] = accounts[name] * (unit / _CASH)
    return Backtest(**accounts, ids=ids.copy(), timestamps=timestamps, init_cash=given), short_of_cash


def _simulated(orders: Signals | FloatArray, account: tuple[Any, ...], how: dict[str, Any]) -> NDArray[Any]:
    """Vectorbt's records of the fills of orders (T, N), which close everything in a row after the last."""
    count = account[0][1]
    if isinstance(orders, Signals):
        at_end = (False, True, False, True)
        flags = (np.concatenate([flag, np.full((1, count), last)]) for flag, last in zip(orders, at_end, strict=True))
        names = ("long_entries", "long_exits", "short_entries", "short_exits")
        fills, _ = vectorbt_kernels.simulate_from_signals(
            *account, **dict(zip(names, flags, strict=True)), **how, use_stops=False
        )
    else:
        targets = np.ascontiguousarray(np.concatenate([np.clip(orders, -1.0, 1.0), np.zeros((1, count))]))
        fills, _ = vectorbt_kernels.simulate_from_orders(*account, size=targets, size_type=_TARGETS, **how)
    return np.asarray(fills)


_CASH = 2.0**17
"""What an account begins with inside vectorbt, over the leading digits of its cash."""
_TARGETS = np.asarray(TARGET_PERCENT, dtype=np.int64)


def _accounts(
    fills: NDArray[Any], opens: FloatArray, closes: FloatArray, init_cash: float, fees: FloatArray, slippage: FloatArray
) -> tuple[dict[str, Any], BoolArray]:
    """The arrays of a `Backtest`, from vectorbt's records of orders over opens and closes (T+1, N).

    Returns:
        The arrays, and which accounts were short and had less cash than covering it would have cost (N,).
    """
    cash, units, trades = cash_units_and_trades(fills, closes, np.full(closes.shape[1], float(init_cash)))
    before = np.empty_like(cash)  # equity at each open before the fill
    before[0] = init_cash
    np.multiply(units[:-1], opens[1:], out=before[1:])
    before[1:] += cash[:-1]
    held = units * opens
    filled, closed = cash + held, units * closes
    closed += cash
    ruined = np.minimum(np.minimum(before.min(axis=0), filled.min(axis=0)), closed.min(axis=0)) <= 0
    with np.errstate(divide="ignore", invalid="ignore"):  # of ruined accounts, which are replaced
        accounts = _merged(held, before, filled, closed, fills, trades)
    if ruined.any():
        which = np.flatnonzero(ruined)
        moments = _Moments.of(cash[:, which], units[:, which], opens[:, which], closes[:, which], init_cash)
        frozen = moments.accounts(held[:, which], _of(fills, ruined), _of(trades, ruined), init_cash)
        for name, array in frozen.items():
            accounts[name][..., which] = array
    owed = -np.minimum(units[:-1], 0.0) * opens[1:]
    owed *= (1 + fees) * (1 + (slippage[1:] if slippage.ndim else slippage))
    return accounts, np.asarray((owed > cash[:-1] * (1 - 1e-9)).any(axis=0) & (owed > 0).any(axis=0))


def _merged(
    held: FloatArray,
    before: FloatArray,
    filled: FloatArray,
    closed: FloatArray,
    fills: NDArray[Any],
    trades: NDArray[Any],
) -> dict[str, Any]:
    """Accounts that lived on, with the closing row merged into the last bar.

    Args:
        held: (T+1, N) value held after the fill, at the open.
        before: (T+1, N) equity at the open, before the fill.
        filled: (T+1, N) equity at the open, after it.
        closed: (T+1, N) equity at the close.
        fills: vectorbt's records of orders.
        trades: vectorbt's records of trades.
    """
    count = held.shape[1]
    equity = np.concatenate([before[:1], closed[:-2], closed[-1:]])
    traded = np.zeros((len(held) - 1, count))
    rows, columns = fills["idx"], fills["col"]
    share = fills["size"] * fills["price"] / before[rows, columns]
    at_end = rows == len(held) - 1
    traded[rows[~at_end], columns[~at_end]] = share[~at_end]
    traded[-1, columns[at_end]] += share[at_end]
    position = held[:-1] / filled[:-1]
    closings = trades["status"] == CLOSED
    profits = _profits(trades["col"][closings], trades["pnl"][closings], count)
    idle = {"ruined": np.zeros(count, dtype=np.bool_), "interest": np.zeros(count)}
    return {"equity": equity, "position": position, "traded": traded, **profits, **idle}


def _of(records: NDArray[Any], which: BoolArray) -> NDArray[Any]:
    """The records of some columns (N,), renumbered."""
    chosen: NDArray[Any] = records[which[records["col"]]].copy()
    chosen["col"] = (np.cumsum(which) - 1)[chosen["col"]]
    return chosen


def _profits(column: NDArray[np.int64], profit: FloatArray, count: int) -> dict[str, Any]:
    """Numbers and sums of closed trades (N,), as `Backtest` names them."""
    won = profit > 0
    return {
        "trades": np.bincount(column, minlength=count).astype(np.int64),
        "wins": np.bincount(column[won], minlength=count).astype(np.int64),
        "gross_profit": np.bincount(column[won], profit[won], count).astype(np.float64),  # of nothing it counts whole
        "gross_loss": np.bincount(column[~won], -profit[~won], count).astype(np.float64),
    }


_OPEN, _FILLED, _CLOSE = range(3)
"""The moments of a bar at which accounts are valued: at its open before the fill, after it, and at its close."""


@dataclass(frozen=True, eq=False)
class _Moments:
    """Accounts at each moment of the T+1 rows simulated, for those that are ruined at one of them.

    Attributes:
        holdings: (T+1, 3, N) units held at each moment.
        values: (T+1, 3, N) equity at each moment, as if accounts went on after ruin.
        alive: (T+1, 3, N) whether equity has been above zero up to and at each moment.
    """

    holdings: FloatArray
    values: FloatArray
    alive: BoolArray

    @classmethod
    def of(
        cls, cash: FloatArray, units: FloatArray, opens: FloatArray, closes: FloatArray, init_cash: float
    ) -> _Moments:
        """From cash and units after the fills of each row (T+1, N)."""
        cash_before = np.concatenate([np.full_like(cash[:1], init_cash), cash[:-1]])
        units_before = np.concatenate([np.zeros_like(units[:1]), units[:-1]])
        holdings = np.stack([units_before, units, units], axis=1)  # (T+1, 3, N)
        values = np.stack([cash_before, cash, cash], axis=1) + holdings * np.stack([opens, opens, closes], axis=1)
        alive = np.logical_and.accumulate((values > 0).reshape(-1, cash.shape[1]), axis=0).reshape(values.shape)
        return cls(holdings, values, alive)

    def accounts(self, held: FloatArray, fills: NDArray[Any], trades: NDArray[Any], init_cash: float) -> dict[str, Any]:
        """Arrays as `_merged` gives them, frozen at ruin, which closes what is open at what is owed."""
        alive, values = self.alive, self.values
        end, open_at_end = self._end()
        equity = np.where(alive[:, _CLOSE], values[:, _CLOSE], end)  # (T+1, N)
        position = _over(held, values[:, _FILLED], alive[:, _FILLED])
        bought_or_sold = np.zeros_like(equity)
        bought_or_sold[fills["idx"], fills["col"]] = fills["size"] * fills["price"]
        traded = _over(bought_or_sold, values[:, _OPEN], alive[:, _OPEN])
        traded[-2] += traded[-1]
        closed = trades["status"] == CLOSED
        closed &= alive[trades["exit_idx"], _OPEN, trades["col"]]
        column, profit = trades["col"][closed], trades["pnl"][closed]
        unrealised = end - init_cash - np.bincount(column, profit, len(end))
        column = np.concatenate([column, np.flatnonzero(open_at_end)])
        profit = np.concatenate([profit, unrealised[open_at_end]])
        return {
            "equity": np.concatenate([np.full_like(equity[:1], init_cash), equity[:-2], equity[-1:]]),
            "position": position[:-1],
            "traded": traded[:-1],
            **_profits(column, profit, len(end)),
            "ruined": ~alive[-1, _CLOSE],
        }

    def _end(self) -> tuple[FloatArray, BoolArray]:
        """Equity and whether a position was open where accounts end: at ruin, or when all is closed (N,)."""
        moments = np.prod(self.alive.shape[:2])
        lived = self.alive.sum(axis=(0, 1))  # moments above zero
        last = np.minimum(lived, moments - 1)[None]
        equity = np.take_along_axis(self.values.reshape(moments, -1), last, axis=0)[0]
        units = np.take_along_axis(self.holdings.reshape(moments, -1), last, axis=0)[0]
        return equity, units != 0


def _over(value: FloatArray, equity: FloatArray, alive: BoolArray) -> FloatArray:
    """Value over equity where accounts are alive, else 0 (rows, N)."""
    return np.divide(value, equity, out=np.zeros_like(equity), where=alive)
