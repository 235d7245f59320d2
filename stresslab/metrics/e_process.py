"""Evidence against a claim that may be looked at after every bar: a bet that makes nobody rich if the claim holds.

It knows numbers in [0, 1] whose mean is one half under the claim, one a bar. An e-process starts at 1 and, under the
claim, reaches 1/alpha at any time with probability at most alpha, however often one looks (Ville 1939; Ramdas,
Grunwald, Vovk & Shafer 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

STAKES = (0.1, 0.2, 0.4, 0.8, 1.2, 1.6)
"""Stakes that the mixture holds, all below 2, so that no bet can lose everything."""


def e_process(values: ArrayLike, direction: int) -> FloatArray:
    """Wealth, of the values' shape, of bets that values fall below one half (direction -1) or above it (1).

    M_t = mean over stakes s of prod_(u <= t) (1 + s d (v_u - 1/2)): each factor has mean at most 1 given the past when
    the conditional mean of d v_u is at most d/2, so each product, and their mixture, is a test supermartingale
    (Waudby-Smith & Ramdas 2024, eq. 25, with fixed stakes mixed in place of a plug-in one).

    Args:
        values: (T,) in [0, 1], in order of time, or (T, N) of N sequences.
        direction: 1 to bet on values above one half, -1 on values below.

    Raises:
        ValueError: a value lies outside [0, 1], or direction is neither 1 nor -1.
    """
    given = np.asarray(values, dtype=np.float64)
    if direction not in (-1, 1):
        raise ValueError(f"direction={direction} is neither 1 nor -1")
    if given.size and not ((given >= 0) & (given <= 1)).all():
        raise ValueError("values of a bet lie in [0, 1]")
    stakes = np.array(STAKES).reshape(-1, *[1] * given.ndim)
    factors = 1.0 + stakes * direction * (given[None] - 0.5)  # (stakes, T) or (stakes, T, N)
    return np.asarray(np.exp(np.cumsum(np.log(factors), axis=1)).mean(axis=0))


def first_crossing(wealth: ArrayLike, alpha: float) -> int | None:
    """Index of the first bar at which the evidence is worth 1/alpha or more; None where it never is."""
    reached = np.asarray(wealth, dtype=np.float64) >= 1.0 / alpha
    return int(np.argmax(reached)) if reached.any() else None


def probability_transform(values: ArrayLike, sample: ArrayLike) -> FloatArray:
    """Mid-rank share of a sample that lies below each value, in (0, 1): of mean 1/2 for values of the sample's law.

    (r + 1/2) / (n + 1), where r counts smaller values and half of equal ones.

    Args:
        values: of any shape.
        sample: (n,) values under the claim.
    """
    ordered, given = np.sort(np.asarray(sample, dtype=np.float64)), np.asarray(values, dtype=np.float64)
    below, upto = np.searchsorted(ordered, given, "left"), np.searchsorted(ordered, given, "right")
    return np.asarray(((below + upto) / 2 + 0.5) / (len(ordered) + 1))


def calibrated_threshold(highest: ArrayLike, alpha: float) -> float:
    """What wealth must exceed to reject a claim over a whole horizon, by simulation under the claim.

    The larger of 1/alpha and the k-th largest of N, k = floor(alpha (N + 1)): a further sequence of the same law
    exceeds the latter with probability at most alpha, whatever its dependence (Vovk, Gammerman & Shafer 2005, prop.
    4.1). Ville's bound alone needs conditional means of one half, which ranks among simulated values have only nearly.

    Args:
        highest: (N,) largest wealth over the horizon of each simulated sequence.
        alpha: probability of a false alarm.

    Returns:
        The largest of all where so few sequences cannot tell alpha.
    """
    ordered = np.sort(np.asarray(highest, dtype=np.float64))[::-1]
    place = max(int(alpha * (len(ordered) + 1)), 1)
    return max(1.0 / alpha, float(ordered[place - 1])) if len(ordered) else 1.0 / alpha
