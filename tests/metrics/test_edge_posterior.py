"""The posterior of an edge: the textbook without selection, honest with it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from stresslab.core.errors import InputError
from stresslab.metrics.edge_posterior import (
    PRIOR_SD,
    EdgePosterior,
    Evidence,
    Spells,
    edge_posterior,
    horizon_for,
    log_chance_of_choice,
    trials_by_luck,
    years_to_find_out,
)


def test_one_trial_is_the_normal_posterior() -> None:
    """Without selection the posterior is the conjugate one."""
    found = edge_posterior(1.2, 0.4, prior_sd=0.8)
    weight = 0.8**2 / (0.8**2 + 0.4**2)
    assert found.mean == pytest.approx(1.2 * weight, abs=1e-4)
    assert found.sd == pytest.approx(math.sqrt(weight) * 0.4, rel=1e-3)
    assert found.probability == pytest.approx(stats.norm.cdf(found.mean / found.sd), abs=1e-4)
    assert found.quantile([0.05, 0.5]) == pytest.approx(stats.norm.ppf([0.05, 0.5], found.mean, found.sd), abs=1e-3)


def test_fresh_evidence_multiplies_in() -> None:
    """Two estimates of one rule are one estimate of their weighted mean."""
    joined = edge_posterior(1.0, 0.5, fresh=[Evidence(0.2, 1.0)])
    weights = np.array([4.0, 1.0])
    whole = edge_posterior(float(weights @ [1.0, 0.2]) / 5, 5**-0.5)
    assert (joined.mean, joined.sd) == pytest.approx((whole.mean, whole.sd), abs=1e-4)


@pytest.mark.parametrize(("edge", "trials"), [(0.0, 7), (1.3, 7), (-2.0, 3.5), (-6.0, 50)])
def test_chance_of_choice_is_the_integral(edge: float, trials: float) -> None:
    """The chance that a trial is the best of several is 1 / M for one like the others, and the integral elsewhere."""
    exact, _ = integrate.quad(
        lambda y: stats.norm.pdf(y - edge) * stats.norm.cdf(y) ** (trials - 1), -12, 12, limit=400, points=[edge, 0]
    )
    assert float(np.exp(log_chance_of_choice([edge, 5.0], trials)[0])) == pytest.approx(exact, rel=0.01)


def test_selection_takes_back_what_it_gave() -> None:
    """The best of 50 without an edge is rarely taken for one, while a single rule of the same estimate is."""
    rng, error = np.random.default_rng(3), 10**-0.5
    best = rng.normal(0.0, error, (100, 50)).max(axis=1)
    told = [edge_posterior(one, error, 50) for one in best]
    assert np.mean([one.probability >= 0.95 for one in told]) <= 0.05
    assert -0.5 < np.mean([one.mean for one in told]) < 0.1
    assert np.mean([edge_posterior(one, error).probability >= 0.95 for one in best]) > 0.5


def test_selection_makes_no_edge_negative() -> None:
    """A mediocre estimate among many trials is no evidence against an edge: it is judged as the best of fewer."""
    assert trials_by_luck(0.0) == pytest.approx(1.0)
    assert trials_by_luck(-2.0) == 1.0
    mediocre = edge_posterior(0.2, 0.4, 50)
    assert mediocre.trials == pytest.approx(np.log(0.5) / np.log(stats.norm.cdf(0.5)))
    assert -0.25 < mediocre.mean < 0.2
    assert edge_posterior(-0.5, 0.4, 50).mean == pytest.approx(edge_posterior(-0.5, 0.4).mean / 50)
    assert edge_posterior(2.0, 0.4, 50).trials == 50


def test_an_estimate_short_of_the_best_is_mostly_one_of_the_others() -> None:
    """What stands for M' of M trials is one of the rest, without an edge, with probability 1 - M' / M."""
    short = edge_posterior(-0.5, 0.4, 20)
    assert short.null == pytest.approx(0.95)
    assert short.probability < 0.05
    assert short.above(-1e-9) - short.above(0.0) == pytest.approx(0.95)
    alone = edge_posterior(-0.5, 0.4)
    assert short.above(-0.5) == pytest.approx(0.05 * alone.above(-0.5) + 0.95)
    assert edge_posterior(2.0, 0.4, 20).null == edge_posterior(-0.5, 0.4, 1).null == 0.0
    levels = (np.arange(40_000) + 0.5) / 40_000
    draws = short.quantile(levels)
    assert (draws == 0).mean() == pytest.approx(0.95, abs=1e-3)
    assert (draws.mean(), draws.std()) == pytest.approx((short.mean, short.sd), abs=2e-3)
    assert np.all(np.diff(draws) >= 0)


def test_the_share_that_trials_without_an_edge_keep() -> None:
    """A random one of twenty without an edge is taken for one that may have it with 14% on average, not with 5%."""
    estimates = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    kept = [min(20.0, trials_by_luck(float(one))) / 20 for one in estimates]
    assert np.mean(kept) == pytest.approx(0.144, abs=0.001)
    assert 1 - edge_posterior(0.3, 0.4, 20).null == pytest.approx(trials_by_luck(0.75) / 20)


def test_fresh_evidence_weighs_an_edge_against_none() -> None:
    """By Bayes' rule, with the two ways in which the fresh estimate comes about."""
    fresh = Evidence(1.5, 0.3)
    before, after = edge_posterior(0.4, 0.4, 20), edge_posterior(0.4, 0.4, 20, [fresh])
    if_none = stats.norm.pdf(fresh.sharpe / fresh.error)
    if_edge = float(stats.norm.pdf((fresh.sharpe - before.theta) / fresh.error) @ before.density)
    exact = before.null * if_none / (before.null * if_none + (1 - before.null) * if_edge)
    assert before.null > 0.75
    assert after.null == pytest.approx(exact, rel=1e-3)
    assert after.probability > 0.95
    stored = EdgePosterior.again(after.evidence, after.trials, PRIOR_SD, 1.0, after.spells, after.null)
    assert (stored.mean, stored.probability) == pytest.approx((after.mean, after.probability))


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "least", "most"), [(1, 0.87, 0.93), (20, 0.86, 0.98)])
def test_intervals_cover_edges_from_the_prior(trials: int, least: float, most: float) -> None:
    """Over edges from the prior the 90% interval covers, also where the chosen one is the best of several."""
    rng, error, covered = np.random.default_rng(5), 0.4, []
    for _ in range(400):
        edges = np.concatenate([[rng.normal(0.0, PRIOR_SD)], np.zeros(trials - 1)])
        estimates = rng.normal(edges, error)
        best = int(estimates.argmax())
        interval = edge_posterior(float(estimates[best]), error, trials).interval()
        covered.append(interval.low <= edges[best] <= interval.high)
    assert least <= np.mean(covered) <= most


def test_draws_follow_the_posterior() -> None:
    """Uniforms become draws with the posterior's mean and spread."""
    found = edge_posterior(0.9, 0.35, 20)
    draws = found.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert (draws.mean(), draws.std()) == pytest.approx((found.mean, found.sd), abs=2e-3)
    assert (draws > 0).mean() == pytest.approx(found.probability, abs=1e-3)


def test_gains_in_spells_widen_the_far_side_alone() -> None:
    """Where an edge makes its estimate less certain the interval widens, and how surely it is none stays as it was."""
    plain, spells = edge_posterior(1.2, 0.4), edge_posterior(1.2, 0.4, inflation=1.8)
    assert spells.sd > 1.15 * plain.sd
    assert 1 - spells.probability == pytest.approx(1 - plain.probability, abs=0.004)
    assert edge_posterior(1.2, 0.4, inflation=0.7).sd == pytest.approx(plain.sd)
    assert edge_posterior(1.2, 0.4, 20, inflation=1.8).sd > edge_posterior(1.2, 0.4, 20).sd


def test_a_negative_edge_is_as_uncertain_as_a_positive_one() -> None:
    """The posterior of the opposite estimate is the mirror image, spells included."""
    below, above = (edge_posterior(sign * 1.2, 0.4, inflation=1.8) for sign in (-1, 1))
    assert below.mean == pytest.approx(-above.mean, abs=1e-6)
    assert below.sd == pytest.approx(above.sd, abs=1e-6)


def test_spells_show_in_proportion_to_edge_and_horizon() -> None:
    """Timing varies more where the edge comes in spells: fully at the estimate and over long horizons."""
    found = replace(edge_posterior(1.2, 0.4), spells=Spells(3.0, 300.0))
    assert found.timing_variance(np.array([-1.0, 0.0, 0.6, 1.2, 5.0]), 600) == pytest.approx([1, 1, 1.5, 3, 3])
    assert found.timing_variance(np.array([1.2]), 150) == pytest.approx([2.0])
    assert edge_posterior(1.2, 0.4).timing_variance(np.array([1.2]), 150) == pytest.approx([1.0])
    assert replace(found, spells=Spells(99.0, 1.0)).timing_variance(np.array([1.2]), 9) == pytest.approx([4.0])
    stored = EdgePosterior.again(found.evidence, 1.0, PRIOR_SD, found.inflation, found.spells, 0.0)
    assert (stored.mean, stored.spells) == (found.mean, found.spells)


def test_an_estimate_far_out_stays_on_the_grid() -> None:
    """An estimate far beyond the prior loses no mass."""
    found = edge_posterior(12.0, 0.3, 30)
    assert found.mean == pytest.approx(12.0 / (1 + 0.3**2 / PRIOR_SD**2), rel=0.01)
    assert found.probability == pytest.approx(1.0)
    assert max(edge_posterior(one / 7, 0.3).probability for one in range(10, 80)) <= 1.0


def test_years_to_find_out() -> None:
    """So many fresh years bring an edge of the posterior mean to the required probability."""
    found = edge_posterior(0.6, 0.45)
    years = years_to_find_out(found, 0.95)
    after = 1 / math.sqrt(found.sd**-2 + years)
    assert stats.norm.cdf(found.mean / after) == pytest.approx(0.95, abs=1e-6)
    assert years_to_find_out(edge_posterior(2.0, 0.2), 0.95) == 0.0
    assert math.isinf(years_to_find_out(edge_posterior(-0.3, 0.2), 0.95))


def test_horizon_for_inverts_the_probability_of_loss() -> None:
    """At the horizon that it names the loss has the probability asked for; an uncertain edge has no such horizon."""
    ratio, uncertainty = 1.4, 0.3

    def loss(years: float) -> float:
        return float(stats.norm.cdf(-ratio * math.sqrt(years) / math.sqrt(1 + uncertainty**2 * years)))

    years = horizon_for(loss(0.5), 0.5, uncertainty, 0.1)
    assert loss(years) == pytest.approx(0.1)
    assert math.isinf(horizon_for(0.3, 1.0, 0.8, 0.1))
    assert math.isinf(horizon_for(0.6, 1.0, 0.1, 0.1))


@pytest.mark.parametrize("given", [{"error": 0.0}, {"trials": 0.5}, {"prior_sd": -1.0}, {"estimate": math.nan}])
def test_refuses_what_is_no_evidence(given: dict[str, float]) -> None:
    """Errors and trials that cannot be are named."""
    settings = {"estimate": 1.0, "error": 0.3, "trials": 1.0, "prior_sd": 1.0} | given
    with pytest.raises(InputError, match=r"give finite numbers|count every variant"):
        edge_posterior(settings["estimate"], settings["error"], settings["trials"], (), settings["prior_sd"])
