"""Decisions become fills at the next open, and fills become accounts: the one place that knows vectorbt.

It knows orders, costs and cash; how a strategy decides is `stresslab.strategy`'s business, what the accounts are worth
`stresslab.statistics.measures`'.

T is generated bars, W bars of warm-up before them, N universes. What is decided at the close of panel row r fills at
the open of row r + 1; only generated bars are traded and measured, so row W - 1, the origin, is the first row whose
decision fills. There is no leverage: an entry takes all of the equity, a target weight lies in [-1, 1].

Signals. An entry opens the whole equity, long or short; against an open position of the other side it reverses. An
entry in the direction already held does nothing, nor does an exit of a side that is not held. Where entry and exit of
one side come in the same row, both are ignored, and so are then long and short entry in one row (vectorbt's defaults):
such a row says nothing, and any order of precedence would be invented.

Weights. A target that changes is an order that brings the position to that fraction of the equity at the open; NaN and
an unchanged target keep the units held, so a position drifts with its price and costs nothing. 0 and 1 are thereby the
same as signals.

Position at the origin. "carry" opens at the first generated open, with costs, what the decisions over the warm-up leave
in force. "flat" waits for something new: an entry that was already given without a break before the origin's bar, or a
target that has not changed since, opens nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest.costs import Costs
from stresslab.backtest.result import Backtest
from stresslab.data.bars import FIELDS
from stresslab.errors import DataError, InputError, StrategyError
from stresslab.panel import Decisions, Panel
from stresslab.strategy import Strategy
from stresslab.universes import Universes

POSITIONS = ("carry", "flat")
CHUNK = 2000
"""Universes simulated at once: memory stays flat in N, and larger chunks were no faster."""

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_SAME_TARGET = 1e-9
"""Targets nearer than this are the same: rounding in a strategy's arithmetic is no order."""


class _Signals(NamedTuple):
    """Entries and exits of both sides, (rows, N) each."""

    long_entries: BoolArray
    long_exits: BoolArray
    short_entries: BoolArray
    short_exits: BoolArray


def backtest(
    strategy: Strategy,
    universes: Universes,
    costs: Costs,
    *,
    init_cash: float = 100_000.0,
    warmup: int = 500,
    position: str = "carry",
    chunk: int = CHUNK,
) -> Backtest:
    """Run a strategy in each universe on an account of its own.

    Args:
        strategy: decides on panels of [warm-up, universe].
        universes: N universes of T bars; the real series is N = 1.
        costs: of every fill.
        init_cash: initial equity, currency.
        warmup: bars of history that the strategy sees before the universe, at most.
        position: "carry" opens the position held at the origin at the first generated open, "flat" does not.
        chunk: universes simulated at once; the result does not depend on it.

    Raises:
        InputError: a setting is wrong, a price is not above zero, or a weight asks for leverage.
    """
    check_settings(init_cash, warmup, position, chunk)
    parts = []
    for start in range(0, len(universes), chunk):
        part = universes.take(slice(start, start + chunk))
        _check_prices(part)
        panel = Panel.of(part, warmup)
        decisions = strategy.decide(panel, allow_silence=True)  # silent here may speak in another chunk
        orders: _Signals | FloatArray
        if decisions.is_weights:
            orders = _target_orders(decisions, panel.warmup, position)
            _check_leverage(orders, strategy.name, part)
        else:
            orders = _signal_orders(decisions, panel.warmup, position)
        parts.append(_simulate(orders, part, costs, init_cash))
    return Backtest.concatenate(parts)


def buy_and_hold(universes: Universes, costs: Costs, *, init_cash: float = 100_000.0) -> Backtest:
    """All equity in at the first open and out at the last close of each universe, through the same engine.

    Args:
        universes: N universes of T bars.
        costs: of both fills.
        init_cash: initial equity, currency.
    """
    check_settings(init_cash, warmup=0, position="flat")
    parts = []
    for start in range(0, len(universes), CHUNK):
        part = universes.take(slice(start, start + CHUNK))
        _check_prices(part)
        never = np.zeros((part.horizon, len(part)), dtype=np.bool_)
        first = never.copy()
        first[0] = True
        parts.append(_simulate(_Signals(first, never, never, never), part, costs, init_cash))
    return Backtest.concatenate(parts)


def check_settings(init_cash: float, warmup: int, position: str, chunk: int = CHUNK) -> None:
    """Refuse settings that cannot be meant, in one line."""
    if not (math.isfinite(init_cash) and init_cash > 0):
        raise InputError(f"init_cash={init_cash} is no amount to trade with; give a number above 0, for example 100000")
    if warmup < 0:
        raise InputError(f"warmup={warmup} is less than no bars; give 0 or more")
    if chunk < 1:
        raise InputError(f"chunk={chunk} universes cannot be simulated at once; give 1 or more")
    if position not in POSITIONS:
        near = get_close_matches(str(position), POSITIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write 'carry' or 'flat'"
        raise InputError(f"position={position!r} is neither 'carry' nor 'flat'; {hint}")


def _check_prices(universes: Universes) -> None:
    """Refuse prices that nothing can be bought at: vectorbt skips orders at NaN and fails the whole batch at 0."""
    prices = universes.values[:, :, : FIELDS.index("close") + 1]  # (N, T, 4)
    wrong = ~(np.isfinite(prices) & (prices > 0))
    if wrong.any():
        universe, bar, name = (int(index) for index in np.argwhere(wrong)[0])
        raise DataError(
            f"universe {universes.ids[universe]} has {FIELDS[name]}={prices[universe, bar, name]} at "
            f"{universes.timestamps[bar]} ({wrong.any(axis=(1, 2)).sum()} of {len(universes)} universes have such a "
            "price); prices must be finite and above 0: use repaired bars or another generator"
        )


def _check_leverage(targets: FloatArray, name: str, universes: Universes) -> None:
    """Refuse targets (T, N) beyond the equity, which only credit could fill."""
    beyond = np.abs(targets) > 1 + _SAME_TARGET
    if beyond.any():
        bar, universe = (int(index) for index in np.argwhere(beyond)[0])
        raise StrategyError(
            f"strategy {name!r} asks for a weight of {targets[bar, universe]:g} in universe {universes.ids[universe]}, "
            f"to be filled at {universes.timestamps[bar]}; accounts have no credit, so weights lie in [-1, 1]: "
            "scale or clip them"
        )


def _signal_orders(decisions: Decisions, warmup: int, position: str) -> _Signals:
    """The signals that each generated open fills, (T, N).

    Args:
        decisions: (W+T, N) signals known at each close.
        warmup: W.
        position: "carry" or "flat".
    """
    known = _without_conflicts(decisions)  # (2+W+T, N)
    orders = _Signals(*(flags[warmup + 1 : -1].copy() for flags in known))  # from the origin's row on, (T, N)
    if position == "carry":
        held = _held(_Signals(*(flags[: warmup + 2] for flags in known)))
        for flags, first in zip(orders, (held > 0, False, held < 0, False), strict=True):
            flags[0] = first
    else:
        for fresh, entries in zip(orders[::2], known[::2], strict=True):
            unbroken = np.logical_and.accumulate(entries[warmup:-1], axis=0)  # given since before the origin, (1+T, N)
            fresh &= ~unbroken[1:]
    return orders


def _without_conflicts(decisions: Decisions) -> _Signals:
    """Signals without those of one row that contradict each other; two rows without any come first, (2+W+T, N)."""
    given = (decisions.long_entries, decisions.long_exits, decisions.short_entries, decisions.short_exits)
    rows, count = next(flags.shape for flags in given if flags is not None)
    padded = np.zeros((4, rows + 2, count), dtype=np.bool_)
    for flags, source in zip(padded, given, strict=True):
        if source is not None:
            flags[2:] = source
    long_entries, long_exits, short_entries, short_exits = padded
    long_conflict, short_conflict = long_entries & long_exits, short_entries & short_exits
    long_entries, long_exits = long_entries & ~long_conflict, long_exits & ~long_conflict
    short_entries, short_exits = short_entries & ~short_conflict, short_exits & ~short_conflict
    both = long_entries & short_entries
    return _Signals(long_entries & ~both, long_exits, short_entries & ~both, short_exits)


def _held(signals: _Signals) -> NDArray[np.int64]:
    """The side that signals without conflicts leave an account on: 1 long, -1 short, 0 flat (N,).

    It is that of the last entry, unless an exit of this side came later: an entry always ends on its own side, whatever
    was held before, and exits of the other side do nothing.
    """
    entered_long, left_long, entered_short, left_short = (_last_row(flags) for flags in signals)
    long = (entered_long > entered_short) & (entered_long > left_long)
    short = (entered_short > entered_long) & (entered_short > left_short)
    return long.astype(np.int64) - short.astype(np.int64)


def _last_row(flags: BoolArray) -> NDArray[np.int64]:
    """The last row, counted from 1, in which a flag is up; 0 where none is (N,)."""
    return np.where(flags.any(axis=0), len(flags) - np.argmax(flags[::-1], axis=0), 0)


def _target_orders(decisions: Decisions, warmup: int, position: str) -> FloatArray:
    """The target weights that each generated open fills, NaN where nothing is ordered, (T, N).

    Args:
        decisions: (W+T, N) weights known at each close, NaN keeps what is held.
        warmup: W.
        position: "carry" or "flat".
    """
    weights = np.asarray(decisions.weights, dtype=np.float64)
    before = np.zeros((2, weights.shape[1]))
    in_force = pd.DataFrame(np.concatenate([before, weights])).ffill().to_numpy()  # (2+W+T, N)
    targets, previous = in_force[warmup + 1 : -1], in_force[warmup:-2]  # from the origin's row on, (T, N)
    ordered = np.abs(targets - previous) > _SAME_TARGET
    if position == "carry":
        ordered[0] = targets[0] != 0
    return np.where(ordered, targets, np.nan)


def _simulate(orders: _Signals | FloatArray, universes: Universes, costs: Costs, init_cash: float) -> Backtest:
    """Fill orders (T, N) at the opens and close what is left at the last close, in a row of its own.

    Cash is not locked: vectorbt would then keep a short's profit out of later orders and refuse to cover one that has
    eaten the cash, while entries of the whole equity and targets in [-1, 1] need no other bound.
    """
    import vectorbt

    closes = universes.close.to_numpy(dtype=np.float64)
    opens = np.concatenate([universes.open.to_numpy(dtype=np.float64), closes[-1:]])  # (T+1, N)
    closes = np.concatenate([closes, closes[-1:]])
    account: dict[str, Any] = {
        "price": opens,
        "fees": costs.fees,
        "slippage": costs.slippage,
        "init_cash": init_cash,
        "lock_cash": False,
    }
    last = np.ones((1, len(universes)))
    if isinstance(orders, _Signals):
        entries, exits, short_entries, short_exits = (
            np.concatenate([flags, last == at_end])
            for flags, at_end in zip(orders, (False, True, False, True), strict=True)
        )
        portfolio = vectorbt.Portfolio.from_signals(
            closes, entries, exits, short_entries, short_exits, size=np.inf, accumulate=False, **account
        )
    else:
        targets = np.concatenate([np.clip(orders, -1.0, 1.0), 0 * last])
        portfolio = vectorbt.Portfolio.from_orders(
            closes, targets, size_type="targetpercent", direction="both", **account
        )
    return _Ledger.of(portfolio, opens, closes, init_cash).backtest(universes)


_OPEN, _FILLED, _CLOSE = range(3)
"""The moments of a bar at which accounts are valued: at its open before the fill, after it, and at its close."""


@dataclass(frozen=True, eq=False)
class _Ledger:
    """Accounts at each moment of the T+1 rows simulated, the last of which closes what is open.

    Attributes:
        holdings: (T+1, 3, N) units held at each moment.
        values: (T+1, 3, N) equity at each moment, as if accounts went on after ruin.
        alive: (T+1, 3, N) whether equity has been above zero up to and at each moment.
        orders: vectorbt's records of fills.
        trades: vectorbt's records of trades.
        held: (T+1, N) value held after the fill at its price of valuation.
        init_cash: initial equity.
    """

    holdings: FloatArray
    values: FloatArray
    alive: BoolArray
    orders: NDArray[Any]
    trades: NDArray[Any]
    held: FloatArray
    init_cash: float

    @classmethod
    def of(cls, portfolio: Any, opens: FloatArray, closes: FloatArray, init_cash: float) -> _Ledger:
        """Read a vectorbt portfolio over opens and closes (T+1, N)."""
        cash, units = portfolio.cash().to_numpy(), portfolio.assets().to_numpy()  # after the fill, (T+1, N)
        cash_before = np.concatenate([np.full_like(cash[:1], init_cash), cash[:-1]])
        units_before = np.concatenate([np.zeros_like(units[:1]), units[:-1]])
        holdings = np.stack([units_before, units, units], axis=1)  # (T+1, 3, N)
        values = np.stack([cash_before, cash, cash], axis=1) + holdings * np.stack([opens, opens, closes], axis=1)
        alive = np.logical_and.accumulate((values > 0).reshape(-1, cash.shape[1]), axis=0).reshape(values.shape)
        return cls(holdings, values, alive, portfolio.orders.values, portfolio.trades.values, units * opens, init_cash)

    def backtest(self, universes: Universes) -> Backtest:
        """The accounts as a result: the closing row merged into the last bar, accounts frozen at ruin."""
        alive, values = self.alive, self.values
        end, held_at_end = self._end()
        equity = np.where(alive[:, _CLOSE], values[:, _CLOSE], end)  # (T+1, N)
        position = _over(self.held, values[:, _FILLED], alive[:, _FILLED])
        bought_or_sold = np.zeros_like(equity)
        bought_or_sold[self.orders["idx"], self.orders["col"]] = self.orders["size"] * self.orders["price"]
        traded = _over(bought_or_sold, values[:, _OPEN], alive[:, _OPEN])
        traded[-2] += traded[-1]
        profits = self._profits(end, held_at_end)
        return Backtest(
            equity=np.concatenate([np.full_like(equity[:1], self.init_cash), equity[:-2], equity[-1:]]),
            position=position[:-1],
            traded=traded[:-1],
            **profits,
            ruined=~alive[-1, _CLOSE],
            ids=universes.ids.copy(),
            timestamps=universes.timestamps,
            init_cash=self.init_cash,
        )

    def _end(self) -> tuple[FloatArray, BoolArray]:
        """Equity and whether a position was open where accounts end: at ruin, or when all is closed (N,)."""
        moments = np.prod(self.alive.shape[:2])
        lived = self.alive.sum(axis=(0, 1))  # moments above zero
        last = np.minimum(lived, moments - 1)[None]
        equity = np.take_along_axis(self.values.reshape(moments, -1), last, axis=0)[0]
        units = np.take_along_axis(self.holdings.reshape(moments, -1), last, axis=0)[0]
        return equity, units != 0

    def _profits(self, end: FloatArray, open_at_end: BoolArray) -> dict[str, Any]:
        """Numbers and sums of closed trades (N,) as `Backtest` names them; ruin closes what is open at what is owed."""
        from vectorbt.portfolio.enums import TradeStatus

        count = len(end)
        closed = self.trades["status"] == TradeStatus.Closed
        closed &= self.alive[self.trades["exit_idx"], _OPEN, self.trades["col"]]
        column, profit = self.trades["col"][closed], self.trades["pnl"][closed]
        unrealised = end - self.init_cash - np.bincount(column, profit, count)
        column = np.concatenate([column, np.flatnonzero(open_at_end)])
        profit = np.concatenate([profit, unrealised[open_at_end]])
        won = profit > 0
        return {
            "trades": np.bincount(column, minlength=count).astype(np.int64),
            "wins": np.bincount(column[won], minlength=count).astype(np.int64),
            "gross_profit": np.bincount(column[won], profit[won], count),
            "gross_loss": np.bincount(column[~won], -profit[~won], count),
        }


def _over(value: FloatArray, equity: FloatArray, alive: BoolArray) -> FloatArray:
    """Value over equity where accounts are alive, else 0 (rows, N)."""
    return np.divide(value, equity, out=np.zeros_like(equity), where=alive)
