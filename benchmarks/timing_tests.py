"""Error rates of the tests of timing on martingales, and of circular shifts, which look ahead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from rates import Rates, Store

from stresslab.metrics.market_timing import origin_timing, series_timing, timing

YEAR = 252.0


@dataclass(frozen=True)
class Process:
    """Bars of a known process: the body of a bar leans to the side of the last one's, or away, by a known edge.

    Volatility follows a GJR-GARCH with Student-t shocks; prices are martingales but for the edge, in simple returns.

    Attributes:
        edge: mean of a body over the root mean square of what a position earns a bar: the Sharpe ratio of one bar.
        sign: 1 for momentum, -1 for reversion.
        clustering: whether volatility moves.
    """

    edge: float = 0.0
    sign: int = 1
    clustering: bool = True
    name: str = "process"

    def paths(self, count: int, steps: int, seed: int, ids: Sequence[int] | None = None) -> np.ndarray:
        """Log open and close (count, steps, 2)."""
        rng = np.random.default_rng([seed, *(ids if ids is not None and len(ids) == 1 else ())])
        body, gap, base = 0.9, math.sqrt(1 - 0.81), 0.012
        z = np.clip(rng.standard_t(5, (count, steps + 100, 2)) / math.sqrt(5 / 3), -8, 8)
        variance, side = np.full(count, base**2), np.ones(count)
        price, logs = np.zeros(count), np.empty((count, steps + 100, 2))
        for step in range(steps + 100):
            sigma = np.sqrt(variance)
            jump = np.maximum(gap * sigma * z[:, step, 0], -0.9)
            move = np.maximum(self.edge * base * self.sign * side + body * sigma * z[:, step, 1], -0.9)
            logs[:, step, 0] = price + np.log1p(jump)
            price = logs[:, step, 0] + np.log1p(move)
            logs[:, step, 1] = price
            side = np.where(move >= 0, 1.0, -1.0)
            if self.clustering:
                shock = jump + move
                variance = 0.02 * base**2 + (0.93 + (0.02 + 0.06 * (shock < 0)) * shock**2 / variance) * variance
        return logs[:, 100:] - logs[:, 99:100, 1:]


def size(store: Store, seed: int, quick: bool) -> Iterator[Rates]:
    """Error rates of tests of timing on martingales, nominal 5%: universes, permutation, origins, circular shifts.

    For the origins the universes are shared out among twelve, the first of each being what really followed.
    """
    for name, sign in (("momentum", 1), ("reversion", -1)):
        yield from store.pieces(f"size {name}", 100 if quick else 1000, partial(_size, seed, name=name, sign=sign))


def _size(seed: int, numbers: Sequence[int], name: str, sign: int) -> list[Rates]:
    bars, back, universes, shifts, origins = 250, 20, 203, 199, 12
    process = Process(clustering=True)
    rates = Rates(f"size on martingales: {name}", "all but shift at most 5%")
    for number in numbers:
        logs = process.paths(universes + 1, bars + back + 2, seed + 10_000 + number)
        held, earned = _rule(logs, back, sign)
        order = np.random.default_rng([seed, number])
        rates.add(
            universes=timing(held[:, 1:], earned[:, 1:], YEAR).p_value <= 0.05,
            permutation=_permuted_p(logs[0], back, sign, order, shifts) <= 0.05,
            origins=_origins_p(held, earned, origins) <= 0.05,
            shift=_shifted_p(held[:, 0], earned[:, 0], order, shifts) <= 0.05,
        )
    return [rates]


def _rule(logs: np.ndarray, back: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and returns (T, N) of a rule on the distance of the close from its mean over `back` bars."""
    closes = pd.DataFrame(logs[:, :, 1].T)
    distance = ((closes - closes.rolling(back).mean()) / closes.diff().rolling(back).std()).to_numpy()
    held = np.clip(sign * distance, -3, 3)[back:-2]
    opens = np.exp(logs[:, :, 0].T)
    return held, (opens[2:] / opens[1:-1] - 1)[back:]


def _permuted_p(logs: np.ndarray, back: int, sign: int, rng: np.random.Generator, count: int) -> float:
    """p-value of `series_timing` under permutation of gaps and bodies, as `permuted_bars` does it."""
    gaps, bodies = np.diff(logs.reshape(-1), prepend=0.0).reshape(-1, 2).T
    drawn = np.empty((count + 1, *logs.shape))
    drawn[0] = logs
    for one in drawn[1:]:
        moves = np.column_stack([rng.permutation(gaps), rng.permutation(bodies)])
        one[:] = np.cumsum(moves.reshape(-1)).reshape(logs.shape)
    found = series_timing(*_rule(drawn, back, sign))
    return (1 + float((found[1:] >= found[0]).sum())) / (count + 1)


def _origins_p(held: np.ndarray, earned: np.ndarray, origins: int) -> float:
    """p-value of `origin_timing` with paths (T, N) shared out among origins."""
    positions, returns = (one.reshape(len(one), origins, -1) for one in (held, earned))  # (T, K, n)
    expected = [one[:, :, 1:].mean(axis=2) for one in (positions, returns)]
    return origin_timing(positions[:, :, 0], returns[:, :, 0], *expected, YEAR).p_value


def _shifted_p(held: np.ndarray, earned: np.ndarray, rng: np.random.Generator, count: int) -> float:
    """p-value of the timing sum under circular shifts of the positions: the test that is refuted here."""
    centred = earned - earned.mean()
    shifts = rng.integers(1, len(held), count)
    found = np.array([np.roll(held, shift) @ centred for shift in shifts])
    return (1 + float((found >= held @ centred).sum())) / (count + 1)
