"""Laws and moments are those of `scipy.stats`, bit for bit, and need none of it."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from stresslab.metrics import laws

PROBABILITIES = np.array([1e-12, 1e-4, 0.025, 0.3, 0.5, 0.7, 0.975, 0.9999])
POINTS = np.array([-9.0, -2.5, -0.3, 0.0, 0.1, 1.96, 7.5])


def test_the_normal_law_is_scipy_s() -> None:
    """Quantiles, both tails and the log density have the same bits."""
    assert laws.normal_quantile(PROBABILITIES).tobytes() == stats.norm.ppf(PROBABILITIES).tobytes()
    assert laws.normal_cdf(POINTS).tobytes() == stats.norm.cdf(POINTS).tobytes()
    assert laws.normal_tail(POINTS).tobytes() == stats.norm.sf(POINTS).tobytes()
    means, spreads = np.array([[0.2], [-1.0]]), np.array([[0.7], [3.0]])
    ours, theirs = laws.normal_log_density(POINTS, means, spreads), stats.norm.logpdf(POINTS, means, spreads)
    assert ours.tobytes() == theirs.tobytes()
    assert float(laws.normal_quantile(0.975)) == float(stats.norm.ppf(0.975))


@pytest.mark.parametrize("degrees", [1, 2, 7, 30, 999])
def test_other_laws_are_scipy_s(degrees: int) -> None:
    """Student's t, gamma and chi-square have the same bits too."""
    for probability in PROBABILITIES.tolist():
        assert laws.student_quantile(probability, degrees) == stats.t.ppf(probability, degrees)
    for point in POINTS.tolist():
        assert laws.student_tail(point, degrees) == stats.t.sf(point, degrees)
        assert laws.chi_square_tail(abs(point), degrees) == stats.chi2.sf(abs(point), degrees)
    ours, theirs = laws.gamma_quantile(PROBABILITIES, degrees), stats.gamma.ppf(PROBABILITIES, degrees)
    assert ours.tobytes() == theirs.tobytes()


def test_without_degrees_of_freedom_there_is_no_law() -> None:
    """Student's t of one observation says nothing."""
    assert math.isnan(laws.student_quantile(0.975, 0))
    assert math.isnan(laws.student_tail(1.0, 0))


@pytest.mark.parametrize("probability", [0.01, 0.05, 0.25, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("tail", [0.025, 0.05, 0.005])
def test_binomial_ranks_are_those_of_scipy_s_law(probability: float, tail: float) -> None:
    """They are the last and the first order statistic that bound a quantile, of few trials and of many."""
    for count in [*range(1, 60), 200, 999, 1000, 10_000]:
        law = stats.binom(count, probability)
        lower = int(law.ppf(tail))
        lower += int(law.cdf(lower) <= tail)
        assert laws.binomial_ranks(count, probability, tail) == (lower, int(law.ppf(1 - tail)) + 1), count


@pytest.mark.parametrize("size", [1, 2, 3, 50, 1001])
def test_moments_are_scipy_s(size: int) -> None:
    """Skewness and kurtosis have the same bits; where nothing varies there is none."""
    sample = np.random.default_rng(size).standard_t(4, size) * 1e-3 + 2e-4
    if size > 1:
        assert laws.skewness(sample) == stats.skew(sample)
        assert laws.kurtosis(sample) == stats.kurtosis(sample, fisher=False)
    assert math.isnan(laws.skewness(np.full(size, 0.25)))
    assert math.isnan(laws.kurtosis(np.full(size, 0.25)))
    assert math.isnan(laws.skewness([]))


def test_scipy_s_distributions_are_not_imported() -> None:
    """That is what these are for."""
    script = "import sys, stresslab.metrics.laws; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
