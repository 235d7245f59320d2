"""Training data: real series, cut where they are interrupted, by date and by symbol, handed out as random windows.

Neither tokens nor models are known here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import InputError
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.calendar import WEEK
from stresslab.data.parsing.plausibility import SPLIT_TOLERANCE, SPLITS
from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.representation import Representation

WARM_UP = 200
"""Bars before a window that a representation may use; two of the longest half-lives of `Returns`."""
MISSING = 10
"""Steps of the calendar by which a gap may exceed the longest that its weekly pattern has."""
HOLIDAYS = pd.Timedelta(days=10)
"""Allowance beyond that for markets that close at all: Chinese exchanges rest about so long at the Lunar New Year."""
JUMP = 2.0
"""Ratio of open or close to the previous close, or its inverse, beyond which a bar does not continue the series.

Moves this large are mostly faults of the data; those that were real are not learned from either, which is counted.
"""
STILL = 20
"""Bars in a row that may stand at one price; a longer stretch is no trading and is left out."""


@dataclass(frozen=True)
class Batch:
    """Windows of consecutive bars.

    Attributes:
        features: (B, L, width) float32.
        stamps: (B, L, 5) int64.
        series: (B,) index of the series that each window comes from.
    """

    features: NDArray[np.float32]
    stamps: NDArray[np.int64]
    series: NDArray[np.int64]


@dataclass(frozen=True)
class Corpus:
    """Series to draw windows from; a series shorter than a window is never drawn.

    Attributes:
        series: the bars.
        representation: turns bars into features.
        length: bars per window L.
    """

    series: Sequence[Bars]
    representation: Representation
    length: int

    def __post_init__(self) -> None:
        """Refuse a corpus that holds no window."""
        if not self.starts.any():
            longest = max((len(bars) for bars in self.series), default=0)
            raise InputError(
                f"no series has the {self.length} bars of one training window (the longest has {longest}); "
                "give longer series or a shorter `context`"
            )

    @property
    def starts(self) -> NDArray[np.int64]:
        """Number of windows in each series."""
        return np.array([max(0, len(bars) - self.length + 1) for bars in self.series])

    @property
    def bars(self) -> int:
        """Number of bars in all series."""
        return sum(len(bars) for bars in self.series)

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """`size` windows, every window of the corpus equally likely."""
        starts = self.starts
        chosen = rng.choice(len(starts), size=size, p=starts / starts.sum())
        return self.windows([(int(which), int(rng.integers(starts[which]))) for which in chosen])

    def spread(self, per_series: int) -> Batch:
        """The same windows at every call: up to `per_series` of each series, evenly spaced and not overlapping."""
        places = []
        for which, count in enumerate(self.starts):
            possible = -(-count // self.length)
            for start in np.linspace(0, count - 1, min(per_series, possible)) if count else ():
                places.append((which, int(start)))
        return self.windows(places)

    def windows(self, places: Sequence[tuple[int, int]]) -> Batch:
        """The windows at these (series, first bar)."""
        features, marks = [], []
        for which, start in places:
            bars, stop = self.series[which], start + self.length
            features.append(
                self.representation.training_features(bars.values[max(0, start - WARM_UP) : stop], self.length)
            )
            marks.append(stamps(bars.timestamps[start:stop]))
        return Batch(np.stack(features), np.stack(marks), np.array([which for which, _ in places]))


def interruptions(bars: Bars) -> dict[str, NDArray[np.bool_]]:
    """Where a series is not one continuous market, in the manner of Shi et al. 2025 (arXiv 2508.02739, data cleaning).

    Returns:
        Three masks (T,). "gap": more time than `MISSING` steps has passed since the previous bar beyond the longest
        break of the week and, where the market closes, `HOLIDAYS`. "jump": open or close is more than `JUMP` times the
        previous close, or less than its inverse, or both stand at a share split's ratio to it, as in prices that were
        not adjusted. "still": one of more than `STILL` bars in a row, all of whose prices equal the close before.
    """
    gap, jump, still = (np.zeros(len(bars), dtype=bool) for _ in range(3))
    if len(bars) > 1:
        calendar = bars.calendar
        step = calendar.frequency.as_unit("ns").value
        longest = max(step, *np.diff(calendar.slots, append=calendar.slots[0] + WEEK)) if calendar.slots else step
        closes = calendar.pattern in ("weekdays", "sessions")
        allowed = longest + MISSING * step + (HOLIDAYS.as_unit("ns").value if closes else 0)
        gap[1:] = np.diff(bars.timestamps.asi8) > allowed
        prices = bars.values[:, : CLOSE + 1]  # (T, 4)
        jump[1:] = _jumps(np.log(prices))
        alike = np.r_[False, (prices[1:] == prices[:-1, -1:]).all(axis=1)]
        starts = np.flatnonzero(np.diff(alike, prepend=False, append=False))  # begin and end of every stretch in turn
        for first, stop in starts.reshape(-1, 2):
            still[first:stop] = stop - first > STILL
    return {"gap": gap, "jump": jump, "still": still}


def segments(bars: Bars) -> list[Bars]:
    """The continuous pieces of a series: cut before every gap and jump, without the stretches that stand still."""
    found = interruptions(bars)
    kept = ~found["still"]
    begins = kept & (found["gap"] | found["jump"] | ~np.r_[False, kept[:-1]])
    ends = kept & np.r_[begins[1:] | ~kept[1:], True]
    bounds = zip(np.flatnonzero(begins).tolist(), np.flatnonzero(ends).tolist(), strict=True)
    return [bars[first : last + 1] for first, last in bounds]


def count_interruptions(series: Sequence[Bars]) -> dict[str, int]:
    """Number of gaps, of jumps, and of bars that stand still, in all series together."""
    found = [interruptions(bars) for bars in series]
    names = {"gap": "gaps", "jump": "jumps", "still": "still_bars"}
    return {label: sum(int(masks[name].sum()) for masks in found) for name, label in names.items()}


def _jumps(logs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask (T - 1,) of the bars after the first that jump; `logs` (T, 4) are log prices."""
    gaps, moves = logs[1:, 0] - logs[:-1, 3], logs[1:, 3] - logs[:-1, 3]
    far = np.maximum(abs(gaps), abs(moves)) > np.log(JUMP)
    ratios = np.log(np.array(SPLITS))
    near = np.zeros(len(gaps), dtype=bool)
    for row in np.flatnonzero((np.minimum(abs(gaps), abs(moves)) > ratios[0] - SPLIT_TOLERANCE) & (gaps * moves > 0)):
        misses = np.maximum(abs(ratios - abs(gaps[row])), abs(ratios - abs(moves[row])))
        near[row] = misses.min() < SPLIT_TOLERANCE
    return far | near


def spared_symbols(series: Sequence[Bars], every: int = 10) -> list[str]:
    """Each `every`-th symbol in the order of their names: those that are held out, with all their series."""
    return sorted({bars.symbol for bars in series})[every - 1 :: every]


def split(
    series: Sequence[Bars],
    cut: pd.Timestamp,
    context: int,
    every: int = 10,
    *,
    spared: Collection[str] | None = None,
) -> tuple[list[Bars], list[Bars]]:
    """Training bars and held-out bars: other symbols and later dates both.

    Args:
        series: all series; with fewer than `every` symbols none can be spared, and all are held out by date alone.
        cut: training uses bars before this date, validation scores those from it on.
        context: bars before the cut that a held-out series keeps, so that they can be seen but not scored.
        every: each `every`-th symbol is held out, as `spared_symbols` lists them.
        spared: the symbols to hold out instead, where they are chosen among more series than these.

    Returns:
        Bars before the cut of the training symbols; of the held-out symbols those from the cut on, and their context.
    """
    spared = spared_symbols(series, every) if spared is None else spared
    training, held_out = [], []
    for bars in sorted(series, key=lambda bars: bars.symbol):
        at = int(bars.timestamps.searchsorted(cut))
        if bars.symbol in spared or not spared:
            held_out.append(bars[max(0, at - context) :])
        if bars.symbol not in spared:
            training.append(bars[:at])
    return [bars for bars in training if len(bars)], [bars for bars in held_out if len(bars)]
