"""What a strategy's accounts went through in N universes, as arrays.

The engine makes them, `stresslab.metrics.measures` measures them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.metrics.measures import Account


@dataclass(frozen=True, eq=False)
class Backtest(Account):
    """N accounts over the T generated bars; the arrays cannot be written to. No value is NaN.

    Each universe is contiguous in memory: sums over its bars then do not depend on how many lie beside it.

    Profits are net of the costs of entry and exit, and of borrowing and funding in between.

    A position still open after the last bar is closed at its close, with costs: the last row of `equity`, the last row
    of `traded` and the trades include that. A ruined account (equity at or below zero, at an open or at a close) is
    closed there: equity stays as it is, below zero where money is owed, and nothing is held or traded any more.

    Attributes:
        equity: (T+1, N) currency; row 0 is `init_cash`, row t+1 the equity at the close of bar t.
        position: (T, N) value held over bar t as a signed fraction of equity, both after the fill at its open.
        traded: (T, N) value bought and sold in bar t over equity before each fill: a reversal at its open is about 2.
        trades: (N,) closed trades: an order that reduces or closes a position closes one, over the part it closes.
        wins: (N,) closed trades with a net profit.
        gross_profit: (N,) currency, sum of the net profits of trades that won.
        gross_loss: (N,) currency, sum of the net losses of the others, positive;
            gross_profit - gross_loss + interest = equity[-1] - equity[0].
        interest: (N,) currency, earned on cash, or paid where negative.
        ruined: (N,) whether equity reached zero.
        ids: (N,) universe ids.
        timestamps: (T,) of the generated bars.
        init_cash: initial equity, currency.
        conflicts: (N,) bars whose decisions contradicted each other, so that they were ignored.
        untraded: (N,) bars without volume in which it traded.
        low: (T, N) least equity inside each bar: at its open, at the worse of high and low for what was held, and at
            its close; None where it was not asked for.
        high: (T, N) most equity inside each bar, likewise.
    """

    interest: FloatArray
    ruined: NDArray[np.bool_]
    ids: NDArray[np.int64]
    timestamps: pd.DatetimeIndex
    init_cash: float
    conflicts: NDArray[np.int64] = None  # type: ignore[assignment] # zeros, set below
    untraded: NDArray[np.int64] = None  # type: ignore[assignment] # zeros, set below
    low: FloatArray | None = None
    high: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check that the shapes belong together and freeze the arrays."""
        shapes, count = self._shapes(), len(self.ids)
        for name in ("conflicts", "untraded"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(count, dtype=np.int64))
        for one in fields(self):
            array = getattr(self, one.name)
            if isinstance(array, np.ndarray):
                expected = shapes.get(one.name, (count,))
                if array.shape != expected:
                    raise ValueError(f"{one.name} of shape {array.shape} is not {expected} like ids and timestamps")
                array = np.asfortranarray(array)
                array.setflags(write=False)
                object.__setattr__(self, one.name, array)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays that are not (N,)."""
        steps, count = len(self.timestamps), len(self.ids)
        bars = dict.fromkeys(("position", "traded", "low", "high"), (steps, count))
        return {"equity": (steps + 1, count), **bars}

    def __len__(self) -> int:
        """Number of universes N."""
        return len(self.ids)

    def __repr__(self) -> str:
        """One line: how many accounts over which bars."""
        span = f"{self.timestamps[0]} to {self.timestamps[-1]}"
        return f"Backtest({len(self):,} universes, {len(self.timestamps)} bars, {span})"

    def with_accounts(self, positions: NDArray[np.intp], others: Backtest) -> Backtest:
        """The same accounts with others in some places."""
        arrays: dict[str, Any] = {}
        for one in fields(self):
            if isinstance(getattr(self, one.name), np.ndarray):
                arrays[one.name] = getattr(self, one.name).copy()
                arrays[one.name][..., positions] = getattr(others, one.name)
        return replace(self, **arrays)

    @classmethod
    def concatenate(cls, parts: Sequence[Backtest]) -> Backtest:
        """Accounts of the same bars and initial cash side by side, in the order given."""
        first, cls = parts[0], type(parts[0])
        if len(parts) == 1:
            return first
        joined = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts], axis=-1)
            for one in fields(cls)
            if isinstance(getattr(first, one.name), np.ndarray)
        }
        return cls(**joined, timestamps=first.timestamps, init_cash=first.init_cash)

    def take(self, chosen: NDArray[np.intp]) -> Backtest:
        """The accounts at these positions."""
        parts = {
            one.name: getattr(self, one.name)[..., chosen]
            for one in fields(self)
            if isinstance(getattr(self, one.name), np.ndarray)
        }
        return replace(self, **parts)


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
