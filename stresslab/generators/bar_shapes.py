"""Real bars as shapes relative to the close before them, and shapes laid end to end as universes of whole bars.

A shape holds everything of its bar together: open gap, high, low, close, volume and amount. The resampling
generators choose which shapes follow one another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError
from stresslab.core.parallel import chunks, map_chunks
from stresslab.data.bars import CLOSE, FIELDS, HIGH, LOW, Bars
from stresslab.data.universes import Universes
from stresslab.generators.base import Progress, check_horizon, universe_ids

_CHUNK = 500
_MAX_LOG = 50.0
"""Prices are held within e^-50 and e^50 of the last real close, far beyond any market, so that they stay numbers."""
_MONTHS = 12
_MIN_LEVEL_BARS = 20


@dataclass(frozen=True, eq=False)
class Shapes:
    """The M bars of a history after its first, each relative to what went before it.

    Attributes:
        prices: (M, 4) log of open, high, low and close over the previous close.
        volume: (M,) volume over its level, the mean of the month of bars before it.
        premium: (M,) amount over volume times the bar's mean price.
        close: the last real close.
        level: the volume level after the last bar.
    """

    prices: FloatArray
    volume: FloatArray
    premium: FloatArray
    close: float
    level: float

    @classmethod
    def of(cls, bars: Bars) -> Shapes:
        """The shapes of real bars.

        The volume level is the trailing mean over a month of bars, at least 20 and at most a quarter of the history:
        volumes grow over the years, and a resampled day keeps how busy it was for its time.
        """
        logs = np.log(bars.values[:, : CLOSE + 1])  # (M + 1, 4)
        volume, amount = bars.values[:, 4], bars.values[:, 5]
        month = round(bars.periods_per_year / _MONTHS)
        level = _trailing_mean(volume, min(max(month, _MIN_LEVEL_BARS), max(len(bars) // 4, 1)))  # (M + 2,)
        worth = volume * bars.values[:, : CLOSE + 1].mean(axis=1)
        return cls(
            prices=logs[1:] - logs[:-1, CLOSE:],
            volume=_ratio(volume, level[:-1], missing=0.0)[1:],
            premium=_ratio(amount, worth, missing=1.0)[1:],
            close=float(bars.values[-1, CLOSE]),
            level=float(level[-1]),
        )

    @property
    def returns(self) -> FloatArray:
        """Log returns from close to close (M,)."""
        return self.prices[:, CLOSE]

    def __len__(self) -> int:
        """Number of shapes M."""
        return len(self.prices)

    def assemble(
        self, prices: FloatArray, sources: NDArray[np.int64], closes: FloatArray | None = None
    ) -> tuple[NDArray[np.float32], int]:
        """Lay shapes end to end after the last real close, or after a close of each universe's own.

        Args:
            prices: (n, T, 4) log prices relative to the previous close.
            sources: (n, T) position of the shape that each bar's volume and amount come from.
            closes: (n,) before the first bar; the last real one when None.

        Returns:
            (n, T, F) bars, and how many of them had a price beyond the bounds and were held there.
        """
        logs = log_paths(prices)  # (n, T, 4)
        if closes is not None:
            logs += np.log(closes / self.close)[:, None, None]
        held = int(np.any(np.abs(logs) > _MAX_LOG, axis=2).sum())
        values = np.empty((*logs.shape[:2], len(FIELDS)))  # (n, T, F)
        values[:, :, : CLOSE + 1] = self.close * np.exp(np.clip(logs, -_MAX_LOG, _MAX_LOG))
        values[:, :, 4] = self.level * self.volume[sources]
        values[:, :, 5] = values[:, :, 4] * values[:, :, : CLOSE + 1].mean(axis=2) * self.premium[sources]
        bars = values.astype(np.float32)
        enclose(bars)
        return bars, held


def log_paths(shapes: FloatArray) -> FloatArray:
    """Log prices over the last real close (n, T, 4) of shapes (n, T, 4), log prices over the close before each bar."""
    closes = np.cumsum(shapes[:, :, CLOSE], axis=1)  # (n, T)
    before = np.concatenate([np.zeros((len(closes), 1)), closes[:, :-1]], axis=1)
    return np.asarray(before[:, :, None] + shapes)


def enclose(bars: NDArray[np.floating]) -> None:
    """Set the high of bars (..., F) to their highest price and the low to their lowest, in place.

    Exponentials of equal logs may differ in the last bit, so a high can lie just below its own close.
    """
    highest, lowest = bars[..., : CLOSE + 1].max(axis=-1), bars[..., : CLOSE + 1].min(axis=-1)
    bars[..., HIGH], bars[..., LOW] = highest, lowest


def _trailing_mean(volume: FloatArray, window: int) -> FloatArray:
    """Mean of the `window` numbers before each position and before the end (M + 2,); the first are given the next."""
    sums = np.concatenate([[0.0], np.cumsum(volume)])
    means = np.empty(len(volume) + 1)
    means[window:] = (sums[window:] - sums[:-window]) / window
    means[:window] = means[window]
    return np.maximum(means, 0.0)


def _ratio(numerator: FloatArray, denominator: FloatArray, missing: float) -> FloatArray:
    """Numerator / denominator, `missing` where the denominator is zero."""
    nothing = denominator <= 0
    return np.where(nothing, missing, numerator / np.where(nothing, 1.0, denominator))


def recent(bars: Bars, context: int | None, least: int, who: str) -> Bars:
    """The last `context` bars, or all; refused below `least`."""
    seen = bars if context is None else bars[max(len(bars) - context, 0) :]
    if len(seen) < least:
        raise DataError(f"{len(seen)} bars are too few for the {who} generator, which needs {least}; give more history")
    closes = seen.values[:, CLOSE]
    if np.all(closes == closes[0]):
        raise DataError(f"{len(seen)} bars with the one close {closes[0]:g} hold nothing to resample; give other data")
    return seen


def sample_universes(
    bars: Bars,
    make: Callable[[NDArray[np.int64]], tuple[NDArray[np.float32], int]],
    facts: Mapping[str, Any],
    *,
    horizon: int,
    universes: int,
    ids: Sequence[int] | None,
    jobs: int,
    progress: Progress | None,
) -> Universes:
    """Draw, assemble and collect universes, chunk by chunk; a universe depends on its id alone.

    Args:
        bars: the history that the universes continue.
        make: the bars (n, T, F) of universes by their ids, and how many of them were repaired.
        facts: what to say about the universes; the number of repaired bars is added.
        horizon: bars to generate.
        universes: number of universes of the run.
        ids: only these.
        jobs: threads.
        progress: called with the number of universes newly finished.
    """
    horizon, chosen = check_horizon(horizon), universe_ids(universes, ids)
    pieces = chunks(chosen, _CHUNK)
    values = np.empty((len(chosen), horizon, len(FIELDS)), dtype=np.float32)
    held = 0
    finished = map_chunks(make, pieces, jobs=jobs, threads=True)
    for position, (part, held_in_part) in finished:
        values[position * _CHUNK : position * _CHUNK + len(part)] = part
        held += held_in_part
        if progress is not None:
            progress(len(part))
    timestamps = bars.calendar.future(bars.timestamps, horizon)
    return Universes(values, timestamps, bars, chosen, {**facts, "repaired_bars": held})


def closes_before(universes: Universes, at: int) -> FloatArray:
    """The close before bar `at` of each universe (N,)."""
    if at == 0:
        return np.full(len(universes), universes.history.values[-1, CLOSE])
    return universes.values[:, at - 1, CLOSE].astype(np.float64)


def past_returns(universes: Universes, at: int, inserted: FloatArray, count: int) -> FloatArray:
    """The last log returns of each universe when `inserted` (N, L, F) stands from bar `at` on, (N, at most `count`).

    Real bars come before those of the universe, where these are too few.
    """
    real = np.log(universes.history.values[-count - 1 :, CLOSE])
    own = np.log(universes.values[:, :at, CLOSE].astype(np.float64))
    logs = [np.broadcast_to(real, (len(own), len(real))), own, np.log(inserted[:, :, CLOSE])]
    return np.diff(np.concatenate(logs, axis=1)[:, -count - 1 :], axis=1)


def continue_universes(
    universes: Universes,
    at: int,
    inserted: FloatArray,
    make: Callable[[slice], tuple[NDArray[np.float32], int]],
    *,
    jobs: int,
    progress: Progress | None,
) -> Universes:
    """Universes with `inserted` from bar `at` on and what is made to follow, chunk by chunk.

    Args:
        universes: the base case (N, T, F).
        at: position of the first inserted bar.
        inserted: (N, L, F).
        make: the bars after the inserted ones, (n, T - at - L, F), of universes by their positions, and how many of
            them were repaired.
        jobs: threads.
        progress: called with the number of universes newly finished.
    """
    end, values = at + inserted.shape[1], np.array(universes.values)
    values[:, at:end] = inserted
    pieces = chunks(np.arange(len(universes)), _CHUNK)
    held = 0

    def follow(rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], int]:
        return make(slice(int(rows[0]), int(rows[-1]) + 1))

    for position, (part, held_in_part) in map_chunks(follow, pieces, jobs=jobs, threads=True):
        values[pieces[position], end:] = part
        held += held_in_part
        if progress is not None:
            progress(len(part))
    facts = {**universes.facts, "inserted": {"at": at, "bars": inserted.shape[1]}, "repaired_bars": held}
    return Universes(values, universes.timestamps, universes.history, universes.ids, facts)
