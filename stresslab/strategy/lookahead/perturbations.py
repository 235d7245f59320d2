"""Other bars in the place of real ones: bars that never were, to see whether a decision depends on them.

They are made to differ from what happened, not to be likely; generators make likely futures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.randomness import Stream, numpy_generator
from stresslab.data.bars import CLOSE, FIELDS, HIGH, LOW, OPEN

PRICES = [OPEN, HIGH, LOW, CLOSE]
_TRADED = [FIELDS.index(name) for name in ("volume", "amount")]
_LEVEL = float(np.log(4.0))
_SPAN = 3.0
"""Logarithm of the factor within which opposite futures stay."""
_DECAY = 0.02
_BEND = 100
"""Bars after which a future has gone most of the way to its level."""


def other_futures(values: NDArray[np.float64], cuts: list[int], seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """For each cut the series (T, F) with two other futures; of a market (K, T, F) of all symbols at once."""
    if values.ndim == 2:
        yield from _other_futures(values, cuts, seed)
    else:
        yield from (np.stack(each) for each in zip(*(_other_futures(own, cuts, seed) for own in values), strict=True))


def continuations(values: NDArray[np.float64], horizon: int, seed: int = 0) -> NDArray[np.float64]:
    """Two series (2, H, F) that may follow values (T, F); (2, K, H, F) that may follow a market (K, T, F)."""
    if values.ndim == 2:
        return _continuations(values, horizon, seed)
    return np.stack([_continuations(own, horizon, seed) for own in values], axis=1)


def opposites(values: NDArray[np.float64], cuts: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each cut the series with the opposite of what followed (C, T, F); of a market (C, K, T, F)."""
    if values.ndim == 2:
        return _opposites(values, cuts)
    return np.stack([_opposites(own, cuts) for own in values], axis=1)


def calms(values: NDArray[np.float64], cuts: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each cut the series after which next to nothing follows (C, T, F); of a market (C, K, T, F)."""
    if values.ndim == 2:
        return _calms(values, cuts)
    return np.stack([_calms(own, cuts) for own in values], axis=1)


def mirrored(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The series (T, F) upside down about its first open; of a market (K, T, F) each."""
    return _mirrored(values) if values.ndim == 2 else np.stack([_mirrored(own) for own in values])


def _other_futures(values: NDArray[np.float64], cuts: list[int], seed: int) -> Iterator[NDArray[np.float64]]:
    """For each cut the series (T, F) with two other futures: its opposite, three times as large, and a calm one."""
    rng, moves = numpy_generator(seed, Stream.LOOKAHEAD_FUTURES), _moves(values)
    trend = np.log(values[-1, CLOSE] / values[:, CLOSE])
    traded = values[:, _TRADED]
    reversed_ranks = np.sort(traded, axis=0)[::-1][traded.argsort(axis=0).argsort(axis=0), [0, 1]]
    for cut in cuts:
        level, drawn = np.copysign(_LEVEL, trend[cut - 1]), rng.integers(len(values), size=len(values) - cut)
        for prices, amounts in (
            (_path(-3.0 * moves[cut:], -level), 3.0 * reversed_ranks[cut:]),
            (_path(0.5 * moves[drawn], level), traded[drawn] / 3.0),
        ):
            future = values.copy()
            future[cut:, PRICES] = values[cut - 1, CLOSE] * prices
            future[cut:, _TRADED] = amounts
            yield future


def _opposites(values: NDArray[np.float64], cuts: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each cut the series with the opposite of what followed, three times as large, (K, T, F).

    Cheaper than `other_futures`, so that there may be one for every bar; far ahead prices are bent back to within a
    factor of 20 of the cut's close.
    """
    reversed_ranks = np.sort(values[:, _TRADED], axis=0)[::-1][
        values[:, _TRADED].argsort(axis=0).argsort(axis=0), [0, 1]
    ]
    return _followed(values, cuts, -3.0, 3.0 * reversed_ranks)


def _calms(values: NDArray[np.float64], cuts: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each cut the series with a hundredth of what followed, and a third of the least traded, (K, T, F)."""
    least = np.broadcast_to(values[:, _TRADED].min(axis=0) / 3.0, (len(values), 2))
    return _followed(values, cuts, 0.01, least)


def _followed(
    values: NDArray[np.float64], cuts: NDArray[np.intp], factor: float, traded: NDArray[np.float64]
) -> NDArray[np.float64]:
    """For each cut the series in which what followed is so many times as large, and so much is traded, (K, T, F)."""
    others = np.repeat(values[None], len(cuts), axis=0)
    fields = [OPEN, LOW, HIGH, CLOSE] if factor < 0 else PRICES  # upside down, the low is the high
    logs = np.log(values[:, fields])
    for other, cut in zip(others, cuts.tolist(), strict=True):
        start = logs[cut - 1, 3]
        other[cut:, PRICES] = np.exp(start + _SPAN * np.tanh(factor / _SPAN * (logs[cut:] - start)))
        other[cut:, _TRADED] = traded[cut:]
    return others


def _continuations(values: NDArray[np.float64], horizon: int, seed: int) -> NDArray[np.float64]:
    """Two series (2, H, F) that may follow values (T, F): moves drawn from them, three times as large, and opposite."""
    rng, moves = numpy_generator(seed, Stream.LOOKAHEAD_SEAM), _moves(values)
    drawn = rng.integers(len(values), size=horizon)
    following = np.empty((2, horizon, len(FIELDS)))
    for future, sign in zip(following, (1.0, -1.0), strict=True):
        future[:, PRICES] = values[-1, CLOSE] * _path(sign * 3.0 * moves[drawn], sign * _LEVEL)
        future[:, _TRADED] = values[drawn][:, _TRADED]
    return following


def _mirrored(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The series (T, F) upside down about its first open."""
    mirrored = values.copy()
    mirrored[:, PRICES] = values[0, OPEN] ** 2 / values[:, [OPEN, LOW, HIGH, CLOSE]]
    return mirrored


def _moves(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 4) logarithms of each bar's gap, body, upper shadow and (negative) lower shadow."""
    opened, high, low, close = np.log(values[:, PRICES]).T
    gap = opened - np.append(opened[0], close[:-1])
    return np.column_stack([gap, close - opened, high - np.maximum(opened, close), low - np.minimum(opened, close)])


def _path(moves: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """(H, 4) open, high, low, close that follow a close of 1: damped moves around a line that bends to a log level.

    The damping keeps prices within the magnitude of the sample, so that rounding does not grow; the line bends slowly,
    so that the first bars are the moves' own.
    """
    gap, body, one, other = moves.T
    damped = pd.Series(np.append(0.0, gap + body)).ewm(alpha=_DECAY, adjust=False).mean().to_numpy() / _DECAY
    close = damped + level * -np.expm1(-((np.arange(len(damped)) / _BEND) ** 2))  # (H + 1,)
    opened, close = close[:-1] + gap, close[1:]
    high = np.maximum(opened, close) + np.maximum(one, other)
    low = np.minimum(opened, close) + np.minimum(one, other)
    path: NDArray[np.float64] = np.exp(np.column_stack([opened, high, low, close]))
    return path
