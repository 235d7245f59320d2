"""Market: several real series on common time stamps, and what aligning them has cost.

Which files they come from is for `sources` to know; what continues them, for the generators.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import DataError
from stresslab.data.bars import FIELDS, Bars
from stresslab.data.calendar import DAY, Calendar, common_step, human

MIN_COMMON = 2
"""Fewest common bars that are a market at all; generators ask for more."""
WARNING = "warning: "
WARN_LOST = 0.05
"""Share of a symbol's bars without a common time stamp from which on the notice is a warning."""


@dataclass(frozen=True, eq=False)
class Market:
    """K real series with the same T time stamps; make them with `load_market` or `Market.align`.

    Attributes:
        series: the K bars, in the order given.
        notices: what aligning them has cost, one line each; warnings begin with `warning:`.
    """

    series: tuple[Bars, ...]
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that symbols differ and time stamps agree."""
        if not self.series:
            raise DataError("a market of no series; give at least one")
        check_symbols(self.symbols)
        first = self.series[0].timestamps
        if not all(bars.timestamps.equals(first) for bars in self.series):
            raise DataError("the series of a market differ in their time stamps; use Market.align")

    @classmethod
    def align(cls, series: Sequence[Bars]) -> Market:
        """Series on their common time stamps.

        A time stamp that one of them lacks is left out of all. Where others go on trading, as at the weekend of a
        stock beside a cryptocurrency, their bars since the last common time stamp are merged into the next common one
        (first open, highest high, lowest low, last close, sums of volume and amount): no return is lost. Bars of a day
        or more are matched by their date.

        Args:
            series: K bars of one frequency.

        Raises:
            DataError: two of one name, of different frequencies, or with fewer than `MIN_COMMON` common time stamps.
        """
        if not series:
            raise DataError("a market of no series; give at least one")
        _check_given_once(series)
        check_symbols([bars.symbol for bars in series])
        _check_frequencies(series)
        notices = _notices(series)
        stamps, dated = _keys(series)
        if dated:
            notices.append("time stamps of a day or more differ in their hours: they were matched by date")
        common = stamps[0]
        for other in stamps[1:]:
            common = common.intersection(other)
        if len(common) < MIN_COMMON:
            raise DataError(_disjoint(series, len(common)))
        exchange = series[0].exchange if len({bars.exchange for bars in series}) == 1 else None
        aligned = []
        for bars, own in zip(series, stamps, strict=True):
            values, merged, outside = _merged(bars.values, own, common)
            aligned.append(replace(bars, timestamps=common, values=values, notices=(), exchange=exchange))
            if merged or outside:
                notices.append(_loss(bars, merged, outside))
        return cls(tuple(aligned), tuple(notices))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the K series."""
        return tuple(bars.symbol for bars in self.series)

    @property
    def timestamps(self) -> pd.DatetimeIndex:
        """(T,), common to all."""
        return self.series[0].timestamps

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """(K, T, F), read-only."""
        values = np.stack([bars.values for bars in self.series])
        values.setflags(write=False)
        return values

    @property
    def calendar(self) -> Calendar:
        """Rhythm of the common time stamps."""
        return self.series[0].calendar

    @property
    def periods_per_year(self) -> float:
        """Common bars in a year."""
        return self.calendar.periods_per_year

    @property
    def exchange(self) -> str | None:
        """Exchange whose holidays future time stamps leave out, where all name the same."""
        return self.series[0].exchange

    @property
    def source(self) -> str:
        """Where the series come from."""
        return ", ".join(dict.fromkeys(bars.source for bars in self.series))

    @property
    def symbol(self) -> str:
        """The market in a few words: its symbols."""
        shown = self.symbols if len(self.symbols) <= MAX_NAMED else (*self.symbols[: MAX_NAMED - 1], "...")
        return " ".join(shown)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the symbols and the digests of their bars."""
        digest = hashlib.sha256()
        for bars in self.series:
            digest.update(f"{bars.symbol}\0{bars.digest}\0".encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        """Number of common bars T."""
        return len(self.timestamps)

    def __iter__(self) -> Iterator[Bars]:
        """The series in order."""
        return iter(self.series)

    @overload
    def __getitem__(self, key: str) -> Bars: ...

    @overload
    def __getitem__(self, key: slice) -> Market: ...

    def __getitem__(self, key: str | slice) -> Bars | Market:
        """The bars of a symbol, or a market of consecutive bars `a:b`."""
        if isinstance(key, str):
            return self.bars(key)
        return self._each([bars[key] for bars in self.series])

    def bars(self, symbol: str) -> Bars:
        """The bars of one symbol."""
        if symbol not in self.symbols:
            raise DataError(f"symbol {symbol!r} is not in this market; it has {', '.join(self.symbols)}")
        return self.series[self.symbols.index(symbol)]

    def __repr__(self) -> str:
        """One line: how many symbols and common bars, from when to when."""
        span = f"{self.timestamps[0]} to {self.timestamps[-1]}" if len(self) else "empty"
        return f"Market({self.symbol}; {len(self.series)} symbols, {len(self):,} common bars, {span})"

    def up_to(self, origin: object) -> Market:
        """The bars stamped at or before `origin`."""
        return self._each([bars.up_to(origin) for bars in self.series])

    def after(self, origin: object) -> Market:
        """The bars stamped after `origin`."""
        return self._each([bars.after(origin) for bars in self.series])

    def on_exchange(self, name: str) -> Market:
        """The same market, whose future time stamps leave out the holidays of an exchange."""
        return self._each([bars.on_exchange(name) for bars in self.series])

    def of_year(self, days: float) -> Market:
        """The same market in a year of so many trading days."""
        return self._each([bars.of_year(days) for bars in self.series])

    def _each(self, series: Sequence[Bars]) -> Market:
        return Market(tuple(series), self.notices)


MAX_NAMED = 8
"""Symbols that are named before the rest is cut off."""


def check_symbols(symbols: Sequence[str]) -> None:
    """Refuse two series of one name."""
    for position, symbol in enumerate(symbols):
        if symbol in symbols[:position]:
            raise DataError(f"two series are called {symbol!r}; rename one of their files, or choose by path#SYMBOL")


def _check_given_once(series: Sequence[Bars]) -> None:
    """Refuse the same bars of the same name twice."""
    known: set[tuple[str, str]] = set()
    for bars in series:
        if (bars.symbol, bars.digest) in known:
            raise DataError(f"{bars.symbol!r} is given twice; leave one of the two out")
        known.add((bars.symbol, bars.digest))


def _notices(series: Sequence[Bars]) -> list[str]:
    """What was noticed while loading, each with its symbol, or once where it is the same for all."""
    every = list(dict.fromkeys(notice for bars in series for notice in bars.notices))
    said = []
    for notice in every:
        whose = [bars.symbol for bars in series if notice in bars.notices]
        if len(whose) == len(series):
            said.append(notice)
        else:
            text = notice.removeprefix(WARNING)
            said.extend(f"{WARNING if text != notice else ''}{symbol}: {text}" for symbol in whose)
    return said


def _check_frequencies(series: Sequence[Bars]) -> None:
    """Refuse series of different frequencies."""
    steps = {bars.symbol: common_step(bars.timestamps) for bars in series}
    first, *others = series
    for bars in others:
        if steps[bars.symbol] != steps[first.symbol]:
            raise DataError(
                f"{first.symbol} has bars of {human(steps[first.symbol])}, {bars.symbol} of "
                f"{human(steps[bars.symbol])}; give all symbols at one frequency"
            )


def _keys(series: Sequence[Bars]) -> tuple[list[pd.DatetimeIndex], bool]:
    """What the bars are matched by, and whether it is the date instead of the time stamp."""
    stamps = [bars.timestamps for bars in series]
    if common_step(stamps[0]) < DAY:
        return stamps, False
    dates = [own.normalize() for own in stamps]
    hours = {hour for own in stamps for hour in np.unique(own.asi8 % DAY).tolist()}
    once = all(own.is_unique for own in dates)
    return (dates, True) if once and len(hours) > 1 else (stamps, False)


def _merged(
    values: NDArray[np.float64], own: pd.DatetimeIndex, common: pd.DatetimeIndex
) -> tuple[NDArray[np.float64], int, int]:
    """Bars (T', F) merged into those of the common time stamps (T,).

    Returns:
        (T, F), the number of bars merged into a later one, and the number outside the common span.
    """
    ends = own.searchsorted(common)  # position of the bar that ends each merged one
    starts = np.concatenate([ends[:1], ends[:-1] + 1])
    merged = np.empty((len(common), len(FIELDS)))
    merged[:, 0], merged[:, 3] = values[starts, 0], values[ends, 3]
    within = values[ends[0] : ends[-1] + 1]
    cuts = starts - ends[0]
    merged[:, 1], merged[:, 2] = np.maximum.reduceat(within[:, 1], cuts), np.minimum.reduceat(within[:, 2], cuts)
    merged[:, 4:] = np.add.reduceat(within[:, 4:], cuts, axis=0)
    return merged, len(within) - len(common), len(values) - len(within)


def _loss(bars: Bars, merged: int, outside: int) -> str:
    """What aligning has cost a symbol."""
    said = []
    if outside:
        said.append(f"{outside:,} bars before or after the common span are left out")
    if merged:
        said.append(f"{merged:,} bars at times that others lack are merged into the next common bar")
    line = f"{bars.symbol}: of {len(bars):,} bars, {' and '.join(said)}"
    return WARNING + line if merged > WARN_LOST * len(bars) else line


def _disjoint(series: Sequence[Bars], common: int) -> str:
    """Why the series have no market in common."""
    latest, earliest = max(series, key=lambda b: b.timestamps[0]), min(series, key=lambda b: b.timestamps[-1])
    if latest.timestamps[0] > earliest.timestamps[-1]:
        return (
            f"{earliest.symbol} ends {earliest.timestamps[-1]}, before {latest.symbol} begins "
            f"{latest.timestamps[0]}: they have no bar in common; leave one of them out"
        )
    return (
        f"the {len(series)} series have {common} time stamps in common; give series stamped at the same times "
        "(hours of different time zones or sessions do not match)"
    )
