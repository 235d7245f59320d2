"""What an answer of the gate is: a figure with its interval, a range that is acceptable, and the outcome.

Which questions are asked is in `questions`, which label their answers give in `gate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import Interval

Outcome = Literal["passed", "open", "failed", "not assessable"]
Measure = Callable[[float], Interval]
"""The interval of a figure at a given confidence."""

EQUIVALENCE = 0.90
"""Confidence of the interval that must lie inside the acceptable range: two one-sided tests at 5% (Schuirmann 1987)."""
REJECTION = 0.998
"""Confidence of the interval that must leave out what a perfect generator would have. Together with those below, fewer
than 5% of perfect generators fail any of the questions."""
MAIN_REJECTION = 0.99
"""The same for volatility and spread, where most faults show."""
NARROW_REJECTION = (0.96, 0.99)
"""The same for intervals at the horizon: too narrow ones hide risk, so most of what chance may reject goes to them."""


@dataclass(frozen=True)
class Check:
    """One question that the gate asks.

    Attributes:
        name: of the check.
        value: what was measured.
        low: lower end of its 95% interval.
        high: upper end of it.
        least: lower end of what is acceptable.
        most: upper end of what is acceptable.
        outcome: "passed" where the evidence lies inside what is acceptable, "failed" where the value lies outside and
            chance does not explain how far it is from a perfect generator's, "open" where the evidence decides neither.
        reason: in words.
        off: whether the 95% interval leaves out what a perfect generator would have.
    """

    name: str
    value: float
    low: float
    high: float
    least: float
    most: float
    outcome: Outcome
    reason: str
    off: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether the value lies outside what is acceptable, although chance may explain it."""
        return self.outcome == "open" and not self.least <= self.value <= self.most

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        content = asdict(self)
        del content["off"]  # a step on the way to the label
        return {key: plain(value) if isinstance(value, float) else value for key, value in content.items()}


def judged(
    name: str,
    measure: Measure,
    acceptable: tuple[float, float],
    neutral: float,
    words: Callable[[Interval], str],
    else_: str,
    rejection: float | tuple[float, float] = REJECTION,
) -> Check:
    """The outcome of a check; one without a value or bounds could not be assessed.

    Args:
        name: of the check.
        measure: its interval at a confidence.
        acceptable: range.
        neutral: what a perfect generator would have.
        words: the reason, given value and 95% interval, where there are numbers to say.
        else_: what could not be assessed, and why.
        rejection: confidence of the interval that must leave out `neutral`; two, for its lower and for its upper end,
            where one direction of a fault is worse.
    """
    found, inner = measure(0.95), measure(EQUIVALENCE)
    lower, upper = rejection if isinstance(rejection, tuple) else (rejection, rejection)
    least, most = acceptable
    if not all(math.isfinite(number) for number in (found.value, found.low, found.high)):
        return Check(
            name, found.value, found.low, found.high, least, most, "not assessable", f"Not assessable: {else_}"
        )
    outcome: Outcome = "open"
    if least <= inner.low and inner.high <= most:
        outcome = "passed"
    elif not least <= found.value <= most and not measure(lower).low <= neutral <= measure(upper).high:
        outcome = "failed"
    off = not found.low <= neutral <= found.high
    return Check(name, found.value, found.low, found.high, least, most, outcome, words(found), off)
