"""Universes moved as whole bars: another drift, another volatility, the shapes and the order of bars as they were.

It rewrites log prices of universes that exist; not which generator made them, nor what is tested on
the result. N is universes, T bars; drift and volatility are those of log returns from close to close, a bar.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.data.bars import AMOUNT, CLOSE, VOLUME
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.generators.bar_shapes import enclose, log_paths


def log_shapes(universes: Universes) -> FloatArray:
    """Log of open, high, low and close over the close before, the last real one for the first bar (N, T, 4)."""
    logs = np.log(universes.values[:, :, : CLOSE + 1].astype(np.float64))
    before = np.empty(logs.shape[:2])
    before[:, 0] = np.log(universes.history.values[-1, CLOSE])
    before[:, 1:] = logs[:, :-1, CLOSE]
    return np.asarray(logs - before[:, :, None])


def mean_log_returns(universes: Universes) -> FloatArray:
    """The generator's drift: at each lead the mean log return over all universes (T,)."""
    closes = np.log(universes.values[:, :, CLOSE].astype(np.float64)).mean(axis=0)
    return np.diff(closes, prepend=np.log(universes.history.values[-1, CLOSE]))


def drift_neutral(universes: Universes, drift: FloatArray | None = None) -> Universes:
    """The universes without the drift that they share: at each lead the mean log return over universes is 0.

    The mean over all universes is taken away, never a universe's own: that would turn paths into bridges, which a rule
    that bets on reversion lives on. Each bar moves as a whole, with the gap before it. Prices of a mean log return of 0
    still grow on average, by half the variance: the median universe stays where it began.

    Args:
        universes: all of a generator's, or a part of them with `drift` of all.
        drift: (T,) as from `mean_log_returns`; that of these universes when None. Of a market each symbol's own drift
            is taken away.
    """
    if isinstance(universes, IndexUniverses):
        return universes.each(lambda part, at: drift_neutral(part))
    away = np.cumsum(mean_log_returns(universes) if drift is None else drift)  # (T,)
    factors = np.exp(-away)[None, :, None]
    values = universes.values.astype(np.float64)
    values[:, :, : CLOSE + 1] *= factors
    values[:, :, AMOUNT] *= factors[:, :, 0]
    return changed(universes, values, drift_neutral=True)


def rebuilt(universes: Universes, shapes: FloatArray, **facts: object) -> Universes:
    """Universes whose bars have these shapes, laid end to end after the last real close.

    Args:
        universes: whose volumes, time stamps and ids are kept; amounts follow the prices.
        shapes: (N, T, 4) as from `log_shapes`.
        facts: what to add to the description of the universes.
    """
    values = universes.values.astype(np.float64)
    means = values[:, :, : CLOSE + 1].mean(axis=2)
    values[:, :, : CLOSE + 1] = universes.history.values[-1, CLOSE] * np.exp(log_paths(shapes))
    enclose(values)
    values[:, :, AMOUNT] *= values[:, :, : CLOSE + 1].mean(axis=2) / means
    return changed(universes, values, **facts)


def changed(universes: Universes, values: FloatArray, **facts: object) -> Universes:
    """The same universes with other bars (N, T, F), in the precision that they had.

    Args:
        universes: whose time stamps, history and ids are kept.
        values: (N, T, F).
        facts: what to add to the description of the universes.
    """
    described = {**universes.facts, **facts}
    bars = values.astype(universes.values.dtype, copy=False)
    return Universes(bars, universes.timestamps, universes.history, universes.ids, described)


MIN_PRICE = 1e-4
"""Least price of a generated bar, as a share of the last real close: a model of price levels can fall below zero."""


def repaired(values: NDArray[np.float64], last_close: float) -> tuple[NDArray[np.float64], int]:
    """Bars with prices above zero, the high highest, the low lowest, and volume and amount not below zero.

    Args:
        values: (N, T, F) finite bars.
        last_close: last real close.

    Returns:
        The bars (N, T, F), and how many of them had to be changed.
    """
    bars = values.copy()
    np.maximum(bars[..., : CLOSE + 1], MIN_PRICE * last_close, out=bars[..., : CLOSE + 1])
    enclose(bars)
    np.maximum(bars[..., VOLUME:], 0.0, out=bars[..., VOLUME:])
    return bars, int((bars != values).any(axis=-1).sum())
