"""Strategies against each other in the same universes: they trade the same prices, so their differences are sharp.

Formulas only, on one column of numbers per strategy and one row per universe.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import LEVEL, Interval, wilson
from stresslab.metrics.laws import student_quantile

TIE = 1e-12
"""Differences no larger than this are those of rounding."""
ALL_PAIRS = 12
"""Strategies up to which every pair is compared; of more, each is compared with the one of the highest mean."""


@dataclass(frozen=True)
class Difference:
    """How much better one strategy did than another in the same universe.

    Attributes:
        first: name of the one.
        second: name of the other.
        mean: of first less second over universes, with its interval.
        better: share of universes in which the first did strictly better, with its interval.
        equal: share in which both did the same.
        worse: share in which the first did strictly worse.
    """

    first: str
    second: str
    mean: Interval
    better: Interval
    equal: Interval
    worse: Interval

    @property
    def reversed(self) -> Difference:
        """The second less the first."""
        mean = Interval(-self.mean.value, -self.mean.high, -self.mean.low)
        return Difference(self.second, self.first, mean, self.worse, self.equal, self.better)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "mean": self.mean.to_dict(),
            "better": self.better.to_dict(),
            "equal": self.equal.to_dict(),
            "worse": self.worse.to_dict(),
        }


def differences(numbers: pd.DataFrame) -> list[Difference]:
    """The differences between strategies, the largest mean of a pair first.

    Args:
        numbers: (N, S) one measure, a row per universe and a column per strategy. A universe in which either of two
            has no number is left out of their comparison.

    Returns:
        Every pair of at most `ALL_PAIRS` strategies; of more, the best on average against each other one.
    """
    return [difference(numbers[one], numbers[other], (one, other)) for one, other in _pairs(numbers)]


def correlations(numbers: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Pearson's correlation over universes of each two strategies (N, S); None where one of them does not vary."""
    table = numbers.corr()
    return {str(row): {str(column): plain(value) for column, value in line.items()} for row, line in table.iterrows()}


def _pairs(numbers: pd.DataFrame) -> Iterator[tuple[str, str]]:
    means = numbers.mean().fillna(-math.inf)
    order = [str(name) for name in means.sort_values(ascending=False, kind="stable").index]
    return itertools.combinations(order, 2) if len(order) <= ALL_PAIRS else ((order[0], one) for one in order[1:])


def sign_test(gaps: ArrayLike) -> float:
    """p-value of the claim that a difference is above zero no more often than below: the exact sign test.

    Ties say nothing and are left out (Dixon & Mood 1946). Of two strategies' losses in the same universes, as 0 and 1,
    it is the exact one-sided test of McNemar (1947).

    Args:
        gaps: (N,) differences in the same universe; those without a number are left out.

    Returns:
        The probability of as many gains among so many differences by the toss of a coin; 1 where all are ties.
    """
    known = np.asarray(gaps, dtype=np.float64)
    above, below = int((known > TIE).sum()), int((known < -TIE).sum())
    if not above + below:
        return 1.0
    from scipy import stats  # slow to import

    return float(stats.binom.sf(above - 1, above + below, 0.5))


def difference(
    first: pd.Series[float], second: pd.Series[float], names: tuple[str, str] = ("strategy", "buy and hold")
) -> Difference:
    """The difference of two (N,) columns of numbers: its mean with Student's interval, the shares with Wilson's.

    Numbers closer than rounding leaves them (`TIE`) are equal.
    """
    gaps = (first - second).dropna().to_numpy(dtype=np.float64)
    count = len(gaps)
    above, below = int((gaps > TIE).sum()), int((gaps < -TIE).sum())
    shares = wilson(above, count), wilson(count - above - below, count), wilson(below, count)
    if count == 0:
        return Difference(*names, Interval(math.nan, -math.inf, math.inf), *shares)
    mean = float(gaps.mean())
    half = math.inf
    if count > 1:
        half = float(student_quantile(0.5 + LEVEL / 2, count - 1) * gaps.std(ddof=1) / math.sqrt(count))
    return Difference(*names, Interval(mean, mean - half, mean + half), *shares)
