"""The gate's questions to the origins of one series: each with an interval, a range that is acceptable, and an outcome.

How origins were made, and which label the answers give, is not known here. K is origins, N universes, H bars of
horizon.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from stresslab.core.arrays import FloatArray
from stresslab.metrics import forecast_scores, stylized_facts
from stresslab.metrics.distribution import Interval, wilson
from stresslab.realism.calibration import leads, maximum_drawdown
from stresslab.realism.checks import MAIN_REJECTION, NARROW_REJECTION, Check, Measure, judged
from stresslab.realism.overlap import design_effect
from stresslab.realism.rolling_origins import Origin

REVERSION = 0.2
"""Share of the way back to the past's mean price that a generator may lead by the horizon without support."""
NEXT_BARS = 3
"""Bars after the first with which it is compared: few, so that a change of regime hardly matters."""
VOLATILITY, COVERAGE, TURBULENT, SPREAD = (0.85, 1.18), (0.84, 0.96), (0.78, 0.98), (0.85, 1.18)
"""Acceptable: a volatility or spread off by less than a sixth, 84 to 96% of outcomes inside 90% intervals."""
AT_HORIZON = (0.75, 1.12)
"""The same of distances at the horizon, about 86 to 97%: too narrow intervals hide risk, so they are granted less."""
DRAWDOWN, SENSITIVITY = (-0.12, 0.12), (-0.4, 0.4)
SCATTER = 0.9
"""Deviation of the mean squared normal score of one origin's leads, about; what few origins show may be far less."""
LEAST_STATES = 8
"""Origins at different states of volatility, at least, for the slope of the universes' answer to them."""
LEAST_UNIVERSES = 8
"""Universes at each origin, at least, to hold one against the others."""


def _volatility_check(origins: Sequence[Origin]) -> Check:
    """Volatility of the universes over that of what followed, both over the horizon: mean difference of logs."""
    moved = [origin for origin in origins if stylized_facts.volatility(origin.real_returns) > 0]
    differences, effect = [], design_effect(moved)
    for origin in moved:
        sampled = np.sqrt((origin.returns**2).mean(axis=1)) / stylized_facts.volatility(origin.real_returns)
        differences.append(float(np.log(np.maximum(sampled, 1e-6)).mean()))
    return judged(
        "volatility", lambda level: _exponential(forecast_scores.mean_interval(differences, level, effect)),
        VOLATILITY, 1.0,
        lambda found: f"Universes are {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as volatile as what "
        "followed.",
        "the volatility, for too few origins after which prices moved.", MAIN_REJECTION,
    )  # fmt: skip


def _coverage_check(origins: Sequence[Origin]) -> Check:
    """Share of outcomes inside the 90% intervals, at all leads: of one origin they count by how far they agree."""
    return judged(
        "coverage_90", lambda level: _covered(origins, level), COVERAGE, 0.9,
        lambda found: f"{found.value:.0%} [{found.low:.0%}, {found.high:.0%}] of the outcomes after {len(origins)} "
        f"origins lie in the universes' 90% intervals of the return at {_at(origins)} bars.",
        "the coverage of the return's intervals.",
    )  # fmt: skip


def _spread_check(origins: Sequence[Origin]) -> Check:
    """How widely outcomes scatter in the universes' distributions, over what ranks of that distribution would.

    Normal scores of the outcomes' ranks (Berkowitz 2001), root mean square; far more telling than a count of those
    inside an interval.
    """
    expected = _expected_square(len(origins[0].paths)) if origins else 1.0
    squares = [float((_scores(_ranks(origin), len(origin.paths)) ** 2).mean()) / expected for origin in origins]
    effect = design_effect(origins, squares=True)

    def measure(level: float) -> Interval:
        from scipy import stats

        mean = forecast_scores.mean_interval(squares, level, effect)
        least = float(stats.norm.ppf(0.5 + level / 2)) * SCATTER / math.sqrt(max(1, len(squares) / effect))
        low, high = min(mean.low, mean.value - least), max(mean.high, mean.value + least)
        return Interval(*(math.sqrt(max(0.0, end)) for end in (mean.value, low, high)))

    return judged(
        "spread", measure, SPREAD, 1.0,
        lambda found: f"What followed scattered {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as widely "
        "as the universes promised.",
        "the spread of outcomes, for too few origins.", MAIN_REJECTION,
    )  # fmt: skip


def _horizon_check(origins: Sequence[Origin]) -> Check:
    """How far outcomes lie from the universes' mean at the horizon alone, over what the universes promise.

    Intervals that are right on the first bars may be wrong there, and an average over leads hides it.
    """
    enough = [origin for origin in origins if len(origin.paths) >= LEAST_UNIVERSES]
    used = [origin for origin in enough if np.ptp(origin.real) > 0 and len(np.unique(origin.paths[:, -1])) > 2]
    ends, real = np.array([origin.paths[:, -1] for origin in used]), np.array([origin.real[-1] for origin in used])
    effect = design_effect(used, squares=True)
    return judged(
        "spread_horizon", lambda level: forecast_scores.scatter(ends, real, level, effect), AT_HORIZON, 1.0,
        lambda found: f"At bar {len(origins[0].real)} what followed lay {found.value:.2f} [{found.low:.2f}, "
        f"{found.high:.2f}] times as far from the universes' mean as they promised.",
        "the spread of outcomes at the horizon, for too few origins or universes.", NARROW_REJECTION,
    )  # fmt: skip


def _drawdown_check(origins: Sequence[Origin]) -> Check:
    """Mean rank of the drawdowns that followed among the universes', less one half: below 0 reality fell deeper."""
    moved = [origin for origin in origins if np.ptp(origin.real) > 0]
    ranks = [
        forecast_scores.pit(maximum_drawdown(origin.paths), float(maximum_drawdown(origin.real[None])[0])) - 0.5
        for origin in moved
    ]
    count = len(moved) / design_effect(moved)

    def measure(level: float) -> Interval:
        """Ranks of true universes are uniform: their variance is known, which few of them could not tell."""
        from scipy import stats

        if not ranks:
            return Interval(math.nan, -math.inf, math.inf)
        mean, half = float(np.mean(ranks)), float(stats.norm.ppf(0.5 + level / 2)) / math.sqrt(12 * count)
        return Interval(mean, mean - half, mean + half)

    return judged(
        "drawdown", measure, DRAWDOWN, 0.0,
        lambda found: f"The drawdowns that followed were deeper than {0.5 - found.value:.0%} "
        f"[{max(0.5 - found.high, 0):.0%}, {min(0.5 - found.low, 1):.0%}] of the universes', where half is right.",
        "drawdowns, for too few origins after which prices moved.",
    )  # fmt: skip


def _turbulent_check(origins: Sequence[Origin]) -> Check:
    """Coverage of the 90% intervals at the origins whose recent volatility is above the median."""
    recent = np.array([origin.recent_volatility for origin in origins])
    wild = [origin for origin, high in zip(origins, recent > np.median(recent), strict=True) if high]
    return judged(
        "coverage_turbulent", lambda level: _covered(wild, level), TURBULENT, 0.9,
        lambda found: f"Of the outcomes after {len(wild)} turbulent origins {found.value:.0%} [{found.low:.0%}, "
        f"{found.high:.0%}] lie in the 90% intervals.",
        "coverage in turbulent times, without origins more turbulent than others.",
    )  # fmt: skip


def _sensitivity_check(origins: Sequence[Origin]) -> Check:
    """How the universes' volatility answers to the state at the origin, less how reality's does: a slope of logs."""
    states, answers, used = [], [], []
    for origin in origins:
        real, usual = stylized_facts.volatility(origin.real_returns), origin.usual_volatility
        if real > 0 and usual > 0 and origin.recent_volatility > 0 and origin.returns.any():
            states.append(math.log(origin.recent_volatility / usual))
            answers.append(math.log(stylized_facts.volatility(origin.returns) / real))
            used.append(origin)
    effect = design_effect(used)
    enough = len(states) / effect >= LEAST_STATES

    def measure(level: float) -> Interval:
        if not enough:
            return _slope(np.empty(0), np.empty(0))
        return _slope(np.array(states), np.array(answers), level, effect)

    return judged(
        "sensitivity", measure, SENSITIVITY, 0.0,
        lambda found: f"Where volatility was twice the usual, the universes' over reality's lies {2**found.value:.2f} "
        f"[{2**found.low:.2f}, {2**found.high:.2f}] times as high as elsewhere.",
        f"how volatility follows its state, which takes {LEAST_STATES} origins in different states.",
    )  # fmt: skip


def _reversion_check(origins: Sequence[Origin]) -> Check:
    """How far the mean universe returns to the past's mean price by the horizon, as a share of the way.

    The slope of the mean sampled log-return on the displacement at the origin. Prices hardly ever return so, so it is
    for reality's own slope to support a generator that says they do: by a 99% interval, since in one series a random
    walk, too, seems to return to the mean of its past (Stambaugh 1999).
    """
    away = -np.array([origin.displacement for origin in origins])
    sampled = np.array([float(origin.paths[:, -1].mean()) for origin in origins])
    followed = np.array([float(origin.real[-1]) for origin in origins])
    effect = design_effect(origins)
    found, real = _slope(away, sampled), _slope(away, followed, effect=effect)
    supported = _slope(away, followed, 0.99, effect).low > 0.0 and real.low <= found.value <= real.high
    most = max(REVERSION, real.high) if supported else REVERSION
    followed_words = (
        f"what followed went {real.value:.0%} [{real.low:.0%}, {real.high:.0%}] of it"
        if math.isfinite(real.value)
        else "what followed are too few origins that do not overlap to say the same of it"
    )
    return judged(
        "reversion", lambda level: _slope(away, sampled, level), (-most, most), 0.0,
        lambda found: f"Universes go {found.value:.0%} [{found.low:.0%}, {found.high:.0%}] of the way back to the "
        f"past's mean price by the horizon; {followed_words}.",
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

    def measure(level: float) -> Interval:
        mean = forecast_scores.mean_interval(excesses, level)
        return Interval(*(math.copysign(math.sqrt(abs(end)), end) for end in (mean.value, mean.low, mean.high)))

    return judged(
        "first_bar_jump", measure, (-1.0, 0.3), 0.0,
        lambda found: f"The first bar moves all universes of an origin together by {max(0.0, found.value):.2f} "
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
    return judged(
        "first_bar_volatility", lambda level: _exponential(forecast_scores.mean_interval(ratios, level)), (0.8, 1.25),
        1.0,
        lambda found: f"The first bar is {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] times as volatile as "
        f"the next {NEXT_BARS}.",
        "the volatility of the first bar, for too few origins or bars after the first.",
    )  # fmt: skip


def _lag_one_check(origins: Sequence[Origin]) -> Check:
    """Autocorrelation of returns at lag 1: universes less reality."""
    return judged(
        "lag_one", _difference(origins, stylized_facts.lag_one), (-0.1, 0.1), 0.0,
        lambda found: f"Lag-1 autocorrelation of returns differs from reality's by {found.value:+.3f} "
        f"[{found.low:+.3f}, {found.high:+.3f}].",
        "the autocorrelation of returns, for too few origins after which prices moved.",
    )  # fmt: skip


def _clustering_check(origins: Sequence[Origin]) -> Check:
    """Mean autocorrelation of absolute returns: universes less reality."""
    return judged(
        "clustering", _difference(origins, stylized_facts.clustering), (-0.15, 0.15), 0.0,
        lambda found: f"Clustering of volatility (autocorrelation of |returns|) differs from reality's by "
        f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}].",
        "the clustering of volatility, for too few origins or too short a horizon.",
    )  # fmt: skip


def _repair_check(origins: Sequence[Origin]) -> Check:
    """Share of sampled bars that were impossible."""
    share = float(np.mean([origin.repaired for origin in origins]))
    return judged(
        "repaired_bars", lambda _: Interval(share, share, share), (0.0, 0.05), 0.0,
        lambda found: f"{found.value:.2%} of the bars were impossible and had to be repaired.",
        "repairs.",
    )  # fmt: skip


def _support_check(origins: Sequence[Origin]) -> Check:
    """Share of universes that touch the end of what the model can represent."""
    shares = [origin.support for origin in origins if origin.support is not None]
    share = float(np.mean(shares)) if shares else math.nan
    return judged(
        "support", lambda _: Interval(share, share, share), (0.0, 0.05), 0.0,
        lambda found: f"{found.value:.1%} of universes touch the last price that the model can represent.",
        "an end of what the generator can represent, since it has none.",
    )  # fmt: skip


CHECKS: tuple[Callable[[Sequence[Origin]], Check], ...] = (
    _volatility_check,
    _coverage_check,
    _spread_check,
    _horizon_check,
    _drawdown_check,
    _turbulent_check,
    _sensitivity_check,
    _reversion_check,
    _jump_check,
    _first_bar_check,
    _lag_one_check,
    _clustering_check,
    _repair_check,
    _support_check,
)
"""Every question, the gravest first."""
DECIDING = ("volatility", "coverage_90", "spread", "spread_horizon", "drawdown")
"""What must be known to lie inside what is acceptable before a series' own origins make trust."""


def _exponential(found: Interval) -> Interval:
    return Interval(*(math.exp(end) if end < 700 else math.inf for end in (found.value, found.low, found.high)))


def _difference(origins: Sequence[Origin], fact: Callable[[FloatArray], float]) -> Measure:
    """A fact of the universes less that of reality, origin by origin."""
    differences = [fact(origin.returns) - fact(origin.real_returns) for origin in origins]
    known = np.isfinite(differences)
    effect = design_effect([origin for origin, is_known in zip(origins, known, strict=True) if is_known])
    return lambda level: forecast_scores.mean_interval(np.array(differences)[known], level, effect)


def _at(origins: Sequence[Origin]) -> str:
    """The leads in words."""
    *others, last = map(str, leads(len(origins[0].real)))
    return f"{', '.join(others)} and {last}" if others else last


def _ranks(origin: Origin) -> FloatArray:
    """Ranks (L,) of what followed at each lead."""
    return np.array(
        [
            forecast_scores.pit(origin.paths[:, lead - 1], float(origin.real[lead - 1]))
            for lead in leads(len(origin.real))
        ]
    )


def _scores(ranks: FloatArray, universes: int) -> FloatArray:
    """Normal scores of ranks, which lie in the middles of N + 1 cells."""
    from scipy import stats

    half = 0.5 / (universes + 1)
    return np.asarray(stats.norm.ppf(np.clip(ranks, half, 1 - half)))


def _expected_square(universes: int) -> float:
    """Mean square of the normal scores of N + 1 equally likely cells."""
    cells = (np.arange(universes + 1) + 0.5) / (universes + 1)
    return float((_scores(cells, universes) ** 2).mean())


def _covered(origins: Sequence[Origin], level: float) -> Interval:
    """Share of outcomes at all leads inside 90% intervals; Wilson's interval of as many as agree with their scatter.

    Outcomes of one origin are not independent. The number that counts is what would scatter as the origins' shares do,
    at least one per origin and at most all of them (Kish 1965, the design effect).
    """
    if not origins:
        return Interval(math.nan, -math.inf, math.inf)
    held = np.array([forecast_scores.inside(_ranks(origin), 0.9, len(origin.paths)).mean() for origin in origins])
    effect = design_effect(origins, squares=True)
    share, count, most = float(held.mean()), len(held) / effect, len(held) * len(leads(len(origins[0].real)))
    scatter = float(((held - share) ** 2).sum()) / (len(held) - effect) / count if count > 1 else 0.0
    effective = share * (1 - share) / scatter if scatter > 0 else float(count)
    effective = min(max(effective, count), most)
    return wilson(share * effective, effective, level)


def _slope(x: FloatArray, y: FloatArray, level: float = 0.95, effect: float = 1.0) -> Interval:
    """Least-squares slope with Student's interval; no bounds below four points, or what they are worth of such."""
    from scipy import stats

    if len(x) / effect < 4 or np.ptp(x) == 0:
        return Interval(math.nan, -math.inf, math.inf)
    if np.ptp(y) == 0:
        return Interval(0.0, 0.0, 0.0)
    fit = stats.linregress(x, y)
    half = float(stats.t.ppf(0.5 + level / 2, len(x) / effect - 2)) * float(fit.stderr) * math.sqrt(effect)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half)
