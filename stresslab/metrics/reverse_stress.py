"""Reverse stress: what happened in the universes that broke a strategy, by rules that anyone can check.

It groups paths that exist by a few features of theirs; which trades were made in them is asked elsewhere.
N is universes, T bars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import Interval, wilson

WORST = 0.05
"""Share of universes that count as broken."""
MOVE, MONTH = 5, 20
"""Bars of a sudden move, and of a stretch of high volatility."""


@dataclass(frozen=True)
class Rules:
    """Thresholds of the groups; volatility is the median universe's, of one bar, and sigma its root-of-time multiple.

    Attributes:
        crash: a move against the position within `MOVE` bars, in sigmas of so many bars.
        burst: volatility over `MONTH` bars, as a multiple.
        bleed: move against the position from first to last bar, in sigmas of the horizon.
        whipsaw: how often the side held changed.
    """

    crash: float = 4.0
    burst: float = 2.0
    bleed: float = 1.0
    whipsaw: int = 2


GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "crash": "a sudden move against the position",
        "volatility burst": "a stretch of high volatility, without a crash",
        "slow bleed": "the market drifted against the position, without crash or burst",
        "whipsaw": "the market went nowhere far, and the position changed sides or was left and taken again",
        "other": "none of these: lost to costs, or on the wrong side of a calm market",
    }
)
"""The groups in the order in which they are asked for, the first that fits decides."""


@dataclass(frozen=True, eq=False)
class Features:
    """What happened in each universe, seen from the side that the strategy mostly held (N,).

    Attributes:
        sudden: worst move within `MOVE` bars, in sigmas; negative is against the position.
        volatility: highest over `MONTH` bars, as a multiple of the median universe's.
        net: move from first to last bar, in sigmas of the horizon; negative is against the position.
        efficiency: size of that move over the sum of all bars' moves (Kaufman 1995): 1 for a straight line.
        changes: how often the side held changed: long, short, out.
    """

    sudden: FloatArray
    volatility: FloatArray
    net: FloatArray
    efficiency: FloatArray
    changes: FloatArray


def path_features(closes: ArrayLike, position: ArrayLike) -> Features:
    """Features of paths.

    Args:
        closes: (N, T+1), the last real close first.
        position: (T, N) held over each bar.

    Returns:
        A universe in which nothing was held is seen from the long side. Windows are at most the horizon.
    """
    returns = np.diff(np.log(np.asarray(closes, dtype=np.float64)), axis=1)  # (N, T)
    held = np.asarray(position, dtype=np.float64)
    bars = returns.shape[1]
    unit = float(np.median(returns.std(axis=1))) or 1.0
    ours = np.where(held.mean(axis=0) < 0, -1.0, 1.0)[:, None] * returns
    move, month = min(MOVE, bars), min(MONTH, bars)
    squares = _rolling(returns**2, month) / month
    net, ways = ours.sum(axis=1), np.abs(returns).sum(axis=1)
    side = np.sign(held)
    return Features(
        sudden=_rolling(ours, move).min(axis=1) / (unit * math.sqrt(move)),
        volatility=np.sqrt(np.maximum(squares.max(axis=1), 0.0)) / unit,
        net=net / (unit * math.sqrt(bars)),
        efficiency=np.abs(net) / np.where(ways > 0, ways, 1.0),
        changes=(side[1:] != side[:-1]).sum(axis=0).astype(np.float64),
    )


def _rolling(numbers: FloatArray, window: int) -> FloatArray:
    """Sums of `window` neighbours (N, T - window + 1)."""
    sums = np.concatenate([np.zeros((len(numbers), 1)), np.cumsum(numbers, axis=1)], axis=1)
    return np.asarray(sums[:, window:] - sums[:, :-window])


def groups_of(features: Features, rules: Rules | None = None) -> NDArray[np.str_]:
    """The group of each universe (N,): the first rule of `GROUPS` that it meets."""
    rules = rules or Rules()
    conditions = [
        features.sudden <= -rules.crash,
        features.volatility >= rules.burst,
        features.net <= -rules.bleed,
        (np.abs(features.net) < rules.bleed) & (features.changes >= rules.whipsaw),
    ]
    *named, other = GROUPS
    return np.select(conditions, named, other)


@dataclass(frozen=True)
class Group:
    """What one kind of event did to a strategy.

    Attributes:
        name: a key of `GROUPS`.
        of_worst: share of the worst universes that belong to it.
        of_universes: how often the generator makes it, with its interval.
        broken: share of its universes that are among the worst, with its interval.
        mean_return: mean total return of its worst universes; NaN without one.
        representatives: ids of its most central worst universes, the most central first.
    """

    name: str
    of_worst: float
    of_universes: Interval
    broken: Interval
    mean_return: float
    representatives: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "name": self.name,
            "meaning": GROUPS[self.name],
            "of_worst": plain(self.of_worst),
            "of_universes": self.of_universes.to_dict(),
            "broken": self.broken.to_dict(),
            "mean_return": plain(self.mean_return),
            "representatives": list(self.representatives),
        }


def reverse_stress(
    closes: ArrayLike,
    position: ArrayLike,
    total_returns: ArrayLike,
    ids: ArrayLike,
    *,
    worst: float = WORST,
    rules: Rules | None = None,
    representatives: int = 1,
) -> tuple[Group, ...]:
    """The worst universes by what happened in them.

    Args:
        closes: (N, T+1), the last real close first.
        position: (T, N) held over each bar.
        total_returns: (N,) net, of the strategy.
        ids: (N,) of the universes.
        worst: share of universes that count as broken, at least one; ties go to the lower id.
        rules: thresholds; the defaults when None.
        representatives: most central universes to name in each group.

    Returns:
        Every group of `GROUPS`, the largest share of the worst first.
    """
    if not 0 < worst <= 1:
        raise InputError(f"worst={worst} is not a share of universes in (0, 1]; for 5% write 0.05")
    returns, numbers = np.asarray(total_returns, dtype=np.float64), np.asarray(ids, dtype=np.int64)
    features = path_features(closes, position)
    named = groups_of(features, rules)
    count = max(1, math.ceil(worst * len(returns) - 1e-9))
    broken = np.zeros(len(returns), dtype=bool)
    broken[np.lexsort((numbers, returns))[:count]] = True
    table = np.column_stack([getattr(features, field.name) for field in fields(features)])  # (N, features)
    scale = table[broken].std(axis=0)
    table = table / np.where(scale > 0, scale, 1.0)
    found = []
    for name in GROUPS:
        inside = named == name
        mine = np.flatnonzero(inside & broken)
        found.append(
            Group(
                name,
                len(mine) / count,
                wilson(int(inside.sum()), len(returns)),
                wilson(len(mine), int(inside.sum())),
                float(returns[mine].mean()) if len(mine) else math.nan,
                tuple(int(one) for one in numbers[mine[_most_central(table[mine])[:representatives]]]),
            )
        )
    return tuple(sorted(found, key=lambda group: -group.of_worst))


def _most_central(points: FloatArray) -> NDArray[np.intp]:
    """Positions of points (n, features) by their mean distance to the others, the medoid first."""
    if not len(points):
        return np.zeros(0, dtype=np.intp)
    from scipy.spatial.distance import cdist  # slow to import

    return np.argsort(cdist(points, points).sum(axis=1), kind="stable")
