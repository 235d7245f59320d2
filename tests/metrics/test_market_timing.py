"""Timing: sums of covariances, with the error of independent paths, and zero for who only holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal

from stresslab.metrics.market_timing import (
    GainsVariance,
    gains_variance,
    origin_timing,
    position_returns,
    series_timing,
    timing,
)

YEAR = 252.0
panels = hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(2, 9)), elements=st.floats(-1, 1, width=16))


def two_panels(seed: int, bars: int = 30, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Positions and returns that know nothing of one another."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (bars, count)), 0.01 * rng.standard_t(4, (bars, count))


def test_what_a_position_earns_by_hand() -> None:
    """From open to next open, and to the close in the last bar; the gap before the first bar is nobody's."""
    opens, closes = [[100.0], [110.0], [99.0]], [[105.0], [108.0], [118.8]]
    assert position_returns(opens, closes) == pytest.approx(np.array([[0.1], [-0.1], [0.2]]))


def test_timing_by_hand() -> None:
    """Two universes, two bars: half the product of the differences, bar by bar, is the covariance."""
    found = timing([[1, 0], [0, 1]], [[0.02, 0.0], [0.01, 0.05]], YEAR)
    assert found.total.value == pytest.approx((1 * 0.02 + 1 * 0.04) / 2)
    assert found.paths == 2
    assert found.total.low == -np.inf  # two paths mirror one another, so that no error can be seen


@given(panels, st.integers(0, 10))
def test_timing_is_the_sum_of_covariances(position: np.ndarray, seed: int) -> None:
    """It equals numpy's covariances over universes, lead by lead, and the definition with rbar of the others."""
    returns = np.random.default_rng(seed).normal(size=position.shape)
    count = position.shape[1]
    others = (returns.sum(axis=1, keepdims=True) - returns) / (count - 1)
    found = timing(position, returns, YEAR).total.value
    slow = sum(np.cov(w, r)[0, 1] for w, r in zip(position, returns, strict=True))
    assert found == pytest.approx(slow, abs=1e-9)
    assert found == pytest.approx(float((position * (returns - others)).sum(axis=0).mean()), abs=1e-9)


@given(st.integers(0, 50))
def test_common_exposure_and_common_drift_are_no_timing(seed: int) -> None:
    """What all universes hold at a lead, and what all earn there, changes neither the figure nor its error."""
    position, returns = two_panels(seed, count=50)
    rng = np.random.default_rng(seed)
    moved = timing(position + rng.normal(size=(30, 1)), returns + rng.normal(size=(30, 1)), YEAR)
    assert moved.total.value == pytest.approx(timing(position, returns, YEAR).total.value)
    assert moved.total.high == pytest.approx(timing(position, returns, YEAR).total.high)


def test_constant_exposure_times_nothing() -> None:
    """Buy and hold, and any calendar that is the same everywhere, have no timing, no error and a p-value of 1."""
    _, returns = two_panels(1)
    for position in (np.ones((30, 200)), np.repeat(np.sin(np.arange(30))[:, None], 200, axis=1) / 3):
        found = timing(position, returns, YEAR)
        assert (found.timed, found.p_value, found.total.value, found.total.high) == (False, 1.0, 0.0, 0.0)
        assert np.isnan(found.sharpe.value)


def test_the_error_is_that_of_resampled_universes() -> None:
    """Drawing universes anew, rbar included, spreads the statistic as its interval says, whatever the exposure."""
    position, returns = two_panels(3)
    position = 0.9 + 0.2 * position  # nearly always in: the naive error would be nine times as wide
    found = timing(position, returns, YEAR)
    rng = np.random.default_rng(0)
    drawn = [timing(position[:, i], returns[:, i], YEAR).total.value for i in rng.integers(0, 200, (2000, 200))]
    assert (found.total.high - found.total.low) / 2 / 1.97 == pytest.approx(np.std(drawn), rel=0.06)
    assert (found.total.low, found.total.high) == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.1 * np.std(drawn)
    )
    naive = (position * (returns - returns.mean(axis=1, keepdims=True))).sum(axis=0).std() / np.sqrt(200)
    assert naive > 4 * np.std(drawn)


@pytest.mark.parametrize("bent", [-1.0, 0.0, 1.0])
def test_the_p_value_fits_the_interval(bent: float) -> None:
    """One-sided 2.5% is where the lower end of the 95% interval reaches 0, for skewed gains too."""
    position, returns = two_panels(6, count=300)
    returns = returns + bent * position**2 * np.sign(position) * np.abs(returns)
    found = timing(position, returns, YEAR)
    shift = found.total.low
    ends = [timing(position, returns - k * shift * position / (position**2).sum(axis=0), YEAR) for k in (0.95, 1.05)]
    assert found.total.low < found.total.value < found.total.high
    assert all((end.p_value <= 0.025) == (end.total.low >= 0) for end in (found, *ends))


def test_a_planted_sharpe_ratio_is_found() -> None:
    """Positions that earn an annual Sharpe ratio of 2.5 by timing are said to."""
    rng = np.random.default_rng(5)
    side = rng.choice([-1.0, 1.0], (250, 2000))
    returns = 0.01 * (2.5 / np.sqrt(YEAR) * side + rng.normal(size=side.shape)) + 0.002
    found = timing(side, returns, YEAR)
    assert found.sharpe.low < 2.5 < found.sharpe.high
    assert found.sharpe.high - found.sharpe.low < 0.2
    assert found.p_value < 1e-6


@given(panels, st.integers(0, 10))
def test_series_timing_is_its_definition(position: np.ndarray, seed: int) -> None:
    """Each column: the sum of products of deviations over the root of their squares; 0 without variation."""
    returns = np.random.default_rng(seed).normal(size=position.shape)
    found = series_timing(position, returns)
    for column, value in enumerate(found):
        w, r = position[:, column], returns[:, column]
        z = (w - w.mean()) * (r - r.mean())
        varies = np.ptp(w) > 1e-9 and len(w) > 1
        assert value == pytest.approx(z.sum() / np.sqrt((z**2).sum()) if varies else 0.0, abs=1e-6)


def test_origins_see_through_exposure_to_an_unforeseen_boom() -> None:
    """Holding as much as the universes do earns no timing, however far the market outruns its generator."""
    rng = np.random.default_rng(2)
    returns = 0.005 + 0.01 * rng.normal(size=(60, 12))
    held = np.ones((60, 12))
    assert not origin_timing(held, returns, held, np.zeros((60, 12)), YEAR).timed
    more = origin_timing(1.2 * held, returns, held, np.zeros((60, 12)), YEAR)
    assert abs(more.total.value) < 1e-12


def test_origins_find_a_planted_timing() -> None:
    """With a Sharpe ratio of 4 over 20 origins of 60 bars the interval lies above 0, and mirrored below."""
    rng = np.random.default_rng(4)
    side = rng.choice([-1.0, 1.0], (60, 20))
    returns = 0.01 * (4 / np.sqrt(YEAR) * side + rng.normal(size=side.shape))
    nothing = np.zeros((60, 20))
    assert origin_timing(side, returns, nothing, nothing, YEAR).total.low > 0
    assert origin_timing(-side, returns, nothing, nothing, YEAR).total.high < 0


def martingales(repetitions: int, bars: int, count: int, seed: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a rule on the distance of prices from their 20-bar mean, and returns with GARCH volatility.

    Returns (repetitions, bars, count) each.
    """
    rng = np.random.default_rng(seed)
    shape = (repetitions, count)
    variance, prices = np.ones(shape), [np.zeros(shape)]
    returns = []
    for _ in range(bars + 120):
        shock = np.sqrt(variance) * rng.normal(size=shape)
        variance = 0.05 + 0.10 * shock**2 + 0.85 * variance
        returns.append(shock)
        prices.append(prices[-1] + shock)
    path = np.stack(prices)  # (bars + 121, repetitions, count)
    sums = np.concatenate([np.zeros((1, *shape)), np.cumsum(path, axis=0)])
    mean = (sums[20:] - sums[:-20]) / 20  # of the 20 prices up to each, from the 20th on
    held = np.clip(sign * (path[19:] - mean) / 3, -3, 3)[-bars - 1 : -1]
    return held.transpose(1, 0, 2), np.stack(returns)[-bars:].transpose(1, 0, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("sign", "least", "most"), [(1, 0.0, 0.02), (-1, 0.075, 0.2)], ids=["momentum", "reversion"])
def test_size_holds_on_martingales_where_circular_shifts_fail(sign: int, least: float, most: float) -> None:
    """Nominal 5%: timing over universes keeps it; shifted positions reject far too rarely, or far too often."""
    held, earned = martingales(1500, 60, 200, 7, sign)
    rejected = np.mean([timing(w, r, YEAR).p_value <= 0.05 for w, r in zip(held, earned, strict=True)])
    assert 0.035 <= rejected <= 0.067  # 5% with 3 errors of 1,500 repetitions
    held, earned = martingales(1500, 250, 1, 8, sign)
    rng = np.random.default_rng(0)
    shifted = []
    for w, r in zip(held[:, :, 0], earned[:, :, 0], strict=True):
        drawn = np.array([np.roll(w, k) @ (r - r.mean()) for k in rng.integers(1, 250, 99)])
        shifted.append((1 + (drawn >= w @ (r - r.mean())).sum()) / 100 <= 0.05)
    assert least <= np.mean(shifted) <= most


def test_gains_that_come_in_spells_are_less_certain() -> None:
    """Independent gains have hardly any inflation, those of a slow trend or of moving volatility more."""
    rng = np.random.default_rng(4)
    side, noise = rng.choice([-1.0, 1.0], 4000), rng.normal(0, 1, 4000)
    alone = gains_variance(side, noise)
    assert alone.spells.variance == pytest.approx(1.0, abs=0.7)  # chi-square with 16 degrees of freedom over 16
    assert math.sqrt(16 / 14) <= alone.inflation <= 1.35
    spell = np.repeat(rng.normal(0, 0.4, 40), 100)
    trend = gains_variance(side, noise + side * spell)
    assert trend.spells.variance > 4
    assert trend.inflation > 2
    calm = np.repeat(np.exp(rng.normal(0, 0.7, 20)), 200)
    assert (
        gains_variance(side, noise * calm + 0.5 * side).inflation > gains_variance(side, noise + 0.5 * side).inflation
    )
    assert gains_variance(np.ones(100), noise[:100]) == GainsVariance()
    assert gains_variance(side[:31], noise[:31]) == GainsVariance()


@pytest.mark.slow
@pytest.mark.parametrize("half_life", [None, 60])
def test_the_error_claimed_is_that_over_histories(half_life: int | None) -> None:
    """The error at the estimate is the deviation of estimates over independent histories, with spells and without."""
    rng = np.random.default_rng(6)
    estimates, claimed = [], []
    for _ in range(400):
        side, edge = rng.choice([-1.0, 1.0], 2520), np.full(2520, 0.08)
        if half_life:
            keep = 0.5 ** (1 / half_life)
            edge = edge + signal.lfilter([0.12 * math.sqrt(1 - keep**2)], [1, -keep], rng.normal(0, 1, 2520))
        earned = rng.normal(0, 1, 2520) + side * edge
        estimates.append(float(series_timing(side[:, None], earned[:, None])[0]))
        claimed.append(gains_variance(side, earned).inflation)
    assert np.mean(claimed) == pytest.approx(np.std(estimates), rel=0.2)
    assert np.std(estimates) > (1.3 if half_life else 0.9)
