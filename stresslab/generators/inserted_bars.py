"""Bars to put into universes: a gap, a wilder stretch, a market that stands still, the bars of a crisis.

What follows them is the generator's answer (`stresslab.generators.base.Continuing`); what a strategy makes of them is
asked elsewhere. N is universes, L inserted bars; positions count from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.data.bars import AMOUNT, CLOSE, OPEN, VOLUME
from stresslab.data.universes import Universes
from stresslab.generators.bar_shapes import closes_before, enclose, log_paths, past_returns
from stresslab.generators.transforms import log_shapes

PRIOR_BARS = 60
"""Bars whose volatility and volume are the units of a crisis."""


def gap_bar(universes: Universes, at: int, size: float) -> FloatArray:
    """The bar at `at` after a jump of its open over the close before: its own bar, times 1 + size (N, 1, F).

    Args:
        universes: base case.
        at: position of the bar.
        size: relative jump, -0.08 for a fall of 8%.
    """
    if not -1 < size < 100:
        raise InputError(f"a gap of {size:g} leaves no price above 0; give more than -1, such as -0.08 or -8%")
    bars = universes.values[:, at : at + 1].astype(np.float64)
    bars[:, :, : CLOSE + 1] *= 1 + size
    bars[:, :, AMOUNT] *= 1 + size
    return bars


def wilder_bars(universes: Universes, at: int, count: int, factor: float) -> FloatArray:
    """`count` bars from `at` on that deviate `factor` times as much from the history's mean log return (N, L, F).

    Gaps and what happens inside the bars grow alike; volumes stay.
    """
    if not 0 < factor < 100:
        raise InputError(f"volatility x {factor:g} is not a factor above 0; write for example 2")
    closes = universes.history.values[:, CLOSE]
    drift = float(np.log(closes[-1] / closes[0])) / max(len(closes) - 1, 1)
    shapes = log_shapes(universes)[:, at : at + count]
    return _laid(universes, at, drift + factor * (shapes - drift), universes.values[:, at : at + count, VOLUME])


def halted_bars(universes: Universes, at: int, count: int) -> FloatArray:
    """`count` bars at the close before them in which nothing trades, and the base's next bar (N, L + 1, F).

    So the market reopens with a gap of all that the base case did meanwhile.
    """
    flat = np.zeros((len(universes), count, universes.values.shape[2]))
    flat[:, :, : CLOSE + 1] = closes_before(universes, at)[:, None, None]
    reopened = universes.values[:, at + count : at + count + 1].astype(np.float64)
    return np.concatenate([flat, reopened], axis=1)


def crisis_bars(universes: Universes, at: int, shapes: FloatArray, volumes: NDArray[np.floating]) -> FloatArray:
    """Bars of a crisis in units of the volatility and volume that each universe has before them (N, L, F).

    Args:
        universes: base case.
        at: position of the first.
        shapes: (L, 4) log of open, high, low and close over the close before, in units of the volatility before the
            crisis.
        volumes: (L,) in units of the mean volume before it.
    """
    nothing = np.empty((len(universes), 0, universes.values.shape[2]))
    moved = past_returns(universes, at, nothing, PRIOR_BARS)
    sigma = np.sqrt(np.mean(moved**2, axis=1))  # (N,)
    real = universes.history.values[-PRIOR_BARS:, VOLUME]
    known = [np.broadcast_to(real, (len(universes), len(real))), universes.values[:, :at, VOLUME]]
    before = np.concatenate(known, axis=1)[:, -PRIOR_BARS:]
    return _laid(universes, at, sigma[:, None, None] * shapes, before.mean(axis=1)[:, None] * volumes)


def _laid(universes: Universes, at: int, shapes: FloatArray, volume: NDArray[np.floating]) -> FloatArray:
    """Bars (N, L, F) of shapes (N, L, 4) laid end to end after the close before `at`, with volumes (N, L)."""
    bars = np.empty((*shapes.shape[:2], universes.values.shape[2]))
    bars[:, :, OPEN : CLOSE + 1] = closes_before(universes, at)[:, None, None] * np.exp(log_paths(shapes))
    enclose(bars)
    bars[:, :, VOLUME] = volume
    bars[:, :, AMOUNT] = bars[:, :, VOLUME] * bars[:, :, : CLOSE + 1].mean(axis=2)
    return bars
