"""Permuted bars: the same gaps and the same bars in another order, which no rule can have an edge on.

They are not continuations that could follow a history, but its past in another order, for tests on real bars in
`stresslab.analysis.permutation_test`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.core.errors import InputError
from stresslab.core.randomness import Stream, uniforms
from stresslab.data.bars import AMOUNT, CLOSE, FIELDS, OPEN, VOLUME, Bars
from stresslab.data.market_index import IndexBars
from stresslab.data.universes import Universes, universes_after

MIN_BARS = 20
KEPT = 100_000_000
"""Bytes of permutations that a process keeps for the next test on the same bars."""


def permuted_bars(bars: Bars, warmup: int, ids: Sequence[int] | NDArray[np.integer], seed: int = 0) -> Universes:
    """Histories whose bars after the warm-up come in a random order (Masters 2020, "permuting price bars").

    Two series are permuted, each by itself: the bars (high, low and close relative to their open, with their volume),
    and the gaps (open relative to the close before). So every history keeps the distribution of gaps and of shapes
    within a bar, starts and ends at the real prices, and loses what led from one bar to the next. Volume keeps how busy
    its bar was relative to the month before it, and the level of its new place in time.

    Args:
        bars: real bars.
        warmup: bars at the beginning that stay as they are, at least 1, and become the universes' history.
        ids: which permutations; each is addressed by (seed, id) and does not depend on the others.
        seed: whole number in [0, 2^64).

    Returns:
        len(ids) universes of len(bars) - warmup bars, with the real time stamps.
    """
    if isinstance(bars, IndexBars):  # the same order in all symbols
        parts = [permuted_bars(own, warmup, ids, seed) for own in bars.market]
        history, symbols = bars[:warmup], np.stack([part.values for part in parts], axis=1)
        return universes_after(history, symbols, parts[0].timestamps, parts[0].ids, parts[0].facts)
    steps = len(bars) - warmup
    if warmup < 1 or steps < MIN_BARS:
        raise InputError(
            f"{len(bars)} bars with a warm-up of {warmup} leave {steps} to permute; at least 1 bar must come before "
            f"and {MIN_BARS} after: give more bars or a shorter `warmup`"
        )
    chosen = np.asarray(ids, dtype=np.int64)
    logs = np.log(bars.values[warmup - 1 :, : CLOSE + 1])  # (T + 1, 4)
    gaps = logs[1:, OPEN] - logs[:-1, CLOSE]  # (T,)
    shapes = logs[1:] - logs[1:, :1]  # (T, 4), relative to the open
    level, busy = _volumes(bars.values[:, VOLUME], round(bars.periods_per_year / 12))
    worth = bars.values[:, VOLUME] * bars.values[:, : CLOSE + 1].mean(axis=1)
    premium = np.divide(bars.values[:, AMOUNT], worth, out=np.ones(len(bars)), where=worth > 0)[warmup:]

    order = np.argsort(uniforms(seed, chosen, steps, 2, stream=Stream.PERMUTATION), axis=1)  # (n, T, 2)
    shape, gap = shapes[order[:, :, 0]], gaps[order[:, :, 1]]  # (n, T, 4), (n, T)
    moves = np.cumsum(gap + shape[:, :, CLOSE], axis=1)
    opens = logs[0, CLOSE] + np.concatenate([np.zeros((len(chosen), 1)), moves[:, :-1]], axis=1) + gap
    values = np.empty((len(chosen), steps, len(FIELDS)))
    values[:, :, : CLOSE + 1] = np.exp(opens[:, :, None] + shape)
    values[:, :, VOLUME] = level[warmup:] * busy[warmup:][order[:, :, 0]]
    mean_price = values[:, :, : CLOSE + 1].mean(axis=2)
    values[:, :, AMOUNT] = values[:, :, VOLUME] * mean_price * premium[order[:, :, 0]]
    facts = {"permuted": True, "seed": seed, "warmup": warmup}
    return Universes(values, bars.timestamps[warmup:], bars[:warmup], chosen, facts)


class Permutations:
    """Permutations of the bars asked for last: every strategy is tested on the same ones, so they are made once.

    The first ones are kept, as many as `KEPT` holds, since each test begins with these.
    """

    def __init__(self) -> None:
        """None are known yet."""
        self._of: tuple[object, ...] = ()
        self._made: dict[bytes, Universes] = {}

    def of(self, bars: Bars, warmup: int, ids: NDArray[np.int64], seed: int = 0) -> Universes:
        """`permuted_bars`, of the same arguments."""
        if isinstance(bars, IndexBars):
            return permuted_bars(bars, warmup, ids, seed)
        asked = (bars.digest, bars.symbol, bars.source, str(bars.calendar.describe()), warmup, seed)
        if asked != self._of:
            self._of, self._made = asked, {}
        found = self._made.get(ids.tobytes())
        if found is None:
            found = permuted_bars(bars, warmup, ids, seed)
            size = sum(one.payload.nbytes for one in (*self._made.values(), found))
            if size <= KEPT:
                self._made[ids.tobytes()] = found
        return found


PERMUTATIONS = Permutations()
"""Those of this process."""


def _volumes(volume: NDArray[np.float64], month: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level (M,), the mean of the month of bars before each, and volume over that level (M,); 0 where there is none."""
    before = pd.Series(volume).rolling(max(month, MIN_BARS), min_periods=1).mean().shift(1)
    level = before.fillna(volume[0]).to_numpy(dtype=np.float64)
    return level, np.divide(volume, level, out=np.zeros(len(volume)), where=level > 0)
