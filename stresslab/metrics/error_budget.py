"""The error of a figure in its parts: chance, choice of generator, choice of origin; and how to buy less chance.

It knows figures and intervals. Only the part of chance shrinks with the number of universes, so the parts are laid side
by side and never added into one number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import LEVEL, Interval, wilson
from stresslab.metrics.laws import normal_quantile

MIN_UNIVERSES = 1000
"""Universes before a first look: with fewer, shares near 0 would end the sampling by luck, and lean towards 0."""
GROWTH = 4.0
"""A stage at most multiplies the universes by this, so that a first guess that is off is corrected early."""


@dataclass(frozen=True)
class Part:
    """One part of a figure's error.

    Attributes:
        name: "monte_carlo", "generators" or "origins".
        low: lower end.
        high: upper end.
        count: universes, generators or origins that it rests on.
        note: what the ends are, in plain words.
    """

    name: str
    low: float
    high: float
    count: int
    note: str

    @property
    def width(self) -> float:
        """From end to end; NaN where it was not assessed."""
        return self.high - self.low

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        ends = {"low": plain(self.low), "high": plain(self.high)}
        return {"name": self.name, **ends, "count": self.count, "note": self.note}


@dataclass(frozen=True)
class Budget:
    """A figure and the parts of its error.

    Attributes:
        value: the figure.
        parts: Monte Carlo error first; then those that were assessed.
    """

    value: float
    parts: tuple[Part, ...]

    @property
    def widest(self) -> Part:
        """The part that limits what the figure is worth."""
        return max(self.parts, key=lambda part: -1.0 if math.isnan(part.width) else part.width)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "value": plain(self.value),
            "parts": [part.to_dict() for part in self.parts],
            "widest": self.widest.name,
        }


def budget(
    figure: Interval,
    universes: int,
    *,
    by_generator: Mapping[str, float] | None = None,
    by_origin: Sequence[float] | None = None,
    variances: Sequence[float] | None = None,
) -> Budget:
    """The error budget of a figure.

    Args:
        figure: with its Monte Carlo interval: Wilson's for a share, order statistics for a quantile, the bootstrap's
            for a shortfall.
        universes: behind it.
        by_generator: the figure under each generator, the run's own included; the part is their range, as generators
            are few and chosen by hand.
        by_origin: the figure at each origin, which are at least a horizon apart; the part is the figure -+ twice the
            spread between origins that Monte Carlo error does not explain (method of moments, DerSimonian & Laird
            1986): where the figure of another origin is to be expected.
        variances: Monte Carlo variance of each of those.
    """
    parts = [Part("monte_carlo", figure.low, figure.high, universes, "chance: more universes make it smaller")]
    if by_generator is not None and len(by_generator) > 1:
        values = [value for value in (*by_generator.values(), figure.value) if math.isfinite(value)]
        low, high = (min(by_generator, key=by_generator.__getitem__), max(by_generator, key=by_generator.__getitem__))
        note = f"choice of the generator: from {low} to {high}"
        parts.append(Part("generators", min(values), max(values), len(by_generator), note))
    if by_origin is not None and len(by_origin) > 1:
        spread = spread_between(by_origin, variances)
        note = "choice of the origin: twice the spread between origins, chance taken out"
        parts.append(Part("origins", figure.value - 2 * spread, figure.value + 2 * spread, len(by_origin), note))
    return Budget(figure.value, tuple(parts))


def spread_between(values: Sequence[float], variances: Sequence[float] | None = None) -> float:
    """Standard deviation between groups less what each one's error explains (DerSimonian & Laird 1986), at least 0.

    Args:
        values: (K,) one figure per group.
        variances: (K,) of each figure's own error; none when None.
    """
    numbers = np.asarray(values, dtype=np.float64)
    noise = 0.0 if variances is None else float(np.mean(variances))
    return math.sqrt(max(0.0, float(numbers.var(ddof=1)) - noise))


def variance_within(low: float | None, high: float | None, level: float = LEVEL) -> float:
    """Variance of a figure whose interval has these ends, as if it were normal; 0 where an end is not known.

    Args:
        low: lower end; None where so few universes cannot bound it.
        high: upper end.
        level: coverage of the interval.
    """
    if low is None or high is None:
        return 0.0
    return ((high - low) / (2 * float(normal_quantile(0.5 + level / 2)))) ** 2


def half_width(successes: float, universes: int, level: float = LEVEL) -> float:
    """Half the width of Wilson's interval of a share; 0.5 without universes."""
    interval = wilson(successes, universes, level)
    return (interval.high - interval.low) / 2


def universes_for_precision(share: float, precision: float, level: float = LEVEL) -> int:
    """The least number of universes at which Wilson's interval of a share has a half-width of at most `precision`.

    Args:
        share: p, assumed to stay.
        precision: such as 0.01.
        level: coverage.
    """
    if not 0 < precision < 0.5:
        raise InputError(f"precision={precision} is not a half-width of a share in (0, 0.5); for 1% write 0.01")
    low, high = 1, 2
    while half_width(share * high, high, level) > precision:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if half_width(share * middle, middle, level) > precision else (low, middle)
    return high


def more_universes(losses: int, universes: int, precision: float, most: int, level: float = LEVEL) -> int:
    """How many more universes to sample until P(loss) is known to `precision`; 0 to stop.

    The sequential rule of fixed width (Chow & Robbins 1965): sample in stages, and stop at the first stage at which
    half of Wilson's interval is at most `precision`. Each stage asks for what the share so far needs, and at most
    multiplies the universes by `GROWTH`. As shares near 0 and 1 stop sooner,
    the estimate leans towards them by an order of 1 / N, some hundredths of the precision; coverage stays near nominal
    (both measured in `benchmarks/verdict.py`). The rule looks at the width alone, never at which side of a threshold
    the share lies on, so it cannot stop because an answer is welcome.

    Args:
        losses: universes that lost, so far.
        universes: how many there are so far.
        precision: half-width aimed at.
        most: universes that there may be.
        level: coverage.
    """
    if universes < min(MIN_UNIVERSES, most):
        return min(MIN_UNIVERSES, most) - universes
    needed = universes_for_precision(losses / universes if universes else 0.5, precision, level)
    if half_width(losses, universes, level) <= precision or universes >= most:
        return 0
    return int(min(max(needed, universes + 1), math.ceil(universes * GROWTH), most)) - universes


def monte_carlo_variance(share: float, universes: int) -> float:
    """Variance of a share by chance, p (1 - p) / N, p with two universes added to both sides (Agresti & Coull 1998)."""
    adjusted = (share * universes + normal_quantile(0.975) ** 2 / 2) / (universes + normal_quantile(0.975) ** 2)
    return float(adjusted * (1 - adjusted) / universes)
