"""Scores and tests of calibration: closed forms, brute force, and how often they err."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from stresslab.metrics import forecast_scores
from stresslab.metrics.distribution import wilson

numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
samples = hnp.arrays(np.float64, st.integers(2, 40), elements=numbers)


def normal_crps(mean: float, deviation: float, outcome: float) -> float:
    """Gneiting & Raftery (2007, eq. 21), turned so that less is better."""
    z = (outcome - mean) / deviation
    return deviation * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))


@pytest.mark.parametrize("outcome", [-3.0, 0.0, 0.5, 4.0])
def test_crps_of_a_normal(outcome: float) -> None:
    """The mean over samples is the closed form, however small each sample: the estimator is fair."""
    rng = np.random.default_rng(1)
    large = 1.0 + 2.0 * stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert forecast_scores.crps(large, outcome) == pytest.approx(normal_crps(1.0, 2.0, outcome), abs=1e-3)
    small = [forecast_scores.crps(rng.normal(1.0, 2.0, 5), outcome) for _ in range(20_000)]
    assert np.mean(small) == pytest.approx(normal_crps(1.0, 2.0, outcome), abs=4 * np.std(small) / math.sqrt(20_000))


@given(samples, numbers)
def test_crps_equals_brute_force(sample: np.ndarray, outcome: float) -> None:
    """The sorted form is the double sum over different universes."""
    count = len(sample)
    pairs = np.abs(sample[:, None] - sample[None]).sum() / (count * (count - 1))
    assert forecast_scores.crps(sample, outcome) == pytest.approx(np.abs(sample - outcome).mean() - pairs / 2, abs=1e-9)


def test_a_perfect_forecast_scores_nothing() -> None:
    """All universes on the outcome give 0, one universe gives its distance."""
    assert forecast_scores.crps([2.0] * 5, 2.0) == forecast_scores.tail_crps([2.0] * 5, 2.0) == 0.0
    assert forecast_scores.energy_score(np.ones((5, 3)), np.ones(3)) == 0.0
    assert forecast_scores.crps([2.0], 5.0) == forecast_scores.energy_score([[2.0]], [5.0]) == 3.0


@given(samples, numbers)
def test_tail_crps_equals_numeric_integration(sample: np.ndarray, outcome: float) -> None:
    """Exactly the weighted integral of quantile scores over levels, and at most the unweighted one."""
    ordered, levels = np.sort(sample), (np.arange(4000 * len(sample)) + 0.5) / (4000 * len(sample))
    quantiles = np.repeat(ordered, 4000)
    quantile_scores = 2 * ((outcome < quantiles) - levels) * (quantiles - outcome)
    found = forecast_scores.tail_crps(sample, outcome)
    assert found == pytest.approx(float(((2 * levels - 1) ** 2 * quantile_scores).mean()), rel=1e-5, abs=1e-5)
    assert -1e-9 <= found <= quantile_scores.mean() + 1e-9


def test_tail_crps_of_a_normal() -> None:
    """A large sample gives what integrating over the normal's quantile function gives."""

    def integrand(a: float) -> float:
        q = float(stats.norm.ppf(a))
        return (2 * a - 1) ** 2 * 2 * ((0.7 < q) - a) * (q - 0.7)

    at = float(stats.norm.cdf(0.7))
    exact = sum(integrate.quad(integrand, *ends)[0] for ends in ((1e-12, at), (at, 1 - 1e-12)))
    sample = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert forecast_scores.tail_crps(sample, 0.7) == pytest.approx(exact, abs=1e-3)


@given(samples, numbers)
def test_energy_score_is_the_crps_in_one_dimension(sample: np.ndarray, outcome: float) -> None:
    """With one lead both are the same number."""
    assert forecast_scores.energy_score(sample[:, None], [outcome]) == pytest.approx(
        forecast_scores.crps(sample, outcome), abs=1e-9
    )


def test_scores_are_proper() -> None:
    """On average the true distribution scores better than one that is too narrow, too wide or shifted."""
    rng = np.random.default_rng(2)
    outcomes, universes = rng.normal(size=3000), rng.normal(size=(3000, 50))
    for score in (forecast_scores.crps, forecast_scores.tail_crps):
        true = np.mean([score(*pair) for pair in zip(universes, outcomes, strict=True)])
        for wrong in (0.6 * universes, 1.6 * universes, universes + 0.5):
            assert true < np.mean([score(*pair) for pair in zip(wrong, outcomes, strict=True)])


@pytest.mark.parametrize("universes", [10, 64, 99])
def test_pit_is_uniform_and_coverage_unbiased(universes: int) -> None:
    """Outcomes drawn like the universes have ranks equally often in every cell, and intervals that cover what they say.

    That holds for any number of universes, also where an interval's end cuts a cell.
    """
    rng = np.random.default_rng(universes)
    ranks = np.array([forecast_scores.pit(rng.normal(size=universes), rng.normal()) for _ in range(6000)])
    cells = np.bincount(((universes + 1) * ranks).astype(int), minlength=universes + 1)
    assert stats.chisquare(cells).pvalue > 0.001
    assert ((ranks > 0) & (ranks < 1)).all()
    for level in (0.5, 0.8, 0.9):
        cells = (np.arange(universes + 1) + 0.5) / (universes + 1)
        assert forecast_scores.coverage(cells, level, universes).value == pytest.approx(level)
        found = forecast_scores.coverage(ranks, level, universes, confidence=0.999)
        assert found.low <= level <= found.high


def test_pit_splits_ties() -> None:
    """An outcome equal to universes lies in the middle of them; coverage without ranks is undefined."""
    assert forecast_scores.pit([1.0, 1.0, 1.0], 1.0) == 0.5
    assert forecast_scores.pit([1.0, 2.0, 3.0], 0.0) == 0.125
    assert math.isnan(forecast_scores.coverage([], 0.9, 10).value)


@pytest.mark.parametrize(("count", "probability"), [(0, 0.05), (3, 0.05), (9, 0.05), (4, 0.01)])
def test_kupiec_is_the_exact_binomial_test(count: int, probability: float) -> None:
    """The p-value is the mass of all counts no likelier than the one seen."""
    hits = np.arange(100) < count
    mass = stats.binom(100, probability).pmf(np.arange(101))
    found = forecast_scores.exceedances(hits, probability)
    assert found.kupiec == pytest.approx(mass[mass <= mass[count] * (1 + 1e-9)].sum())
    assert (found.count, found.expected) == (count, pytest.approx(100 * probability))


def test_christoffersen_worked_example() -> None:
    """The likelihood ratio by hand: 20 hits of 200, of which 10 follow a hit."""
    hits = np.zeros(200, dtype=bool)
    for start in range(10):
        hits[20 * start + 5 : 20 * start + 7] = True  # n01 = 10, n11 = 10, n10 = 10, n00 = 169
    together = 20 * math.log(20 / 199) + 179 * math.log(179 / 199)
    apart = 10 * math.log(10 / 179) + 169 * math.log(169 / 179) + 20 * math.log(0.5)
    found = forecast_scores.exceedances(hits, 0.1)
    assert found.christoffersen == pytest.approx(stats.chi2.sf(2 * (apart - together), 1), rel=1e-9)
    assert found.christoffersen < 1e-4
    assert forecast_scores.exceedances(hits, 0.02).christoffersen is None  # four expected
    assert forecast_scores.exceedances(np.zeros(200), 0.1).christoffersen is None  # nothing to follow


def test_exceedance_tests_hold_their_size() -> None:
    """Independent hits of the promised frequency are rejected at about the nominal rate."""
    rng = np.random.default_rng(4)
    found = [forecast_scores.exceedances(rng.random(250) < 0.05, 0.05) for _ in range(400)]
    assert np.mean([one.kupiec < 0.05 for one in found]) < 0.08
    assert np.mean([(one.christoffersen or 1.0) < 0.05 for one in found]) < 0.12


def test_exceedances_promise_what_the_universes_can_tell() -> None:
    """Of 64 universes the third smallest stands for 5%, none for 1%; as many outcomes fall below as promised."""
    cells = (np.arange(65) + 0.5) / 65
    found = forecast_scores.value_at_risk_exceedances(cells, 0.05, 64)
    assert found is not None
    assert found.probability == 3 / 65
    assert found.count == pytest.approx(found.expected) == 3
    assert forecast_scores.value_at_risk_exceedances(cells, 0.01, 64) is None
    exact = forecast_scores.value_at_risk_exceedances((np.arange(100) + 0.5) / 100, 0.01, 99)
    assert exact is not None
    assert exact.probability == 0.01
    assert set(exact.to_dict()) == {"probability", "count", "expected", "kupiec", "christoffersen"}


@pytest.mark.parametrize(("clusters", "shared"), [(8, 0.0), (30, 1.0)])
def test_clustered_intervals_cover(clusters: int, shared: float) -> None:
    """About 95% of intervals hold the true mean, although numbers of one cluster move together."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(clusters), 5)
    held = 0
    for _ in range(300):
        values = 3.0 + shared * rng.normal(size=clusters)[labels] + rng.normal(size=5 * clusters)
        found = forecast_scores.clustered_mean(values, labels, draws=400)
        assert found.value == pytest.approx(values.mean())
        held += found.low <= 3.0 <= found.high
    assert 0.91 <= held / 300 <= 0.985


def test_clustered_ratio() -> None:
    """A constant ratio is certain, and one cluster alone or nothing to divide by bounds nothing."""
    found = forecast_scores.clustered_ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], [0, 1, 2])
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    alone = forecast_scores.clustered_ratio([2.0, 4.0], [1.0, 2.0], [7, 7])
    assert (alone.value, alone.low, alone.high) == (2.0, -math.inf, math.inf)
    assert math.isnan(forecast_scores.clustered_ratio([1.0, 1.0], [0.0, 0.0], [0, 1]).value)
    assert math.isnan(forecast_scores.clustered_mean([], []).value)


def test_clustered_share_never_collapses() -> None:
    """All of 40 outcomes in 5 clusters are as sure as 5 of 5; elsewhere the clusters are resampled within [0, 1]."""
    labels = np.repeat(np.arange(5), 8)
    assert forecast_scores.clustered_share(np.ones(40), labels) == wilson(5, 5)
    assert forecast_scores.clustered_share(np.zeros(40), labels) == wilson(0, 5)
    mixed = np.tile([1.0, 0.5, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0], 5) * (labels != 2)
    found = forecast_scores.clustered_share(mixed, labels)
    assert found.value == mixed.mean()
    assert 0 <= found.low < found.value < found.high <= 1
    assert forecast_scores.clustered_share(np.ones(3), [1, 1, 1]) == wilson(1, 1)
    assert math.isnan(forecast_scores.clustered_share([], []).value)


def test_mean_interval_is_students() -> None:
    """Scipy's t interval; a single number has no bounds, and none at all no mean."""
    values = np.random.default_rng(6).normal(size=12)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    found = forecast_scores.mean_interval(values)
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert forecast_scores.mean_interval([4.0]).high == math.inf
    assert math.isnan(forecast_scores.mean_interval([]).value)


def test_mean_interval_counts_what_overlaps_for_less() -> None:
    """Each number thrice, with the design effect of that, gives the interval of the numbers themselves."""
    numbers = [1.0, 2.0, 4.0, 3.0, 7.0]
    once, thrice = forecast_scores.mean_interval(numbers), forecast_scores.mean_interval(numbers * 3, effect=3.0)
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))
    assert forecast_scores.mean_interval([1.0, 2.0], effect=2.0).low == -math.inf


def test_scatter_is_the_ratio_of_distances() -> None:
    """By the slow formula: the outcome's distance over the mean one of each member from the others."""
    rng = np.random.default_rng(3)
    sample, real = rng.standard_t(5, (6, 9)), rng.normal(size=6)
    expected = []
    for row in sample:
        for at in range(9):
            others = np.delete(row, at)
            expected.append(abs(row[at] - others.mean()) / others.std(ddof=1))
    found = np.abs(real - sample.mean(axis=1)) / sample.std(axis=1, ddof=1)
    assert forecast_scores.scatter(sample, real).value == pytest.approx(found.mean() / np.mean(expected))
    nothing = forecast_scores.scatter(np.empty((0, 9)), [])
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("degrees", [4, 100])
def test_intervals_of_scatter_cover(degrees: int) -> None:
    """95% intervals hold 1 in 93 to 97% of cases with true samples, heavy tails or not."""
    rng = np.random.default_rng(5)
    drawn = rng.standard_t(degrees, (1500, 24, 65))
    held = [forecast_scores.scatter(one[:, 1:], one[:, 0]) for one in drawn]
    assert 0.93 <= np.mean([one.low <= 1 <= one.high for one in held]) <= 0.97


@pytest.mark.parametrize("count", [5, 12, 60])
def test_even_ranks_are_rejected_as_often_as_they_should(count: int) -> None:
    """The p-value of true universes is uniform, also of a handful of ranks."""
    rng = np.random.default_rng(count)
    found = np.array([forecast_scores.evenness(rng.random(count)) for _ in range(400)])
    for level in (0.05, 0.2, 0.5):
        assert abs((found <= level).mean() - level) < 3.5 * math.sqrt(level * (1 - level) / 400)


def test_ranks_on_one_side_are_uneven() -> None:
    """As scipy has it; fewer than two ranks have none."""
    ranks = np.linspace(0.05, 0.95, 30) ** 3
    assert forecast_scores.evenness(ranks) == stats.cramervonmises(ranks, "uniform").pvalue < 0.001
    assert math.isnan(forecast_scores.evenness([0.4]))
