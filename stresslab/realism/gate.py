"""The gate: questions to the origins, each with an interval and a range that is acceptable, and the label they give.

`rolling_origins` makes the origins. Thresholds are chosen so that universes of the true process pass, and
those that are too narrow, too wide, led back to the past's mean or broken at the seam do not; tests hold that.
K is origins, N universes, H bars of horizon.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.core.plain_json import plain
from stresslab.metrics import forecast_scores, stylized_facts
from stresslab.metrics.distribution import Interval
from stresslab.realism.rolling_origins import Origin

Label = Literal["trusted", "caution", "not trusted"]
Outcome = Literal["passed", "caution", "failed", "not assessable"]

ENOUGH_ORIGINS = 12
"""Fewer independent origins than this cannot establish trust."""
REVERSION = 0.2
"""Share of the way back to the past's mean price that a generator may lead by the horizon without support."""
NEXT_BARS = 3
"""Bars after the first with which it is compared: few, so that a change of regime hardly matters."""


@dataclass(frozen=True)
class Check:
    """One question that the gate asks.

    Attributes:
        name: of the check.
        value: what was found.
        low: lower end of its interval.
        high: upper end of its interval.
        least: lower end of what is acceptable.
        most: upper end of what is acceptable.
        outcome: failed when the whole interval lies outside the acceptable range; caution when the value alone does,
            unless the interval holds what a perfect generator would have.
        reason: in words.
    """

    name: str
    value: float
    low: float
    high: float
    least: float
    most: float
    outcome: Outcome
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {key: plain(value) if isinstance(value, float) else value for key, value in asdict(self).items()}


def gate(origins: Sequence[Origin], further: Sequence[Check] = ()) -> tuple[Label, tuple[str, ...], tuple[Check, ...]]:
    """The label of the origins, its reasons in words, and every check that led to it; `further` ones count as well."""
    checks = (*(check(origins) for check in CHECKS), *further)
    failed = [check.reason for check in checks if check.outcome == "failed"]
    doubtful = [check.reason for check in checks if check.outcome == "caution"]
    if len(origins) < ENOUGH_ORIGINS:
        were = "origin was" if len(origins) == 1 else "origins were"
        doubtful.append(
            f"Only {len(origins)} independent {were} to be had, and trust takes {ENOUGH_ORIGINS}: more history or a "
            "shorter horizon is needed."
        )
    if failed:
        return "not trusted", (*failed, *doubtful), checks
    if doubtful:
        return "caution", tuple(doubtful), checks
    return "trusted", ("No check of the gate failed or raised caution.",), checks


def judged(
    name: str, found: Interval, acceptable: tuple[float, float], neutral: float, words: Callable[[], str], else_: str
) -> Check:
    """The outcome of a check; one without a value or bounds could not be assessed.

    Args:
        name: of the check.
        found: value and interval.
        acceptable: range.
        neutral: what a perfect generator would have.
        words: gives the reason where there are numbers to say.
        else_: what could not be assessed, and why.
    """
    least, most = acceptable
    if not all(math.isfinite(number) for number in (found.value, found.low, found.high)):
        return Check(
            name, found.value, found.low, found.high, least, most, "not assessable", f"Not assessable: {else_}"
        )
    if found.low > most or found.high < least:
        outcome: Outcome = "failed"
    elif least <= found.value <= most or found.low <= neutral <= found.high:
        outcome = "passed"
    else:
        outcome = "caution"
    return Check(name, found.value, found.low, found.high, least, most, outcome, words())


def _volatility_check(origins: Sequence[Origin]) -> Check:
    """Volatility of the universes over that of what followed, both over the horizon: mean difference of logs."""
    differences = []
    for origin in origins:
        real = stylized_facts.volatility(origin.real_returns)
        if real > 0:
            sampled = np.sqrt((origin.returns**2).mean(axis=1)) / real
            differences.append(float(np.log(np.maximum(sampled, 1e-6)).mean()))
    found = _exponential(forecast_scores.mean_interval(differences))
    return judged(
        "volatility", found, (0.8, 1.25), 1.0,
        lambda: f"Universes are {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as volatile as what "
        "followed.",
        "the volatility, for too few origins after which prices moved.",
    )  # fmt: skip


def _coverage_check(origins: Sequence[Origin]) -> Check:
    """Share of outcomes at the horizon inside the 90% interval; a 99% interval, since few origins say little."""
    ranks = [forecast_scores.pit(origin.paths[:, -1], float(origin.real[-1])) for origin in origins]
    found = forecast_scores.coverage(ranks, 0.9, len(origins[0].paths), confidence=0.99)
    return judged(
        "coverage_90", found, (0.75, 0.98), 0.9,
        lambda: f"{found.value:.0%} [{found.low:.0%}, {found.high:.0%}] of the {len(origins)} outcomes lie in the "
        "universes' 90% intervals of the return at the horizon.",
        "the coverage of the return's intervals.",
    )  # fmt: skip


def _reversion_check(origins: Sequence[Origin]) -> Check:
    """How far the mean universe returns to the past's mean price by the horizon, as a share of the way.

    The slope of the mean sampled log-return on the displacement at the origin. Prices hardly ever return so, so it is
    for reality's own slope to support a generator that says they do: by a 99% interval, since in one series a random
    walk, too, seems to return to the mean of its past (Stambaugh 1999).
    """
    away = -np.array([origin.displacement for origin in origins])
    found = _slope(away, np.array([float(origin.paths[:, -1].mean()) for origin in origins]))
    real = _slope(away, np.array([float(origin.real[-1]) for origin in origins]))
    strict = _slope(away, np.array([float(origin.real[-1]) for origin in origins]), level=0.99)
    supported = strict.low > 0.0 and real.low <= found.value <= real.high
    most = max(REVERSION, real.high) if supported else REVERSION
    return judged(
        "reversion", found, (-most, most), 0.0,
        lambda: f"Universes go {found.value:.0%} [{found.low:.0%}, {found.high:.0%}] of the way back to the past's "
        f"mean price by the horizon; what followed went {real.value:.0%} [{real.low:.0%}, {real.high:.0%}] of it.",
        "a return to the past's mean price, which takes four origins at different distances from it.",
    )  # fmt: skip


def _jump_check(origins: Sequence[Origin]) -> Check:
    """A move of the first bar that all universes of an origin share, beyond what the next bars have of it, in sigmas.

    The root of the mean excess of squares. Chance and a generator's expectations move the next bars alike; a break
    between the last real bar and the first generated one does not.
    """
    excesses = []
    for origin in origins:
        first, later = origin.returns[:, 0], origin.returns[:, 1:]
        sigma = stylized_facts.volatility(later) if later.size else 0.0
        if sigma > 0:
            usual = float((later[:, :NEXT_BARS].mean(axis=0) ** 2).mean())
            excesses.append((float(first.mean()) ** 2 - usual) / sigma**2)
    mean = forecast_scores.mean_interval(excesses)
    found = Interval(*(math.copysign(math.sqrt(abs(end)), end) for end in (mean.value, mean.low, mean.high)))
    return judged(
        "first_bar_jump", found, (-1.0, 0.3), 0.0,
        lambda: f"The first bar moves all universes of an origin together by {max(0.0, found.value):.2f} "
        f"[{max(0.0, found.low):.2f}, {max(0.0, found.high):.2f}] bar sigmas more than the next {NEXT_BARS} do.",
        "a jump at the first bar, for too few origins or bars after the first.",
    )  # fmt: skip


def _first_bar_check(origins: Sequence[Origin]) -> Check:
    """Volatility of the first bar over that of the next few."""
    ratios = []
    for origin in origins:
        first, later = origin.returns[:, 0], origin.returns[:, 1 : 1 + NEXT_BARS]
        if later.size and later.std() > 0:
            ratios.append(math.log(max(float(first.std()) / float(later.std()), 1e-6)))
    found = _exponential(forecast_scores.mean_interval(ratios))
    return judged(
        "first_bar_volatility", found, (0.8, 1.25), 1.0,
        lambda: f"The first bar is {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as volatile as the "
        f"next {NEXT_BARS}.",
        "the volatility of the first bar, for too few origins or bars after the first.",
    )  # fmt: skip


def _lag_one_check(origins: Sequence[Origin]) -> Check:
    """Autocorrelation of returns at lag 1: universes less reality."""
    found = _difference(origins, stylized_facts.lag_one)
    return judged(
        "lag_one", found, (-0.1, 0.1), 0.0,
        lambda: f"Lag-1 autocorrelation of returns differs from reality's by {found.value:+.3f} "
        f"[{found.low:+.3f}, {found.high:+.3f}].",
        "the autocorrelation of returns, for too few origins after which prices moved.",
    )  # fmt: skip


def _clustering_check(origins: Sequence[Origin]) -> Check:
    """Mean autocorrelation of absolute returns: universes less reality."""
    found = _difference(origins, stylized_facts.clustering)
    return judged(
        "clustering", found, (-0.15, 0.15), 0.0,
        lambda: f"Clustering of volatility (autocorrelation of |returns|) differs from reality's by "
        f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}].",
        "the clustering of volatility, for too few origins or too short a horizon.",
    )  # fmt: skip


def _repair_check(origins: Sequence[Origin]) -> Check:
    """Share of sampled bars that were impossible."""
    share = float(np.mean([origin.repaired for origin in origins]))
    return judged(
        "repaired_bars", Interval(share, share, share), (0.0, 0.05), 0.0,
        lambda: f"{share:.2%} of the bars were impossible and had to be repaired.",
        "repairs.",
    )  # fmt: skip


def _support_check(origins: Sequence[Origin]) -> Check:
    """Share of universes that touch the end of what the model can represent."""
    shares = [origin.support for origin in origins if origin.support is not None]
    share = float(np.mean(shares)) if shares else math.nan
    return judged(
        "support", Interval(share, share, share), (0.0, 0.05), 0.0,
        lambda: f"{share:.1%} of universes touch the last price that the model can represent.",
        "an end of what the generator can represent, since it has none.",
    )  # fmt: skip


CHECKS: tuple[Callable[[Sequence[Origin]], Check], ...] = (
    _volatility_check,
    _coverage_check,
    _reversion_check,
    _jump_check,
    _first_bar_check,
    _lag_one_check,
    _clustering_check,
    _repair_check,
    _support_check,
)
"""Every question, the gravest first."""


def _exponential(found: Interval) -> Interval:
    return Interval(*(math.exp(end) if end < 700 else math.inf for end in (found.value, found.low, found.high)))


def _difference(origins: Sequence[Origin], fact: Callable[[FloatArray], float]) -> Interval:
    """A fact of the universes less that of reality, origin by origin."""
    differences = [fact(origin.returns) - fact(origin.real_returns) for origin in origins]
    return forecast_scores.mean_interval([difference for difference in differences if math.isfinite(difference)])


def _slope(x: FloatArray, y: FloatArray, level: float = 0.95) -> Interval:
    """Least-squares slope with Student's interval; no bounds below four points."""
    from scipy import stats

    if len(x) < 4 or np.ptp(x) == 0:
        return Interval(math.nan, -math.inf, math.inf)
    if np.ptp(y) == 0:
        return Interval(0.0, 0.0, 0.0)
    fit = stats.linregress(x, y)
    half = float(stats.t.ppf(0.5 + level / 2, len(x) - 2)) * float(fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half)
