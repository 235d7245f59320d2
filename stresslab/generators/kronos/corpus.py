"""Training data: many real series, cut by date and by symbol, handed out as random windows of features and stamps.

Neither tokens nor models are known here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.data.bars import Bars
from stresslab.errors import InputError
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.stamps import stamps

WARM_UP = 200
"""Bars before a window that a representation may use; two of the longest half-lives of `Returns`."""


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
                "give longer series or a shorter --context"
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
        every: each `every`-th symbol is held out, as `spared_symbols` tells.
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
