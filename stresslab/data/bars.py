"""Bars: one real series of candles, checked once and then never changed.

`data.sources` reads files and services; `calendar` knows when the next bars are due.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.display import Plotted
from stresslab.core.errors import DataError
from stresslab.core.text import one_line
from stresslab.data.calendar import Calendar
from stresslab.data.parsing.column_names import (
    AMOUNT,
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    VOLUME,
    are_currencies,
    one_ticker,
)
from stresslab.data.parsing.table import between, final_values, read_table
from stresslab.data.parsing.timestamps import parse_last
from stresslab.data.parsing.validation import check

__all__ = ["AMOUNT", "CLOSE", "FIELDS", "HIGH", "LOW", "OPEN", "VOLUME", "Bars"]


@dataclass(frozen=True, eq=False)
class Bars(Plotted):
    """One real series of T bars.

    Make them with `load_bars` or `Bars.from_frame`, which check every rule; the constructor checks shapes only.

    Attributes:
        timestamps: (T,) naive, strictly increasing.
        values: (T, 6) float64, read-only, fields in the order of `FIELDS`.
        symbol: what the series is called.
        source: where it comes from: a path, `sample:nasdaq`, `yf:AAPL` ...
        notices: what was noticed or done while loading, one line each; warnings begin with `warning:`.
        repaired: number of rows changed or dropped by `repair=True`.
        exchange: exchange whose holidays future time stamps leave out, or None.
        days_per_year: trading days in a year, where the calendar's convention is not meant.
    """

    timestamps: pd.DatetimeIndex
    values: NDArray[np.float64]
    symbol: str = "bars"
    source: str = ""
    notices: tuple[str, ...] = ()
    repaired: int = 0
    exchange: str | None = None
    days_per_year: float | None = None

    def __post_init__(self) -> None:
        """Fix types, check the shape, freeze the array."""
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if values.shape != (len(self.timestamps), len(FIELDS)):
            raise DataError(
                f"values of shape {values.shape} do not fit {len(self.timestamps)} time stamps and {len(FIELDS)} fields"
            )
        if values.flags.writeable:
            values = values.copy() if values is self.values or values.base is not None else values
            values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "timestamps", pd.DatetimeIndex(self.timestamps.as_unit("ns").to_numpy()))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        symbol: str = "bars",
        source: str = "",
        repair: bool = False,
        notices: Sequence[str] = (),
        *,
        since: object = None,
        until: object = None,
        decimal: str = ".",
    ) -> Bars:
        """Checked bars of a table.

        Args:
            frame: columns open, high, low, close and optionally volume, amount, adj close, in any order and under
                any of the usual names; time stamps as a DatetimeIndex or a column; rows are numbered by an integer
                index counted from 0.
            symbol: what the series is called.
            source: where it comes from; error messages begin with it.
            repair: repair what can be repaired, and count it, instead of refusing.
            notices: earlier notices to keep.
            since: first time stamp to keep; rows before it are not checked.
            until: last time stamp to keep; a date without a time includes the whole day.
            decimal: the decimal sign of numbers in texts.

        Returns:
            Bars. Without a volume, volume and amount are zero; amount alone missing is volume times the mean of open,
            high, low and close (the rule of Kronos). An adjusted close rescales the four prices of its bar.
        """
        try:
            if isinstance(frame.columns, pd.MultiIndex):
                frame, _ = one_ticker(frame, None)
            table, news, dropped = read_table(frame, decimal, repair)
            checked = check(between(table, since, until), repair)
            values, last = final_values(checked.table)
        except DataError as error:
            raise DataError(one_line(f"{source}: {error}" if source else error)) from error
        said = (*notices, *news, *checked.notices, *last)
        return cls(
            pd.DatetimeIndex(checked.table["timestamp"]), values, symbol, source, said, dropped + checked.repaired
        )

    def __len__(self) -> int:
        """Number of bars T."""
        return len(self.timestamps)

    def __repr__(self) -> str:
        """One line: how many bars of what, from when to when."""
        if not len(self):
            return f"Bars({self.symbol}, empty)"
        return f"Bars({self.symbol}, {len(self):,} bars, {self.timestamps[0]} to {self.timestamps[-1]})"

    def __getitem__(self, part: slice) -> Bars:
        """Consecutive bars `a:b`; the notices stay."""
        if not isinstance(part, slice) or part.step not in (None, 1):
            raise TypeError("bars are cut by a slice a:b without a step; bars.values[i] is a single bar")
        return self._with(timestamps=self.timestamps[part], values=self.values[part])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the array is read-only again in a worker."""
        return type(self), tuple(getattr(self, item.name) for item in fields(self))

    def up_to(self, origin: object) -> Bars:
        """The bars stamped at or before `origin`: the history that a generator sees."""
        return self[: self._position(origin)]

    def after(self, origin: object) -> Bars:
        """The bars stamped after `origin`: what really happened."""
        return self[self._position(origin) :]

    def on_exchange(self, name: str) -> Bars:
        """The same bars, whose future time stamps leave out the holidays of an exchange such as `XNYS`."""
        return self._with(exchange=self.calendar.on_exchange(name).exchange)

    def of_year(self, days: float) -> Bars:
        """The same bars in a year of so many trading days, such as 252."""
        self.calendar.with_days(days)  # refuses what does not fit
        return self._with(days_per_year=float(days))

    @cached_property
    def calendar(self) -> Calendar:
        """Frequency, weekly pattern and bars per year, read off these time stamps, and currencies off the symbol."""
        calendar = Calendar.infer(self.timestamps)
        if self.days_per_year is not None:
            calendar = calendar.with_days(self.days_per_year)
        elif are_currencies(self.symbol):
            calendar = calendar.of_currencies()
        return calendar if self.exchange is None else calendar.on_exchange(self.exchange)

    @property
    def periods_per_year(self) -> float:
        """Bars in a year."""
        return self.calendar.periods_per_year

    @cached_property
    def digest(self) -> str:
        """SHA-256 over time stamps (nanoseconds, int64) and values (float64), both little-endian."""
        digest = hashlib.sha256(self.timestamps.asi8.astype("<i8").tobytes())
        digest.update(self.values.astype("<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The values as a frame (T, 6): index time stamps, columns `FIELDS`; its array is read-only."""
        return pd.DataFrame(self.values, index=self.timestamps, columns=list(FIELDS), copy=False)

    @property
    def open(self) -> pd.Series:
        """Opens (T,)."""
        return self._series("open")

    @property
    def high(self) -> pd.Series:
        """Highs (T,)."""
        return self._series("high")

    @property
    def low(self) -> pd.Series:
        """Lows (T,)."""
        return self._series("low")

    @property
    def close(self) -> pd.Series:
        """Closes (T,)."""
        return self._series("close")

    @property
    def volume(self) -> pd.Series:
        """Volumes (T,), in units of the source."""
        return self._series("volume")

    @property
    def amount(self) -> pd.Series:
        """Traded amounts (T,), in units of the source."""
        return self._series("amount")

    def _position(self, origin: object) -> int:
        """Number of bars stamped at or before `origin`."""
        stamp = parse_last("origin", origin).as_unit("ns").to_datetime64()
        return int(np.searchsorted(self.timestamps.to_numpy(), stamp, side="right"))

    def _series(self, name: str) -> pd.Series:
        return pd.Series(self.values[:, FIELDS.index(name)], index=self.timestamps, name=name, copy=False)

    def _with(self, **changes: Any) -> Bars:
        return type(self)(**({item.name: getattr(self, item.name) for item in fields(self)} | changes))


def describe_data(bars: Bars) -> dict[str, Any]:
    """What the loaded bars are, as plain JSON."""
    return {
        "source": bars.source,
        "symbol": bars.symbol,
        "bars": len(bars),
        "start": str(bars.timestamps[0]),
        "end": str(bars.timestamps[-1]),
        "calendar": bars.calendar.describe(),
        "periods_per_year": bars.periods_per_year,
        "repaired": bars.repaired,
        "notices": list(bars.notices),
        "digest": bars.digest,
    }
