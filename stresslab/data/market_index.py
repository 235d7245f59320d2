"""The equal-weight index of a market as one series, which carries the market that it is of.

Where one series is wanted (a fan of closes, buy and hold, a calendar), a market is its index; who knows of symbols
looks inside. Shapes: K symbols, N universes, T bars, F fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.data.bars import FIELDS, Bars
from stresslab.data.calendar import Calendar
from stresslab.data.joint_universes import JointUniverses
from stresslab.data.market import Market
from stresslab.data.universes import REAL, Universes, universe_of, universes_after

START = 100.0
"""The index before its first bar."""
PRICES, CLOSE, VOLUME, AMOUNT = slice(0, 4), FIELDS.index("close"), FIELDS.index("volume"), FIELDS.index("amount")


@dataclass(frozen=True, eq=False, repr=False)
class IndexBars(Bars):
    """The equal-weight index, rebalanced at every close, of the real market that it carries.

    A bar's open, high, low and close are the means over symbols of theirs, each over its own last close: the high is
    what the index would reach if all symbols had theirs at once. Its amount is the sum of amounts.
    """

    market: Market = field(kw_only=True)

    @classmethod
    def of(cls, market: Market) -> IndexBars:
        """The index of a market."""
        last = market.values[:, :1, 0]  # the first bar is taken from its open
        values = index_values(market.values[None], last[None], START)[0]
        return cls(
            market.timestamps, values, market.symbol, market.source, market.notices, sum(b.repaired for b in market),
            market.exchange, market.series[0].days_per_year, market=market,
        )  # fmt: skip

    def __getitem__(self, part: slice) -> Bars:
        """Consecutive bars `a:b` of index and market."""
        return super()._with(timestamps=self.timestamps[part], values=self.values[part], market=self.market[part])

    def on_exchange(self, name: str) -> Bars:
        """See `Bars.on_exchange`."""
        return super()._with(exchange=self.calendar.on_exchange(name).exchange, market=self.market.on_exchange(name))

    def of_year(self, days: float) -> Bars:
        """See `Bars.of_year`."""
        return super()._with(days_per_year=float(days), market=self.market.of_year(days))

    @cached_property
    def calendar(self) -> Calendar:
        """The market's."""
        return self.market.calendar

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor."""
        given = (self.timestamps, self.values, self.symbol, self.source, self.notices, self.repaired, self.exchange)
        return _again, (*given, self.days_per_year, self.market)

    @property
    def digest(self) -> str:
        """The market's: the index follows from it."""
        return self.market.digest


def _again(*given: Any) -> IndexBars:
    return IndexBars(*given[:-1], market=given[-1])


@dataclass(frozen=True, eq=False, repr=False)
class IndexUniverses(Universes):
    """Continuations of an index, with those of its market: `symbols` are the joint values (N, K, T, F)."""

    symbols: NDArray[Any] = field(kw_only=True)

    @classmethod
    def of(cls, symbols: NDArray[Any], timestamps: pd.DatetimeIndex, history: IndexBars, ids: NDArray[np.int64],
           facts: Any = None) -> IndexUniverses:  # fmt: skip
        """The index of joint values (N, K, T, F) that follow a history."""
        market = history.market
        if len(market):
            last, start = market.values[None, :, -1:, CLOSE], float(history.values[-1, CLOSE])
        else:
            last, start = symbols[:, :, :1, 0], START
        symbols.setflags(write=False)
        values = index_values(symbols, last, start).astype(symbols.dtype)
        return cls(values, timestamps, history, ids, facts or {}, symbols=symbols)

    @property
    def joint(self) -> JointUniverses:
        """The universes of the market."""
        return JointUniverses(self.symbols, self.timestamps, self.market, self.ids, self.facts)

    @property
    def market(self) -> Market:
        """The real market up to the origin."""
        assert isinstance(self.history, IndexBars)
        return self.history.market

    @property
    def payload(self) -> NDArray[Any]:
        """See `Universes.payload`."""
        return self.symbols

    def save_shard(self, path: Path) -> None:
        """Write the universes of all symbols, of which the index follows."""
        self.joint.save_shard(path)

    def each(self, function: Callable[[Universes, int], Universes]) -> IndexUniverses:
        """The joint universes whose symbols, by their universes and position, were changed by a function."""
        joint = self.joint
        parts = [function(joint[symbol], at) for at, symbol in enumerate(joint.symbols)]
        symbols = np.stack([part.values for part in parts], axis=1)
        assert isinstance(self.history, IndexBars)
        return IndexUniverses.of(symbols, self.timestamps, self.history, self.ids, self.facts)

    def take(self, positions: Sequence[int] | NDArray[np.integer] | slice) -> IndexUniverses:
        """The universes at these positions."""
        return IndexUniverses(
            self.values[positions], self.timestamps, self.history, self.ids[positions], self.facts,
            symbols=self.symbols[positions],
        )  # fmt: skip


def index_values(symbols: NDArray[Any], last: NDArray[Any], start: float) -> NDArray[np.float64]:
    """Bars (N, T, F) of the equal-weight index.

    Args:
        symbols: (N, K, T, F) bars.
        last: (N or 1, K, 1) close of each symbol before them.
        start: the index before them.
    """
    values = symbols.astype(np.float64)
    before = np.concatenate([np.broadcast_to(last, (*values.shape[:2], 1)), values[:, :, :-1, CLOSE]], axis=2)
    relative = (values[..., PRICES] / before[..., None]).mean(axis=1)  # (N, T, 4)
    closes = start * relative[..., CLOSE].cumprod(axis=1)
    opening = np.concatenate([np.full((len(values), 1), start), closes[:, :-1]], axis=1)
    made = np.empty((*closes.shape, len(FIELDS)))
    made[..., PRICES] = opening[..., None] * relative
    made[..., CLOSE] = closes
    made[..., 1] = made[..., PRICES].max(axis=-1)
    made[..., 2] = made[..., PRICES].min(axis=-1)
    made[..., AMOUNT] = values[..., AMOUNT].sum(axis=1)
    made[..., VOLUME] = made[..., AMOUNT] / closes
    return made


@universe_of.register
def _(future: IndexBars, history: IndexBars) -> Universes:
    return IndexUniverses.of(future.market.values[None], future.timestamps, history, np.array([REAL], dtype=np.int64))


@universes_after.register
def _(history: IndexBars, payload: NDArray[Any], timestamps: pd.DatetimeIndex, ids: NDArray[np.int64],
      facts: Any = None) -> Universes:  # fmt: skip
    return IndexUniverses.of(payload, timestamps, history, ids, facts)


def as_given(joint: JointUniverses, bars: Market | IndexBars) -> JointUniverses | IndexUniverses:
    """Joint universes as what was sampled: of a market themselves, of an index the index's."""
    if isinstance(bars, Market):
        return joint
    return IndexUniverses.of(joint.values, joint.timestamps, bars, joint.ids, joint.facts)


def symbols_of(bars: Bars) -> tuple[str, ...]:
    """Names of the symbols that bars stand for: those of an index's market, else their own."""
    return bars.market.symbols if isinstance(bars, IndexBars) else (bars.symbol,)
