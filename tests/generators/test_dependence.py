"""Uniforms that are exact for each symbol and dependent between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stresslab.core.errors import DataError, InputError
from stresslab.data.market import Market
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.dependence import Dependence, Kind, from_spearman, own_seeds
from stresslab.metrics.dependence import spearman
from tests.make.markets import make_market

IDS = np.arange(400)


MARKET = make_market()


@pytest.mark.parametrize("kind", ["empirical", "student"])
def test_each_symbol_is_uniform_and_dependence_is_the_real_one(kind: Kind) -> None:
    """Each symbol's uniforms are uniform and independent in time; between symbols they correlate as history did."""
    fitted = Dependence.fit(MARKET, np.ones(3), kind)
    u = fitted.uniforms(7, IDS, 50)
    assert u.shape == (400, 50, 3)
    assert u.min() > 0
    assert u.max() < 1
    for symbol in range(3):
        assert stats.kstest(u[:, :, symbol].ravel(), "uniform").pvalue > 0.001
        assert abs(np.corrcoef(u[:, :-1, symbol].ravel(), u[:, 1:, symbol].ravel())[0, 1]) < 0.03
    np.testing.assert_allclose(spearman(u.reshape(-1, 3)), fitted.real, atol=0.03)


def test_a_universe_is_addressed_by_its_id() -> None:
    """The same id gives the same uniforms in any company and for any number of bars."""
    fitted = Dependence.fit(MARKET, np.ones(3), "student")
    np.testing.assert_array_equal(fitted.uniforms(7, np.array([9, 3]), 10), fitted.uniforms(7, IDS, 30)[[9, 3], :10])


def test_what_a_generator_blurs_is_asked_for_beforehand() -> None:
    """Noise that takes a share of every return's dependence is made up for by more dependence of the uniforms."""
    fidelity = np.array([0.95, 0.9, 0.85])
    u = Dependence.fit(MARKET, fidelity, "empirical").uniforms(1, np.arange(3000), 10).reshape(-1, 3)
    noise = np.random.default_rng(1).normal(size=u.shape)
    blurred = fidelity * stats.norm.ppf(u) + np.sqrt(1 - fidelity**2) * noise
    np.testing.assert_allclose(spearman(blurred), Dependence.fit(MARKET, fidelity).real, atol=0.02)


def test_joint_falls_come_with_the_empirical_copula() -> None:
    """Resampled days keep that symbols fall together more often than a normal copula of their correlation says."""
    u = Dependence.fit(MARKET, np.ones(3)).uniforms(1, np.arange(3000), 10).reshape(-1, 3)
    normal = stats.multivariate_normal(cov=from_spearman(spearman(u))).rvs(30_000, random_state=0)
    together = [float(((x < np.quantile(x, 0.02, axis=0))[:, :2]).all(axis=1).mean()) for x in (u, normal)]
    assert together[0] > 1.15 * together[1]


def test_the_t_copulas_degrees_are_found() -> None:
    """Degrees of freedom that made the data are found about right, and large ones for a normal copula."""
    assert 2.5 < Dependence.fit(make_market(degrees=4.0, count=3000), np.ones(3), "student").degrees < 7
    assert Dependence.fit(make_market(degrees=200.0), np.ones(3), "student").degrees > 12


def test_more_symbols_than_bars() -> None:
    """A market of more symbols than bars is sampled too."""
    many = make_market(symbols=90, count=70)
    u = Dependence.fit(many, np.full(90, 0.95)).uniforms(0, np.arange(20), 5)
    assert u.shape == (20, 5, 90)
    assert np.isfinite(u).all()


def test_seeds_of_symbols() -> None:
    """The first symbol has the run's own seed, the others have different ones that do not depend on their number."""
    assert own_seeds(7, 1) == [7]
    assert own_seeds(7, 3)[0] == 7
    assert own_seeds(7, 3) == own_seeds(7, 5)[:3]
    assert len(set(own_seeds(7, 5)) | set(own_seeds(8, 5))) == 10


@pytest.mark.parametrize(
    ("history", "line"),
    [
        (MARKET[:50], "50 common bars are too few to see how symbols move together"),
        (Market((MARKET.series[0], replace(MARKET.series[1], values=np.ones((900, 6))))), "S1 never moves"),
    ],
)
def test_no_dependence_to_be_read(history: Market, line: str) -> None:
    """One line says why there is none."""
    with pytest.raises(DataError, match=line):
        Dependence.fit(history, np.ones(len(history.series)))


def test_unknown_kinds_are_refused() -> None:
    """A dependence that there is not, or not for this generator, is one line."""
    with pytest.raises(InputError, match="choose one of empirical, student, independent"):
        StationaryBootstrap(dependence="copula")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="resamples whole days of all symbols; choose empirical or independent"):
        StationaryBootstrap(dependence="student")  # type: ignore[arg-type]
