"""A strategy tried on real bars: what it decides on them, and whether other decisions are the same within rounding.

`perturbations` changes the bars; `check` and `detect_style` say what a difference means.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.randomness import Stream, numpy_generator
from stresslab.data.bars import Bars
from stresslab.data.universes import REAL, Universes, universes_after
from stresslab.strategy import Strategy
from stresslab.strategy.lookahead.perturbations import mirrored
from stresslab.strategy.market_panel import MarketPanel
from stresslab.strategy.panel import Decisions, Panel

TOLERANCE = 1e-9
"""By which weights may differ, absolute and relative."""
JITTER = 1e-12
"""Relative change of the prices, a thousand times float64's rounding, that reveals a tie."""
SHAKES = 24
"""Such changes: a tie, which each turns over with probability 1/2, is overlooked in 1 of 16 million."""
Columns = dict[str, NDArray[Any]]
_ALOUD = {
    "long_entries": "the entry",
    "long_exits": "the exit",
    "short_entries": "the short entry",
    "short_exits": "the short exit",
    "weights": "the weight",
    "units": "the number of units",
}


@dataclass(frozen=True, eq=False)
class DecisionProbe:
    """A strategy on real bars, what it decides on all of them, and how firm each decision is."""

    strategy: Strategy
    bars: Bars
    panel: Panel | MarketPanel
    full: Decisions
    seed: int = 0

    @classmethod
    def of(cls, strategy: Strategy, bars: Bars, seed: int = 0) -> DecisionProbe:
        """The strategy tried on the real bars alone."""
        panel = strategy.panel(Universes.from_bars(bars, bars[:0]), 0)
        return cls(strategy, bars, panel, strategy.decide(panel, allow_silence=strategy.kind == "on_bar"), seed)

    def decide(self, values: NDArray[np.float64]) -> Decisions:
        """On N series side by side, values (N, T, F), at the real bars' time stamps."""
        ids = np.arange(REAL, REAL + len(values), dtype=np.int64)
        universes = universes_after(self.bars[:0], values, self.bars.timestamps, ids)
        return self.strategy.decide(self.strategy.panel(universes, 0), allow_silence=True)

    @functools.cached_property
    def values(self) -> NDArray[np.float64]:
        """What the strategy sees of the real bars: (T, F), or (K, T, F) of a market."""
        return np.asarray(Universes.from_bars(self.bars, self.bars[:0]).payload[0])

    @functools.cached_property
    def slack(self) -> dict[str, NDArray[np.float64]]:
        """(T,) by decision: how far each moves when prices change by `JITTER`; infinite where it comes and goes."""
        rng, real = numpy_generator(self.seed, Stream.LOOKAHEAD_JITTER), column(self.full, 0)
        most = {name: np.zeros(len(array)) for name, array in real.items()}
        for _ in range(SHAKES):
            shaken = self.values * (1 + JITTER * rng.uniform(-1, 1, (len(self.bars), 1)))
            for name, array in column(self.decide(shaken[None]), 0).items():
                most[name] = np.maximum(most[name], _distance(real[name], array))
        return most

    def difference(self, mine: Columns, theirs: Columns) -> tuple[int, str] | None:
        """Like `first_difference`, but leaves out what rounding can turn over."""
        first = first_difference(mine, theirs)
        return first and first_difference(mine, theirs, self.slack)

    def beside_another(self) -> list[str]:
        """Whether decisions change when a second universe, the first one's mirror image, stands beside it."""
        both = self.decide(np.stack([self.values, mirrored(self.values)]))
        difference = self.difference(column(self.full, 0), column(both, 0))
        return [f"{where(self, *difference)} depends on the other universes"] if difference else []


def first_difference(
    mine: Columns, theirs: Columns, slack: Mapping[str, NDArray[np.float64]] | None = None
) -> tuple[int, str] | None:
    """Row and name of the first decision of `mine` that `theirs`, maybe shorter, does not repeat."""
    if mine.keys() != theirs.keys():
        return 0, ""
    first = []
    for name, array in theirs.items():
        bound = TOLERANCE * (1 + np.abs(np.nan_to_num(array.astype(float))))  # (rows,)
        if slack is not None:
            bound = bound + 10 * slack[name][: len(array)]
        apart = _distance(mine[name][: len(array)], array) > bound
        first += [(int(apart.argmax()), name)] if apart.any() else []
    return min(first, key=lambda one: one[0]) if first else None


def column(decisions: Decisions, universe: int) -> Columns:
    """(T,) by decision, of one universe; of a market by decision and symbol."""
    if decisions.symbols:
        first = universe * decisions.width
        return {
            f"{name} of {symbol}": array[:, first + at]
            for name, array in decisions.arrays().items()
            for at, symbol in enumerate(decisions.symbols)
        }
    return {name: array[:, universe] for name, array in decisions.arrays().items()}


def _distance(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Absolute difference; 0 where both are NaN, infinite where one is."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    apart = np.abs(first - second)
    lone = np.isnan(first) != np.isnan(second)
    return np.where(lone, np.inf, np.where(np.isnan(apart), 0.0, apart))


def where(case: DecisionProbe, row: int, name: str) -> str:
    """A decision in words: when and which."""
    what, of, symbol = name.partition(" of ")
    return f"at {stamp(case.bars.timestamps, row)} {_ALOUD.get(what, 'the answer')}{of}{symbol}"


def stamp(timestamps: pd.DatetimeIndex, row: int) -> str:
    """A row's date, with the time of day where bars have one."""
    return str(timestamps[row].date() if (timestamps == timestamps.normalize()).all() else timestamps[row])
