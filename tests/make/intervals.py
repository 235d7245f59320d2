"""Intervals by their definitions: shares that a score test does not reject, quantiles between counted ranks."""

from __future__ import annotations

import math


def score_interval(successes: float, count: int) -> tuple[float, float]:
    """Ends of the 95% interval: where (k/n - p)^2 = z^2 p (1 - p) / n, found by bisection.

    Args:
        successes: k, a half for a tie.
        count: n.
    """
    share, z = successes / count, 1.959963984540054

    def rejected(probability: float) -> bool:
        return abs(share - probability) > z * math.sqrt(probability * (1 - probability) / count)

    ends = []
    for beyond in (0.0, 1.0):
        outer, inner = beyond, share
        for _ in range(80):
            middle = (outer + inner) / 2
            outer, inner = (middle, inner) if rejected(middle) else (outer, middle)
        ends.append(inner)
    return ends[0], ends[1]


def quantile_ends(sample: list[float], probability: float) -> tuple[float, float]:
    """Ends of the 95% interval of a quantile: order statistics that miss it with at most 2.5% each, by the binomial.

    Args:
        sample: numbers.
        probability: of the quantile.
    """
    ordered, count = sorted(sample), len(sample)
    terms = [math.comb(count, k) * probability**k * (1 - probability) ** (count - k) for k in range(count + 1)]
    lower = max((r for r in range(count + 1) if sum(terms[:r]) <= 0.025), default=0)
    upper = min((r for r in range(1, count + 2) if sum(terms[r:]) <= 0.025), default=count + 1)
    return ordered[lower - 1] if lower else -math.inf, ordered[upper - 1] if upper <= count else math.inf
