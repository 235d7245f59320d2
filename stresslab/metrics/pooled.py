"""One rule on many symbols: its evidence pooled, with whatever happens to many of them on one date counted once.

It knows timing gains (T, K) of K symbols on the same T bars; where they come from is the caller's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray

LEFT_OUT = 2
"""Symbols, those with the most, without which the evidence has to stand."""
MIN_SYMBOLS = 2 * LEFT_OUT
"""Fewer symbols cannot show that a rule is general."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class Pooled:
    """The evidence of K symbols.

    Attributes:
        each: (K,) gains of each symbol in units of their own error; 0 where nothing was timed.
        together: the same of all of them, errors clustered by date.
        without_best: the same without the `LEFT_OUT` symbols that have the largest `each`; 0 where none is left.
        effective: how many independent symbols the K are worth.
        left: positions of the symbols of `without_best`.
    """

    each: FloatArray
    together: float
    without_best: float
    effective: float
    left: NDArray[np.intp]


def pooled(gains: FloatArray, left: NDArray[np.intp] | None = None) -> Pooled:
    """Pool timing gains over symbols.

    Each symbol's gains are scaled to a root mean square of 1, so that none counts for more because it moves more, and
    added up by date; the sum over dates is divided by the root of its sum of squares (errors clustered by date:
    Cameron, Gelbach & Miller 2008). The effective number is K times the variance that the symbols' sum would have if
    they were independent, over the one it has (Kish 1965, the design effect).

    Args:
        gains: (T, K) such as z_tk = (w_tk - wbar_k) (r_tk - rbar_k).
        left: positions of the symbols that `without_best` is of; those of these gains by default. To compare with
            other gains, the same symbols must be left: were the best of the others left out of them too, symbols that
            know nothing would look good beside theirs.
    """
    size = np.sqrt((gains**2).mean(axis=0))  # (K,)
    scaled = np.divide(gains, size, out=np.zeros_like(gains), where=size > ROUNDING * max(float(size.max()), ROUNDING))
    each = scaled.sum(axis=0) / np.sqrt(len(gains))
    left = np.argsort(-each, kind="stable")[LEFT_OUT:] if left is None else left
    by_date = scaled.sum(axis=1)
    apart = float((scaled**2).sum())
    clustered = float((by_date**2).sum())
    effective = float(np.clip((size > 0).sum() * apart / clustered, 1.0, len(size))) if clustered > 0 else 0.0
    return Pooled(each, _ratio(by_date), _ratio(scaled[:, left].sum(axis=1)), effective, left)


def _ratio(by_date: FloatArray) -> float:
    error = float(np.sqrt((by_date**2).sum()))
    return float(by_date.sum()) / error if error > 0 else 0.0


def breadth(symbols: int, p_value: float, p_without_best: float, level: float = 0.05) -> str:
    """One word: general where the rule stands without its best symbols, concentrated where it does not, or unproven.

    Args:
        symbols: K.
        p_value: that all symbols' timing comes about by chance.
        p_without_best: the same of those left.
        level: below which it does not.
    """
    if p_value > level:
        return "unproven"
    return "general" if symbols >= MIN_SYMBOLS and p_without_best <= level else "concentrated"
