"""A list of closed trades, as a platform or a broker exported it: what was held, when, and what it earned.

`data.parsing.trade_tables` reads tables of trades and `data.sources.trade_files` files; what the bars say about them is
for `stresslab.analysis`. n is the number of trades.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError

MOST_TRADES = 1_000_000


@dataclass(frozen=True, eq=False)
class TradeList:
    """Closed trades in the order of their entries.

    Attributes:
        side: (n,) 1 long, -1 short.
        units: (n,) held, above 0; NaN where the list does not say.
        entered: (n,) time of the entry, as the list has it.
        left: (n,) time of the exit.
        entry_price: (n,) NaN where the list does not say.
        exit_price: (n,) likewise.
        profit: (n,) net of the costs that the list knows, currency; NaN where it does not say.
        form: whose export it is, such as "TradingView".
        source: where it came from.
        notices: what was noticed while reading it.
    """

    side: NDArray[np.int8]
    units: FloatArray
    entered: pd.DatetimeIndex
    left: pd.DatetimeIndex
    entry_price: FloatArray
    exit_price: FloatArray
    profit: FloatArray
    form: str
    source: str
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of trades."""
        return len(self.side)

    def __repr__(self) -> str:
        """One line: how many trades, whose export, from when to when."""
        return f"TradeList({len(self)} trades of {self.form}, {self.entered.min()} to {self.left.max()})"

    @classmethod
    def of(cls, table: pd.DataFrame, form: str, source: str, notices: tuple[str, ...] = ()) -> Self:
        """The list in a table with the columns named like the attributes, checked and put in order.

        Raises:
            DataError: there is no trade, or one cannot be.
        """
        if not len(table):
            raise DataError("the list holds no closed trade; export the closed trades, with entries and exits")
        if len(table) > MOST_TRADES:
            raise DataError(f"the list holds {len(table):,} trades; give at most {MOST_TRADES:,}")
        table = table.sort_values(["entered", "left"], kind="stable").reset_index(drop=True)
        wrong = table["left"] < table["entered"]
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise DataError(
                f"a trade of {table['entered'][row]} is left at {table['left'][row]}, before it was entered; look at "
                "the order of day and month"
            )
        for name in ("units", "entry_price", "exit_price"):
            given = table[name].to_numpy(dtype=np.float64)
            bad = ~np.isnan(given) & ~(np.isfinite(given) & (given > 0))
            if bad.any():
                row = int(bad.argmax())
                raise DataError(f"the trade of {table['entered'][row]} has {name}={given[row]:g}, which is not above 0")
        return cls(
            table["side"].to_numpy(dtype=np.int8),
            table["units"].to_numpy(dtype=np.float64),
            pd.DatetimeIndex(table["entered"]).as_unit("ns"),
            pd.DatetimeIndex(table["left"]).as_unit("ns"),
            table["entry_price"].to_numpy(dtype=np.float64),
            table["exit_price"].to_numpy(dtype=np.float64),
            table["profit"].to_numpy(dtype=np.float64),
            form,
            source,
            notices,
        )

    def take(self, which: NDArray[np.bool_]) -> TradeList:
        """Some of the trades."""
        return replace(
            self, side=self.side[which], units=self.units[which], entered=self.entered[which], left=self.left[which],
            entry_price=self.entry_price[which], exit_price=self.exit_price[which], profit=self.profit[which],
        )  # fmt: skip

    def moved(self, hours: float) -> TradeList:
        """The same trades with their times moved by so many hours."""
        by = pd.Timedelta(hours, unit="h").as_unit("ns")
        return replace(self, entered=self.entered + by, left=self.left + by)

    def digest(self) -> str:
        """SHA-256 of all that counts."""
        found = hashlib.sha256()
        for array in (self.side, self.units, self.entered.asi8, self.left.asi8, self.entry_price, self.exit_price,
                      self.profit):  # fmt: skip
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()
