"""Ranks of what followed among the universes, as a histogram and in one sentence: even, at the edges, or on one side.

The ranks come from the realism section of a result; the page and the pictures draw them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from stresslab.analysis.result_realism import RealismSection
from stresslab.core.arrays import FloatArray
from stresslab.realism.gate import ENOUGH_ORIGINS

MAX_BINS = 10
PER_BIN = 4
"""Outcomes in a bin, on average, at least."""
LEVEL = 0.95
PARTS: Mapping[int, str] = {
    3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth",
}  # fmt: skip
"""What one bin of so many is called."""
SIDES: Mapping[str, tuple[str, str]] = {"return": ("lower", "higher"), "volatility": ("calmer", "more volatile")}
"""What reality was where it ranks low and where it ranks high."""


@dataclass(frozen=True)
class Ranks:
    """The ranks of one quantity in bins of equal width.

    Attributes:
        values: (K,) ranks in (0, 1).
        counts: (B,) outcomes in each bin; a cell among the universes that an edge cuts counts in parts.
        low: fewest outcomes in a bin within its 95% band, if each rank is as likely as any other.
        high: most of them.
    """

    values: FloatArray
    counts: FloatArray
    low: float
    high: float

    @property
    def even(self) -> float:
        """Outcomes in every bin if none is preferred."""
        return len(self.values) / len(self.counts)

    @property
    def part(self) -> str:
        """What a bin is called."""
        return PARTS[len(self.counts)]


def ranks(found: RealismSection, name: str) -> Ranks | None:
    """The histogram of one quantity of a realism section; None where too few origins can fill one.

    Args:
        found: the section.
        name: of the quantity, as in its calibration.
    """
    quantity = found.quantities.get(name)
    values = np.asarray(() if quantity is None else quantity.ranks, dtype=np.float64)
    if len(values) < ENOUGH_ORIGINS:
        return None
    cells = found.universes + 1
    bins = _bins(len(values), cells)
    edges = np.linspace(0.0, 1.0, bins + 1)
    left, right = values[:, None] - 0.5 / cells, values[:, None] + 0.5 / cells
    held = np.minimum(right, edges[1:]) - np.maximum(left, edges[:-1])  # (K, B)
    counts = np.clip(held * cells, 0.0, 1.0).sum(axis=0)
    low, high = stats.binom(len(values), 1 / bins).ppf([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Ranks(values, counts, float(low), float(high))


def sentence(found: Ranks, quantity: str) -> str:
    """What the histogram shows: how many outcomes lie outermost, and what that says of the universes.

    Args:
        found: the histogram.
        quantity: one of `SIDES`.
    """
    first, last, count = (outcomes(number) for number in (found.counts[0], found.counts[-1], len(found.values)))
    text = (
        f"{first} and {last} of {count} outcomes lie in the universes' lowest and highest {found.part}, where "
        f"{outcomes(found.even)} in each would be even"
    )
    side, spread = _deviations(found.values)
    limit = float(stats.norm.ppf(1 - (1 - LEVEL) / 4))  # two questions, so that even ranks rarely fail either
    told = []
    if abs(side) > limit:
        lower, higher = SIDES[quantity]
        below = side < 0
        told.append(
            f"they pile up on the {'low' if below else 'high'} side: what followed was mostly "
            f"{lower if below else higher} than the universes, which are biased {'upwards' if below else 'downwards'}"
        )
    if spread > limit and (not told or min(found.counts[0], found.counts[-1]) > found.even):
        told.append("they pile up at the edges: the universes are too narrow")
    if spread < -limit:
        told.append("they pile up in the middle: the universes are too wide")
    even = f"that is no more uneven than chance makes {count}: no sign of universes too narrow, too wide or biased"
    return f"{text}; {', and '.join(told) or even}."


def outcomes(number: float) -> str:
    """A number of outcomes, of which some count in parts: 7, 4.8."""
    return f"{round(float(number), 1):g}"


def _bins(count: int, cells: int) -> int:
    """How many bins: as many as the outcomes fill, and of whole cells where that is possible with nearly as many."""
    most = max(3, min(MAX_BINS, count // PER_BIN))
    whole = [bins for bins in range(most, max(3, most // 2) - 1, -1) if cells % bins == 0]
    return whole[0] if whole else most


def _deviations(values: FloatArray) -> tuple[float, float]:
    """Mean rank and mean distance from the middle, in standard errors from what even ranks have."""
    error = math.sqrt(1 / 12 / len(values))
    return float(values.mean() - 0.5) / error, float(np.abs(2 * values - 1).mean() - 0.5) / error
