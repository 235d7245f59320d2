"""The interval of a share by its definition: all shares that a score test does not reject."""

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
