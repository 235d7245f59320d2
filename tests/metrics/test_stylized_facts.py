"""Stylised facts: brute force over rows, and processes whose facts are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.metrics import stylized_facts

returns_arrays = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(24, 60)), elements=st.floats(-1, 1).map(lambda x: round(x, 6))
)


def simulated_garch(count: int, bars: int, seed: int, alpha: float = 0.1, beta: float = 0.85) -> np.ndarray:
    """(count, bars) returns of a GARCH(1,1) with normal innovations and unit variance, after a warm-up."""
    rng, variance = np.random.default_rng(seed), np.ones(count)
    rows = np.empty((count, bars + 200))
    for bar in range(rows.shape[1]):
        rows[:, bar] = rng.normal(size=count) * np.sqrt(variance)
        variance = (1 - alpha - beta) + alpha * rows[:, bar] ** 2 + beta * variance
    return rows[:, 200:]


def scaled(row: np.ndarray) -> np.ndarray | None:
    """A row at mean 0 and variance 1, by loops; None without variance."""
    mean = sum(row) / len(row)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row))
    return None if deviation <= 1e-9 * max(abs(row)) else np.array([(x - mean) / deviation for x in row])


def averaged(values: list[float]) -> float:
    """Mean of a list; NaN of none."""
    return sum(values) / len(values) if values else math.nan


@given(returns_arrays, st.integers(1, 22))
def test_autocorrelation_equals_brute_force(returns: np.ndarray, lag: int) -> None:
    """Every row is scaled by itself and products are averaged over rows; a constant row counts for nothing."""
    rows = [row for row in map(scaled, returns) if row is not None]
    products = [float(row[t] * row[t - lag]) for row in rows for t in range(lag, len(row))]
    assert stylized_facts.autocorrelation(returns, lag) == pytest.approx(averaged(products), abs=1e-8, nan_ok=True)


@given(returns_arrays)
def test_clustering_and_leverage_equal_brute_force(returns: np.ndarray) -> None:
    """Means over lags up to a quarter of the window of the autocorrelation of |r|, and of r with later |r|."""
    lags = range(1, min(20, returns.shape[1] // 4) + 1)
    sizes = [row for row in map(scaled, np.abs(returns)) if row is not None]
    by_lag = [averaged([float(x[t] * x[t - lag]) for x in sizes for t in range(lag, len(x))]) for lag in lags]
    assert stylized_facts.clustering(returns) == pytest.approx(averaged(by_lag), abs=1e-8, nan_ok=True)
    both = [(scaled(row), scaled(abs(row))) for row in returns]
    pairs = [(x, size) for x, size in both if x is not None and size is not None]
    by_lag = [
        averaged([float(x[t] * size[t + lag]) for x, size in pairs for t in range(len(x) - lag)])
        for lag in range(1, min(10, returns.shape[1] // 4) + 1)
    ]
    assert stylized_facts.leverage(returns) == pytest.approx(averaged(by_lag), abs=1e-8, nan_ok=True)


@given(returns_arrays)
def test_variance_ratio_equals_its_formula(returns: np.ndarray) -> None:
    """Lo & MacKinlay's corrected variances, row by row."""
    found = []
    for row in returns:
        if scaled(row) is None:
            continue
        count, mean = len(row), row.mean()
        single = ((row - mean) ** 2).sum() / (count - 1)
        sums = [(row[t : t + 5].sum() - 5 * mean) ** 2 for t in range(count - 4)]
        found.append(sum(sums) / (5 * (count - 4) * (1 - 5 / count)) / single)
    assert stylized_facts.variance_ratio(returns) == pytest.approx(averaged(found), rel=1e-6, nan_ok=True)


@given(returns_arrays, st.floats(0.001, 1000), st.floats(-1, 1))
def test_scale_and_level_do_not_matter(returns: np.ndarray, scale: float, level: float) -> None:
    """Facts of rows in other units are the same, those about the returns themselves with another mean, too."""
    returns = np.round(returns, 3) + np.linspace(0, 1, returns.shape[1])  # rows that vary
    for name, fact in stylized_facts.FACTS.items():
        if name != "volatility":
            assert fact(scale * returns) == pytest.approx(fact(returns), rel=1e-6, abs=1e-6, nan_ok=True)
    for fact in (stylized_facts.lag_one, stylized_facts.kurtosis, stylized_facts.variance_ratio):
        assert fact(returns + level) == pytest.approx(fact(returns), rel=1e-5, abs=1e-5, nan_ok=True)


def test_a_random_walk() -> None:
    """White noise has no autocorrelation, no clustering, no leverage, a kurtosis of 3 and a variance ratio of 1.

    The ratio is unbiased even in windows of 20 bars.
    """
    noise = np.random.default_rng(1).normal(size=(400, 500))
    assert stylized_facts.lag_one(noise) == pytest.approx(0, abs=0.01)
    assert stylized_facts.clustering(noise) == pytest.approx(0, abs=0.01)
    assert stylized_facts.leverage(noise) == pytest.approx(0, abs=0.01)
    assert stylized_facts.kurtosis(noise) == pytest.approx(3, abs=0.05)
    assert stylized_facts.variance_ratio(noise) == pytest.approx(1, abs=0.01)
    assert stylized_facts.variance_ratio(noise.reshape(-1, 20)) == pytest.approx(1, abs=0.015)


@pytest.mark.parametrize("phi", [-0.3, 0.2])
def test_an_autoregression(phi: float) -> None:
    """AR(1): phi at lag 1, phi^k at lag k, and the variance ratio that follows from them (Lo & MacKinlay, eq. 17)."""
    noise = np.random.default_rng(2).normal(size=(100, 2000))
    series = np.empty_like(noise)
    series[:, 0] = noise[:, 0]
    for t in range(1, noise.shape[1]):
        series[:, t] = phi * series[:, t - 1] + noise[:, t]
    assert stylized_facts.lag_one(series) == pytest.approx(phi, abs=0.01)
    assert stylized_facts.autocorrelation(series, 3) == pytest.approx(phi**3, abs=0.01)
    ratio = 1 + 2 * sum((1 - k / 5) * phi**k for k in range(1, 5))
    assert stylized_facts.variance_ratio(series) == pytest.approx(ratio, abs=0.02)


def test_a_garch_process() -> None:
    """Volatility clusters, returns do not correlate, and the kurtosis is that of the formula (Bollerslev 1986)."""
    returns = simulated_garch(60, 4000, seed=3)
    assert stylized_facts.lag_one(returns) == pytest.approx(0, abs=0.02)
    assert stylized_facts.clustering(returns) > 0.08
    exact = 3 * (1 - 0.95**2) / (1 - 0.95**2 - 2 * 0.1**2)
    assert stylized_facts.kurtosis(returns) == pytest.approx(exact, abs=0.35)
    assert stylized_facts.volatility(returns) == pytest.approx(1, abs=0.03)
    assert stylized_facts.leverage(returns) == pytest.approx(0, abs=0.01)


def test_leverage_has_the_sign_of_falls_that_excite() -> None:
    """Where volatility doubles after a fall, leverage is negative."""
    rng = np.random.default_rng(4)
    returns = np.empty((50, 500))
    volatility = np.ones(50)
    for t in range(500):
        returns[:, t] = volatility * rng.normal(size=50)
        volatility = np.where(returns[:, t] < 0, 2.0, 1.0)
    assert stylized_facts.leverage(returns) < -0.02
    assert stylized_facts.leverage(-returns) > 0.02


@pytest.mark.parametrize("tail", [3.0, 5.0])
def test_tail_indices(tail: float) -> None:
    """Hill's index of Pareto tails on both sides is their exponent; a side without a tail has a large one."""
    rng = np.random.default_rng(5)
    magnitude, losing = (1 - rng.random(400_000)) ** (-1 / tail), rng.random(400_000) < 0.5
    both = np.where(losing, -magnitude, magnitude)[None]
    assert stylized_facts.left_tail_index(both) == pytest.approx(tail, rel=0.03)
    assert stylized_facts.right_tail_index(both) == pytest.approx(tail, rel=0.03)
    left = np.where(losing, -magnitude, 2 * rng.random(400_000))[None]
    assert stylized_facts.left_tail_index(left) < 5
    assert stylized_facts.right_tail_index(left) > 15
    assert stylized_facts.right_tail_index(-left) == stylized_facts.left_tail_index(left)


def test_tails_of_student() -> None:
    """A t with 3 degrees of freedom has heavier tails than one with 10, and that than a normal."""
    rng = np.random.default_rng(6)
    indices = [
        stylized_facts.left_tail_index(sample)
        for sample in (rng.standard_t(3, (40, 500)), rng.standard_t(10, (40, 500)), rng.normal(size=(40, 500)))
    ]
    assert 2 < indices[0] < indices[1] < indices[2]


def test_volume_and_volatility() -> None:
    """The correlation is numpy's, row by row; rows with a bar without volume are left out; without any it is NaN."""
    rng = np.random.default_rng(7)
    returns = rng.normal(size=(3, 80))
    volumes = np.exp(np.abs(returns) + rng.normal(size=(3, 80)))
    rows = [np.corrcoef(np.abs(returns[row]), np.log(volumes[row]))[0, 1] for row in range(3)]
    assert stylized_facts.volume_volatility(returns, volumes) == pytest.approx(np.mean(rows))
    volumes[0, 5] = 0.0
    assert stylized_facts.volume_volatility(returns, volumes) == pytest.approx(np.mean(rows[1:]))
    assert math.isnan(stylized_facts.volume_volatility(returns, 0 * volumes))


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (3, 40)])
def test_without_variance_nothing_is_known(shape: tuple[int, int]) -> None:
    """Flat or steadily growing prices and windows of a few bars give NaN, never a number that rounding made."""
    for returns in (np.zeros(shape), np.full(shape, 0.001) + 1e-17 * np.arange(shape[1])):
        for name, fact in stylized_facts.FACTS.items():
            if name != "volatility":
                assert math.isnan(fact(returns)), name
