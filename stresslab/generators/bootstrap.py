"""The stationary bootstrap: universes as blocks of real bars of random length, laid end to end (Politis & Romano 1994).

It keeps what happens within a bar and, inside a block, from bar to bar; it breaks longer dependence and pays no heed to
the present volatility or the time of day. How bars become shapes and shapes bars is `bar_shapes`' part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.market import Market
from stresslab.data.universes import Universes
from stresslab.generators.bar_shapes import Shapes, continue_universes, past_returns, recent, sample_universes
from stresslab.generators.base import Progress, check_inserted
from stresslab.generators.dependence import check_whole_days
from stresslab.generators.series_by_series import SeriesBySeries

MIN_BARS = 50
MEASURED = 200_000
"""Latest returns that decide the length of a block."""
STATE_BARS = 10
"""Bars whose volatility says in which state a block began."""


@dataclass(frozen=True)
class StationaryBootstrap(SeriesBySeries):
    """Blocks of real bars, of geometric length and from anywhere in the history, which closes to a circle.

    Attributes:
        block: mean length of a block in bars, at least 1 (1 draws each bar by itself), or "auto": the longer of the
            lengths that `optimal_blocks` finds for returns and for their size, so that clusters of volatility survive.
        context: number of last bars of the history to draw from; None for all of them.
        dependence: of several symbols: "empirical" resamples the same days of all of them, "independent" of each its
            own.
    """

    name: ClassVar[str] = "bootstrap"
    block: float | Literal["auto"] = "auto"
    context: int | None = None
    dependence: Literal["empirical", "independent"] = "empirical"

    def __post_init__(self) -> None:
        """Check the settings."""
        check_whole_days(self.dependence, self.name)
        number = isinstance(self.block, int | float) and not isinstance(self.block, bool)
        if self.block != "auto" and not (number and 1 <= float(self.block) < math.inf):
            raise InputError(f"block={self.block!r} is not a mean length in bars, at least 1; write 20, or auto")
        if self.context is not None and self.context < MIN_BARS:
            raise InputError(f"context={self.context} is below {MIN_BARS} bars; give more, or none for all of them")

    def sample_series(
        self,
        bars: Bars,
        horizon: int,
        universes: int,
        seed: int,
        *,
        ids: Sequence[int] | None,
        jobs: int,
        progress: Progress | None,
    ) -> Universes:
        """See `SeriesBySeries`."""
        seen = recent(bars, self.context, MIN_BARS, "bootstrap")
        shapes = Shapes.of(seen)
        block, optimal = self._block(shapes)

        def make(piece: NDArray[np.int64]) -> tuple[NDArray[np.float32], int]:
            sources = block_positions(uniforms(seed, piece, horizon, 2), len(shapes), block)
            return shapes.assemble(shapes.prices[sources], sources)

        facts = {"generator": self.describe(), "block": block, "optimal_blocks": optimal, "bars_seen": len(seen)}
        return sample_universes(
            bars, make, facts, horizon=horizon, universes=universes, ids=ids, jobs=jobs, progress=progress
        )

    def continued(
        self,
        universes: Universes,
        at: int,
        inserted: ArrayLike,
        seed: int = 0,
        *,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Universes:
        """Go on after inserted bars with a block that began in a like state; see `base.Continuing`.

        A block begins at the first bar after them, at one of the positions in the history before which volatility was
        most like the universe's own (`like_positions`); the blocks after it are those of the base case.
        """
        bars = check_inserted(universes, at, inserted, self.describe())
        shapes = Shapes.of(recent(universes.history, self.context, MIN_BARS, "bootstrap"))
        block, end = self._block(shapes)[0], at + bars.shape[1]
        state = root_mean_square(past_returns(universes, at, bars, STATE_BARS))  # (N,)

        def make(rows: slice) -> tuple[NDArray[np.float32], int]:
            u = uniforms(seed, universes.ids[rows], universes.horizon, 2)[:, end:]
            starts = like_positions(shapes.returns, state[rows], u[:, 0, 1]) if u.shape[1] else None
            sources = block_positions(u, len(shapes), block, starts)
            return shapes.assemble(shapes.prices[sources], sources, bars[rows, -1, CLOSE])

        return continue_universes(universes, at, bars, make, jobs=jobs, progress=progress)

    def _block(self, shapes: Shapes) -> tuple[float, dict[str, float]]:
        """Mean length of a block, and the optimal lengths that it follows from."""
        if self.block != "auto":
            return float(self.block), {}
        optimal = optimal_blocks(shapes.returns)
        return max(1.0, *optimal.values()), optimal

    def for_market(self, market: Market) -> StationaryBootstrap:
        """Blocks of the longest mean length that one of the symbols asks for."""
        block = max(self._block(Shapes.of(recent(bars, self.context, MIN_BARS, self.name)))[0] for bars in market)
        return replace(self, block=block)

    def describe(self) -> dict[str, Any]:
        """The settings that decide what is sampled, as plain JSON."""
        return {"name": self.name, "block": self.block, "context": self.context, "dependence": self.dependence}


def block_positions(
    u: FloatArray, count: int, block: float, first: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Positions of the stationary bootstrap (Politis & Romano 1994, sec. 2): I_t uniform, or I_{t-1} + 1 on a circle.

    Args:
        u: (n, T, 2) uniforms: one decides whether a block begins (with probability 1 / block), one where.
        count: number M of bars to draw from.
        block: mean length of a block, at least 1.
        first: (n,) where the first block begins; by the uniforms when None.

    Returns:
        (n, T) positions in [0, M).
    """
    if not u.shape[1]:
        return np.empty(u.shape[:2], dtype=np.int64)
    steps = np.arange(u.shape[1])
    begins = u[:, :, 0] < 1 / block
    begins[:, 0] = True
    latest = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)  # (n, T) step at which the block began
    starts = np.minimum((u[:, :, 1] * count).astype(np.int64), count - 1)
    if first is not None:
        starts[:, 0] = first
    return (np.take_along_axis(starts, latest, axis=1) + steps - latest) % count


def root_mean_square(returns: FloatArray) -> FloatArray:
    """Volatility of log returns (..., L) about 0, over the last axis."""
    return np.asarray(np.sqrt(np.mean(returns**2, axis=-1)))


def like_positions(returns: FloatArray, state: FloatArray, u: FloatArray) -> NDArray[np.int64]:
    """Positions of a history whose past was like a given one: the nearest-neighbour bootstrap (Lall & Sharma 1996).

    The state of a position is the volatility of the `STATE_BARS` returns before it. Of M positions the sqrt(M) nearest
    ones are equally probable.

    Args:
        returns: (M,) log returns of the history.
        state: (n,) volatility of the last returns of each universe.
        u: (n,) uniforms.

    Returns:
        (n,) positions in [STATE_BARS, M).
    """
    states = root_mean_square(np.lib.stride_tricks.sliding_window_view(returns, STATE_BARS)[:-1])  # (M - STATE_BARS,)
    count = max(1, round(math.sqrt(len(returns))))
    order = np.argsort(states, kind="stable")
    ranked = states[order]
    low = np.clip(np.searchsorted(ranked, state) - count, 0, len(ranked) - 2 * count)
    near = np.arange(2 * count) + low[:, None]  # (n, 2k) hold the k nearest
    nearest = np.argsort(np.abs(ranked[near] - state[:, None]), axis=1, kind="stable")
    chosen = np.minimum((u * count).astype(np.int64), count - 1)
    at = np.take_along_axis(near, np.take_along_axis(nearest, chosen[:, None], axis=1), axis=1)[:, 0]
    return np.asarray(order[at] + STATE_BARS)


def optimal_blocks(returns: FloatArray) -> dict[str, float]:
    """Mean block lengths for the stationary bootstrap (Politis & White 2004; Patton, Politis & White 2009), by arch.

    Args:
        returns: (M,) log returns; of more than `MEASURED` the last ones are looked at.

    Returns:
        The length for the mean of the returns, and for the mean of their absolute values.
    """
    from arch.bootstrap import optimal_block_length

    returns = returns[-MEASURED:]
    with np.errstate(all="ignore"):
        lengths = optimal_block_length(np.column_stack([returns, np.abs(returns)]))["stationary"].to_numpy()
    if not np.all(np.isfinite(lengths)):
        raise DataError(
            f"no optimal block length for {len(returns)} returns, which hardly vary; set the bootstrap's block, "
            "for example 20"
        )
    return {"returns": float(lengths[0]), "absolute_returns": float(lengths[1])}
