"""The realism gate of a market: its portfolio, and whether its symbols move and fall together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stresslab.data.market import Market
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.realism import assess_realism
from stresslab.realism.joint_origins import portfolio_paths, roll_market
from tests.make.markets import make_market

MARKET = make_market(count=1200)


def outcome(generator: StationaryBootstrap, name: str, of: Market = MARKET) -> str:
    """What one check of the gate says."""
    found = assess_realism(of, generator, 20, origins=14, universes=64, jobs=1)
    return next(check.outcome for check in found.checks if check.name == name)


def test_whole_days_keep_dependence() -> None:
    """Days resampled whole pass both joint checks."""
    assert outcome(StationaryBootstrap(), "correlations") == "passed"
    assert outcome(StationaryBootstrap(), "joint losses") == "passed"


def test_independent_symbols_are_refused() -> None:
    """Universes in which symbols know nothing of one another are not trusted, and say why."""
    apart = assess_realism(MARKET, StationaryBootstrap(dependence="independent"), 20, origins=14, universes=64, jobs=1)
    assert apart.label == "not trusted"
    assert any("Correlations of one-bar returns miss the real ones" in reason for reason in apart.reasons)
    assert any("together 0.0" in reason for reason in apart.reasons)


def test_a_portfolio_of_one_is_the_symbol() -> None:
    """The portfolio of a single symbol is its own path, and rebalancing keeps weights equal."""
    closes = np.random.default_rng(0).uniform(1, 2, size=(4, 2, 11))
    np.testing.assert_allclose(portfolio_paths(closes[:, :1]), np.log(closes[:, 0, 1:] / closes[:, 0, :1]))
    first = (closes[:, :, 1] / closes[:, :, 0]).mean(axis=1)
    np.testing.assert_allclose(portfolio_paths(closes)[:, 0], np.log(first))


def test_origins_are_sampled_from_what_came_before() -> None:
    """Changing what follows an origin changes neither its universes nor its history's dependence."""
    changed = [replace(bars, values=np.concatenate([bars.values[:900], bars.values[900:] * 3])) for bars in MARKET]
    one, other = (
        roll_market(each, StationaryBootstrap(), [900], 20, 32)[0][0] for each in (MARKET, Market(tuple(changed)))
    )
    np.testing.assert_array_equal(one.portfolio.paths, other.portfolio.paths)
    np.testing.assert_array_equal(one.correlations, other.correlations)


@pytest.mark.parametrize("name", ["coverage", "volatility"])
def test_the_portfolio_passes_the_ordinary_gate(name: str) -> None:
    """The equal-weight portfolio is judged by the checks that a single series meets."""
    found = assess_realism(MARKET, StationaryBootstrap(), 20, origins=14, universes=64, jobs=1)
    assert any(name in check.name for check in found.checks)
    assert found.origins == 14
