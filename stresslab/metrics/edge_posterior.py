"""What real bars say about a timing Sharpe ratio: its posterior, after selection and with fresh evidence.

It knows estimates, their errors and how many trials there were. Where these come from is asked elsewhere; ratios are
annual throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.plain_json import plain
from stresslab.metrics.distribution import Interval
from stresslab.metrics.laws import normal_log_density, normal_quantile

PRIOR_SD = 2.0
"""Standard deviation of the prior of a true timing Sharpe ratio; its mean is 0. It is weakly informative (Gelman,
Jakulin, Pittau & Su 2008): 95% of it lie between -4 and 4, before costs, beyond which no record of years is known. It
takes no haircut for selection, which the likelihood takes already: the ratio of live records to backtests (a quarter in
the median of 215 promoted strategies; Suhonen, Lennkh & Perez 2017) would then count twice. It shrinks an estimate from
10 years by 2% and one from 2 years by 11%."""
ASSUMED_TRIALS = 20
"""Trials assumed when none are reported: as many as it takes until a test at 5% passes one by luck alone."""
LEVEL = 0.90
"""Coverage of the credible interval."""
_REACH = 8.0
"""Standard deviations of a normal density beyond which it is taken as zero."""


@dataclass(frozen=True)
class Evidence:
    """An estimate of the annual timing Sharpe ratio that owes nothing to how the strategy was chosen.

    Attributes:
        sharpe: the estimate.
        error: its standard error.
    """

    sharpe: float
    error: float


@dataclass(frozen=True)
class Spells:
    """That an edge is worth more at some times than at others.

    Attributes:
        variance: v, the long-run variance of timing gains over their variance, at the estimate.
        bars: of the shortest spells that are seen in it.
    """

    variance: float = 1.0
    bars: float = 1.0


@dataclass(frozen=True, eq=False)
class EdgePosterior:
    """The posterior of the true annual timing Sharpe ratio theta, on a grid.

    With prior N(0, tau^2) and an estimate x of standard error s that is the largest of M, of which the others have no
    edge, the posterior density is proportional to phi(theta / tau) phi((x - theta) / s) / C(theta), where
    C(theta) = integral of phi((y - theta) / s) Phi(y / s)^(M - 1) dy / s is the probability that this trial is the one
    chosen. That is the likelihood conditional on selection (Dawid 1994; Efron 2011; Lee et al. 2016), for a winner
    whose unselected form is the deflated Sharpe ratio (Bailey & Lopez de Prado 2014; Harvey & Liu 2015). Each piece of
    fresh evidence multiplies in phi((x_k - theta) / s_k), without a correction.

    An edge makes its own estimate less certain, by the spells that it comes in and by the volatility that it is divided
    by (`market_timing.gains_variance`). So the standard error grows with theta, from s without an edge, which is what
    random orders of the bars show, to r s at the estimate: s(theta)^2 = s^2 (1 + (r^2 - 1) u^2), u = theta / x within
    0 and 1.

    Selection can take an edge away, it makes none negative: an estimate below the median best of M such trials is taken
    for the best of only as many as have their median best there, M' = log(1/2) / log Phi(x / s), at least 1. It then
    stands for M' of the M trials; for what is left, 1 - M' / M, it is one of the others, whose theta is 0. Fresh
    evidence weighs the two against each other by Bayes' rule.

    Attributes:
        theta: (G,) values of the ratio, increasing, equally far apart.
        density: (G,) posterior probability of each, were this the trial that may have an edge.
        trials: M', an effective number, at most the one given.
        prior_sd: tau.
        evidence: what it was made from, the selected estimate first.
        inflation: r.
        spells: that the edge comes in.
        null: probability that this is one of the trials without an edge, theta = 0.
    """

    theta: FloatArray
    density: FloatArray
    trials: float
    prior_sd: float
    evidence: tuple[Evidence, ...] = ()
    inflation: float = 1.0
    spells: Spells = field(default_factory=Spells)
    null: float = 0.0

    @classmethod
    def again(
        cls, evidence: Sequence[Evidence], trials: float, prior_sd: float, inflation: float, spells: Spells, null: float
    ) -> EdgePosterior:
        """The posterior that stored evidence gives, the selected estimate first."""
        first, *fresh = evidence
        found = edge_posterior(first.sharpe, first.error, trials, fresh, prior_sd, inflation)
        return replace(found, spells=spells, null=null)

    def timing_variance(self, edge: FloatArray, horizon: int) -> FloatArray:
        """Variance of what timing brings over a horizon, 1 where it is worth the same at every bar (N,).

        Spells grow with the edge, 1 + (v - 1) min(1, h / b) u^2, u = theta / x within 0 and 1, v within 1/2 and 4. Only
        spells of b bars or longer are seen, which show over h fewer bars in proportion.

        Args:
            edge: (N,) theta, annual ratios.
            horizon: h, bars.
        """
        if not self.evidence or not self.evidence[0].sharpe:
            return np.ones(len(edge))
        share = np.clip(edge / self.evidence[0].sharpe, 0.0, 1.0)
        beyond = min(max(self.spells.variance, 0.5), 4.0) - 1
        return np.asarray(1 + beyond * min(1.0, horizon / self.spells.bars) * share**2)

    @cached_property
    def probability(self) -> float:
        """That the edge is real: theta above 0."""
        return self.above(0.0)

    @cached_property
    def mean(self) -> float:
        """Posterior mean."""
        return (1.0 - self.null) * float(self.theta @ self.density)

    @cached_property
    def sd(self) -> float:
        """Posterior standard deviation."""
        edge = float((self.theta - self.mean) ** 2 @ self.density)
        return math.sqrt((1.0 - self.null) * edge + self.null * self.mean**2)

    def above(self, value: float) -> float:
        """Probability that theta lies above a value."""
        edge = min(1.0, max(0.0, float(np.interp(value, *self._survival))))  # sums of a density may pass 1 by rounding
        return (1.0 - self.null) * edge + (self.null if value < 0 else 0.0)

    @property
    def alone(self) -> EdgePosterior:
        """What the bars say by themselves: were this the trial that may have an edge."""
        return replace(self, null=0.0)

    def quantile(self, levels: Sequence[float] | FloatArray) -> FloatArray:
        """Quantiles of theta; the inverse of the distribution function, so that uniforms become draws.

        Args:
            levels: any shape, in (0, 1).
        """
        edges, survival = self._survival
        asked, cumulative = np.asarray(levels, dtype=np.float64), (1.0 - self.null) * (1.0 - survival)
        below = float(np.interp(0.0, edges, cumulative))  # P(theta < 0)
        found = np.interp(np.where(asked > below, asked - self.null, asked), cumulative, edges)
        return np.where((below <= asked) & (asked <= below + self.null) & (self.null > 0), 0.0, found)

    def interval(self, level: float = LEVEL) -> Interval:
        """Posterior mean with the central credible interval."""
        low, high = self.quantile([0.5 - level / 2, 0.5 + level / 2])
        return Interval(self.mean, float(low), float(high))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        found = self.interval()
        return {
            "probability": plain(self.probability),
            "mean": plain(self.mean),
            "sd": plain(self.sd),
            "low": plain(found.low),
            "high": plain(found.high),
            "trials": plain(self.trials),
            "null": plain(self.null),
            "prior_sd": plain(self.prior_sd),
            "evidence": [{"sharpe": plain(one.sharpe), "error": plain(one.error)} for one in self.evidence],
            "inflation": plain(self.inflation),
            "spells": {"variance": plain(self.spells.variance), "bars": plain(self.spells.bars)},
        }

    @cached_property
    def _survival(self) -> tuple[FloatArray, FloatArray]:
        """Edges (G + 1,) of the grid's cells, and the probability above each (G + 1,)."""
        step = float(self.theta[1] - self.theta[0])
        edges = np.concatenate([self.theta - step / 2, self.theta[-1:] + step / 2])
        return edges, np.concatenate([np.cumsum(self.density[::-1])[::-1], [0.0]])


def edge_posterior(
    estimate: float,
    error: float,
    trials: float = 1.0,
    fresh: Sequence[Evidence] = (),
    prior_sd: float = PRIOR_SD,
    inflation: float = 1.0,
) -> EdgePosterior:
    """The posterior of the true annual timing Sharpe ratio.

    Args:
        estimate: x, from the bars on which the strategy was chosen.
        error: s, its standard error without an edge.
        trials: M, that it is the best of, an effective number of at least 1.
        fresh: further estimates, independent of that one and of the choice.
        prior_sd: tau.
        inflation: r, the standard error at the estimate over s; below 1 it counts as 1.

    Raises:
        InputError: an error or the prior's deviation is no positive number, or there is less than one trial.
    """
    errors = [error, prior_sd, *(one.error for one in fresh)]
    if not all(0 < one < math.inf for one in errors) or not math.isfinite(estimate):
        raise InputError(f"estimate={estimate} with errors {errors} is not evidence; give finite numbers above 0")
    if not 1 <= trials < math.inf:
        raise InputError(f"trials={trials} is below 1; count every variant that was tried, the chosen one included")
    pieces = [Evidence(0.0, prior_sd), Evidence(estimate, error), *fresh]
    given, trials = trials, min(trials, trials_by_luck(estimate / error))
    weights = np.array([one.error**-2 for one in pieces])
    centre = float(weights @ [one.sharpe for one in pieces]) / float(weights.sum())
    width = float(weights.sum()) ** -0.5
    inflation = max(1.0, inflation) if estimate else 1.0
    reach = _REACH * max(prior_sd, width)  # selection moves mass towards the prior
    far = _REACH * width * inflation
    low, high = min(-reach, centre - far), max(reach, centre + far)
    theta = np.linspace(low, high, int((high - low) / width * 40) + 2)
    widths = np.sqrt(1 + (inflation**2 - 1) * np.clip(theta / estimate, 0.0, 1.0) ** 2) if inflation > 1 else 1.0
    widths = widths * np.ones(len(theta))  # s(theta) / s
    logs = -0.5 * ((theta - estimate) / (error * widths)) ** 2 - np.log(widths) - 0.5 * (theta / prior_sd) ** 2
    if trials > 1:
        logs = logs - log_chance_of_choice(theta / error, trials, widths)
    log_fresh = sum((_log_likelihood(one, theta) for one in fresh), np.zeros(len(theta)))
    density = np.exp(logs + log_fresh - (logs + log_fresh).max())
    kept = (Evidence(float(estimate), float(error)), *fresh)
    found = EdgePosterior(theta, density / density.sum(), float(trials), float(prior_sd), kept, float(inflation))
    if trials == given:
        return found
    edge = float(special.logsumexp(logs + log_fresh) - special.logsumexp(logs))  # log likelihood of what is fresh
    none = float(sum(_log_likelihood(one, 0.0) for one in fresh))
    return replace(found, null=float(special.expit(math.log(given / trials - 1) + none - edge)))


def _log_likelihood(one: Evidence, theta: ArrayLike) -> FloatArray:
    """Log likelihood of an estimate at each ratio (G,), but for a constant."""
    return np.asarray(-0.5 * ((np.asarray(theta) - one.sharpe) / one.error) ** 2)


def trials_by_luck(estimate: float) -> float:
    """How many trials without an edge have their median best at an estimate, in units of its standard error; 1 or more.

    The best of M lies below z with probability Phi(z)^M, so M = log(1/2) / log Phi(z).
    """
    return max(1.0, math.log(0.5) / min(float(special.log_ndtr(estimate)), -1e-300))


def log_chance_of_choice(edges: ArrayLike, trials: float, widths: ArrayLike | None = None) -> FloatArray:
    """Log probability that a trial is the best of M when the others have no edge.

    log of the integral of phi((y - a) / b) / b Phi(y)^(M - 1) dy; log(1 / M) at a = 0 with b = 1.

    Args:
        edges: (G,) a, the trial's true ratio in units of the standard error without an edge, increasing.
        trials: M, at least 1; an effective number may be fractional.
        widths: (G,) b, its standard error in the same units; 1 by default.
    """
    wanted = np.asarray(edges, dtype=np.float64)
    nodes = np.linspace(wanted.min() - 1e-9, wanted.max() + 1e-9, 200)
    wide = np.interp(nodes, wanted, np.ones(len(wanted)) if widths is None else np.asarray(widths, dtype=np.float64))
    y = np.linspace(nodes[0] - _REACH, max(nodes[-1], 0.0) + _REACH * float(wide.max()), 2000)  # (Y,)
    others = (trials - 1) * special.log_ndtr(y)
    logs = normal_log_density(y, nodes[:, None], wide[:, None]) + others  # (200, Y)
    chance = special.logsumexp(logs, axis=1) + math.log(y[1] - y[0])
    return np.asarray(np.interp(wanted, nodes, chance), dtype=np.float64)


def years_to_find_out(posterior: EdgePosterior, required: float) -> float:
    """Fresh years after which an edge of the posterior mean is expected to be known with that probability.

    A fresh year has a standard error of 1, so Y of them leave a deviation of (1 / v + Y)^(-1/2) about a mean m that is
    expected to stay: Y = (z / m)^2 - 1 / v, where v is the posterior variance and z the normal quantile of `required`.

    Returns:
        Years, 0 where it is known already; infinite where the posterior mean is not above 0.
    """
    if posterior.probability >= required:
        return 0.0
    if not posterior.mean > 0:
        return math.inf
    far = float(normal_quantile(required)) / posterior.mean
    return max(0.0, far**2 - posterior.sd**-2)


def horizon_for(loss: float, years: float, uncertainty: float, target: float) -> float:
    """The shortest horizon at which the probability of loss is expected to be at most `target`, in years.

    A ratio m with a known deviation v gives P(loss over h years) = Phi(-m sqrt(h) / sqrt(1 + v^2 h)). That is solved
    for m at the horizon that was sampled, and then for h: h = z^2 / (m^2 - z^2 v^2), z = -Phi^-1(target).

    Args:
        loss: probability of loss over the sampled horizon, edge and its uncertainty included.
        years: that horizon.
        uncertainty: v, posterior standard deviation of the annual ratio.
        target: probability of loss to reach.

    Returns:
        Years; infinite where no horizon reaches it, since the edge itself is too uncertain or too small.
    """
    z, found = -float(normal_quantile(target)), -float(normal_quantile(loss))
    if not found > 0:
        return math.inf
    if math.isinf(found):
        return 0.0
    ratio = found * math.sqrt((1 + uncertainty**2 * years) / years)
    left = ratio**2 - (z * uncertainty) ** 2
    return z**2 / left if left > 0 else math.inf
