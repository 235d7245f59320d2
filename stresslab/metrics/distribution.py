"""How a measure is spread over universes, and how far off N universes can be: every figure with its Monte Carlo error.

It knows samples of numbers, one per universe. `measures` lists the measures; whether the
universes resemble the market is asked elsewhere: the intervals here say nothing about that.

Levels, probabilities and returns are fractions. Value at risk and expected shortfall are positive losses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.core.randomness import Stream, uniforms
from stresslab.metrics.laws import binomial_ranks, gamma_quantile, normal_quantile
from stresslab.metrics.measures import MEASURES, later

LEVEL = 0.95
"""Coverage of every interval."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
DRAWDOWNS = (0.1, 0.2)
"""Depths whose probability is reported."""
SHORTFALL_TAIL = 0.025
"""Expected shortfall at 97.5% averages the worst 2.5%."""
_REPLICATES = 1000
_NUMBERS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval that its number of universes allows.

    Attributes:
        value: the estimate, NaN where there is none.
        low: lower end; -inf where so few universes cannot bound it.
        high: upper end; inf likewise.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON: null for what is not finite."""
        return {"value": plain(self.value), "low": plain(self.low), "high": plain(self.high)}

    def ends(self) -> list[float | None]:
        """The two ends as plain JSON."""
        return [plain(self.low), plain(self.high)]


def defined(sample: ArrayLike) -> FloatArray:
    """The finite numbers of a sample, sorted: universes in which the measure is undefined are left out (n,)."""
    numbers = np.asarray(sample, dtype=np.float64).reshape(-1)
    return np.sort(numbers[np.isfinite(numbers)])


def wilson(successes: float, universes: float, level: float = LEVEL) -> Interval:
    """A share with its score interval (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4).

    It inverts the score test, stays within [0, 1] and does not collapse at 0 of N.

    Args:
        successes: how many of the universes; half a universe for a tie.
        universes: how many there are.
        level: coverage.

    Returns:
        successes / universes and the interval; NaN and [0, 1] for no universes.
    """
    if universes == 0:
        return Interval(math.nan, 0.0, 1.0)
    share, z2 = successes / universes, normal_quantile(0.5 + level / 2) ** 2
    middle = (share + z2 / (2 * universes)) / (1 + z2 / universes)
    half = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * universes)) / universes) / (1 + z2 / universes)
    low = 0.0 if successes <= 0 else max(0.0, middle - half)
    high = 1.0 if successes >= universes else min(1.0, middle + half)
    return Interval(float(share), float(low), float(high))


@lru_cache(maxsize=256)
def _ranks(universes: int, probability: float, level: float) -> tuple[int, int]:
    """1-based ranks of the order statistics that bound a quantile; 0 and N + 1 where none does.

    With B the binomial number of observations at or below the quantile, the r-th smallest lies above it when B < r:
    the lower rank is the largest with P(B < r) <= (1 - level) / 2, the upper one the smallest with P(B >= r) as small.
    """
    return binomial_ranks(universes, probability, (1 - level) / 2)


def quantile_interval(sample: ArrayLike, probability: float, level: float = LEVEL) -> Interval:
    """A quantile and its distribution-free interval between two order statistics (David & Nagaraja 2003, sec. 7.1).

    Args:
        sample: (N,) numbers; those that are not finite are left out.
        probability: of the quantile, in (0, 1).
        level: coverage, reached or exceeded whatever the distribution.

    Returns:
        The linearly interpolated quantile (Hyndman & Fan 1996, type 7) and the interval; an end is infinite where
        N is too small to bound it. All NaN and unbounded for an empty sample.
    """
    return _quantile_of_sorted(defined(sample), probability, level)


def _quantile_of_sorted(ordered: FloatArray, probability: float, level: float) -> Interval:
    count = len(ordered)
    if count == 0:
        return Interval(math.nan, -math.inf, math.inf)
    lower, upper = _ranks(count, probability, level)
    low = float(ordered[lower - 1]) if lower >= 1 else -math.inf
    high = float(ordered[upper - 1]) if upper <= count else math.inf
    return Interval(float(np.quantile(ordered, probability)), low, high)


def value_at_risk(sample: ArrayLike, confidence: float, level: float = LEVEL) -> Interval:
    """The loss exceeded with probability 1 - confidence (McNeil, Frey & Embrechts 2015, def. 2.8).

    Args:
        sample: (N,) returns over the horizon; those that are not finite are left out.
        confidence: 0.95 for the 5% quantile.
        level: coverage of the interval, that of the quantile.

    Returns:
        A positive loss (negative where even that quantile is a gain); NaN for an empty sample.
    """
    return _negated(quantile_interval(sample, round(1 - confidence, 12), level))


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)


def expected_shortfall(
    sample: ArrayLike, confidence: float = 1 - SHORTFALL_TAIL, level: float = LEVEL, seed: int = 0
) -> Interval:
    """Mean loss in the worst 1 - confidence of universes (Acerbi & Tasche 2002, def. 2.6), bootstrapped.

    The interval holds the percentiles of 1,000 resamples (Efron & Tibshirani 1993, ch. 13). A resample's mean needs
    only its lowest order statistics; these are drawn directly, as ratios of sums of exponentials (Devroye 1986,
    ch. V.2), from a stream of their own.

    Args:
        sample: (N,) returns over the horizon; those that are not finite are left out.
        confidence: 0.975 averages the worst 2.5%.
        level: coverage aimed at. Of a nominal 95%, normal to Student-t4 samples measured 94% for 5,000 universes,
            89 to 94% for 1,000 (25 in the tail), 74 to 80% for 200 (5 in the tail).
        seed: of the bootstrap.

    Returns:
        A positive loss (negative where even the worst are gains). Below 1 / (1 - confidence) universes it is the worst
        one's. NaN and unbounded for an empty sample.
    """
    return _shortfall_of_sorted(defined(sample), round(1 - confidence, 12), level, seed)


def _shortfall_of_sorted(ordered: FloatArray, tail: float, level: float, seed: int) -> Interval:
    count = len(ordered)
    if count == 0:
        return Interval(math.nan, -math.inf, math.inf)
    size = count * tail
    means = [_tail_mean(ordered[drawn], size) for drawn in _resampled(count, tail, seed)]
    edges = np.quantile(np.concatenate(means), [0.5 - level / 2, 0.5 + level / 2])
    lowest = ordered[: math.ceil(size - 1e-9)]
    return Interval(-float(_tail_mean(lowest, size)), -float(edges[1]), -float(edges[0]))


@lru_cache(maxsize=2)
def _resampled(count: int, tail: float, seed: int) -> list[NDArray[np.int64]]:
    """Which of `count` sorted numbers the lowest of each resample are: (B, ceil(count * tail)), in blocks.

    They are the same for all numbers, so what is asked of several columns draws once.
    """
    lowest = math.ceil(count * tail - 1e-9)
    blocks = []
    per_block = max(1, _NUMBERS_AT_ONCE // (lowest + 1))
    for first in range(0, _REPLICATES, per_block):
        replicates = np.arange(first, min(first + per_block, _REPLICATES))
        u = uniforms(seed, replicates, 1, lowest + 1, stream=Stream.SHORTFALL)[:, 0]  # (B, lowest + 1)
        sums = np.cumsum(-np.log(u[:, :lowest]), axis=1)
        rest = gamma_quantile(u[:, lowest], count + 1 - lowest)
        positions = (count * (sums / (sums[:, -1] + rest)[:, None])).astype(np.int64)
        blocks.append(np.minimum(positions, count - 1))
    return blocks


def _tail_mean(lowest: FloatArray, size: float) -> FloatArray:
    """Mean of the first `size` of sorted numbers (..., ceil(size)), the last one counted by its fraction."""
    weights = np.ones(lowest.shape[-1])
    weights[-1] = size - (len(weights) - 1)
    return np.asarray(lowest @ (weights / size), dtype=np.float64)


def percentile_of(realised: float, sample: ArrayLike, level: float = LEVEL) -> Interval:
    """Where an outcome falls among universes: the share below it plus half of the ties (mid-rank; Parzen 2004).

    Args:
        realised: the outcome.
        sample: (N,) the universes' numbers; those that are not finite are left out.
        level: coverage of the Wilson interval.

    Returns:
        A share in [0, 1]; 0.5 where the outcome equals every universe's. NaN for an outcome that is not finite.
    """
    ordered = defined(sample)
    if not math.isfinite(realised):
        return Interval(math.nan, 0.0, 1.0)
    below, up_to = (int(np.searchsorted(ordered, realised, side=side)) for side in ("left", "right"))
    return wilson((below + up_to) / 2, len(ordered), level)


def placed_among(
    realised: float, sample: ArrayLike, level: float = LEVEL
) -> tuple[Interval, Interval, Interval] | tuple[None, None, None]:
    """Shares of universes than which an outcome is strictly higher, to which it is equal, than which it is lower.

    Args:
        realised: the outcome.
        sample: (N,) the universes' numbers; those that are not finite are left out.
        level: coverage of the Wilson intervals.

    Returns:
        Three shares that add up to 1; None each for an outcome that is not finite, or without universes.
    """
    ordered = defined(sample)
    if not math.isfinite(realised) or not len(ordered):
        return None, None, None
    below, up_to = (int(np.searchsorted(ordered, realised, side=side)) for side in ("left", "right"))
    counts = below, up_to - below, len(ordered) - up_to
    above, equal, lower = (wilson(count, len(ordered), level) for count in counts)
    return above, equal, lower


def probability_of_loss(total_returns: ArrayLike, level: float = LEVEL) -> Interval:
    """Share of universes that end below their initial capital, net of costs (a return of exactly 0 is no loss)."""
    returns = np.asarray(total_returns, dtype=np.float64)
    return wilson(int(np.sum(returns < 0)), len(returns), level)


def probability_of_drawdown(max_drawdowns: ArrayLike, depth: float, level: float = LEVEL) -> Interval:
    """Share of universes whose equity fell by more than `depth` (0.1 is 10%) from a maximum."""
    deepest = np.asarray(max_drawdowns, dtype=np.float64)
    return wilson(int(np.sum(deepest < -depth)), len(deepest), level)


def summary(
    sample: ArrayLike, *, tail: bool, level: float = LEVEL, seed: int = 0
) -> tuple[dict[str, Any], dict[str, list[float | None]]]:
    """One measure over universes, and the intervals of what was estimated.

    Args:
        sample: (N,) the measure in each universe, NaN where it is undefined.
        tail: whether the low tail is a loss in capital; otherwise value at risk and shortfall are null.
        level: coverage.
        seed: of the shortfall's bootstrap.

    Returns:
        The entry of `result.json`'s "measures", with the share of universes in which the measure is undefined, and
        its intervals by the path below that entry ("quantiles.0.05"). Numbers that do not exist are null: all of them
        for an empty sample, "std" for a single universe.
    """
    numbers = np.asarray(sample, dtype=np.float64)
    ordered = defined(numbers)
    count = len(ordered)
    estimates = {f"quantiles.{p}": _quantile_of_sorted(ordered, p, level) for p in QUANTILES}
    if tail:
        for name, probability in (("value_at_risk_95", 0.05), ("value_at_risk_99", 0.01)):
            estimates[name] = _negated(estimates[f"quantiles.{probability}"])
        estimates["expected_shortfall_97_5"] = _shortfall_of_sorted(ordered, SHORTFALL_TAIL, level, seed)
    std = float(ordered.std(ddof=1)) if count > 1 else math.nan
    mean = float(ordered.mean()) if count else math.nan
    error = float(normal_quantile(0.5 + level / 2)) * std / math.sqrt(max(count, 1))
    estimates["mean"] = Interval(mean, mean - error, mean + error)  # central limit theorem
    entry: dict[str, Any] = {
        "mean": plain(mean),
        "std": plain(std),
        "min": plain(ordered[0]) if count else None,
        "max": plain(ordered[-1]) if count else None,
        "quantiles": {str(p): plain(estimates[f"quantiles.{p}"].value) for p in QUANTILES},
    }
    for name in ("value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5"):
        entry[name] = plain(estimates[name].value) if tail else None
    entry["undefined"] = plain(1 - count / len(numbers)) if len(numbers) else None
    return entry, {path: interval.ends() for path, interval in estimates.items()}


def describe_universes(metrics: pd.DataFrame, *, level: float = LEVEL, seed: int = 0) -> dict[str, Any]:
    """The "universes" section of `result.json`.

    Args:
        metrics: one row per universe, one column per measure, as from `measures`.
        level: coverage of every interval.
        seed: of the bootstrap of expected shortfall.

    Returns:
        Plain JSON: count, probability_of_loss, never_traded (the share of universes without any position: total
        return and drawdown are then those of cash, ratios and the win rate undefined), ruined (the share in which all
        equity was lost), measures, intervals, probability_of_drawdown.
    """
    entries: dict[str, Any] = {}
    intervals: dict[str, list[float | None]] = {}
    for name, row in MEASURES.items():
        entries[name], of_measure = summary(metrics[name].to_numpy(), tail=row.tail, level=level, seed=seed)
        intervals |= {f"{name}.{path}": ends for path, ends in of_measure.items()}
    deepest = metrics["max_drawdown"].to_numpy()
    return {
        "count": len(metrics),
        "probability_of_loss": probability_of_loss(metrics["total_return"].to_numpy(), level).to_dict(),
        "never_traded": wilson(int((metrics["exposure"] == 0).sum()), len(metrics), level).to_dict(),
        "ruined": wilson(int((metrics["total_return"] <= -1).sum()), len(metrics), level).to_dict(),
        "measures": entries,
        "intervals": intervals,
        "probability_of_drawdown": {
            str(depth): probability_of_drawdown(deepest, depth, level).to_dict() for depth in DRAWDOWNS
        },
    }


def with_later(section: Any) -> Any:
    """A stored "universes" section with the measures that were added since, undefined in all of its universes."""
    if not isinstance(section, dict) or not isinstance(section.get("measures"), dict):
        return section
    entries, intervals = dict(section["measures"]), dict(section.get("intervals") or {})
    for name, value in later(entries).items():
        entries[name], of_measure = summary([value], tail=MEASURES[name].tail)
        intervals |= {f"{name}.{path}": ends for path, ends in of_measure.items()}
    return section | {"measures": entries, "intervals": intervals}


def describe_realised(
    realised: Mapping[str, float] | None, metrics: pd.DataFrame, *, level: float = LEVEL
) -> dict[str, Any]:
    """The "luck" section of `result.json`: where what really happened falls among the universes.

    Args:
        realised: the measures on the real bars after the origin, or None where there are none.
        metrics: one row per universe, one column per measure.
        level: coverage.

    Returns:
        "better", "equal", "worse": shares of universes than which the real total return is strictly higher, equal,
        lower; "realised_percentile", its rank with half of the ties, with its interval, and "percentiles", the ranks
        of every measure. Null where there is no real outcome.
    """
    if realised is None:
        empty = dict.fromkeys(("better", "equal", "worse", "realised_percentile", "realised_percentile_interval"))
        return {**empty, "percentiles": {}}
    places = {name: percentile_of(realised[name], metrics[name].to_numpy(), level) for name in MEASURES}
    placed = placed_among(realised["total_return"], metrics["total_return"].to_numpy(), level)
    shares = [None if one is None else one.to_dict() for one in placed]
    return {
        **dict(zip(("better", "equal", "worse"), shares, strict=True)),
        "realised_percentile": plain(places["total_return"].value),
        "realised_percentile_interval": places["total_return"].ends(),
        "percentiles": {name: plain(place.value) for name, place in places.items()},
    }
