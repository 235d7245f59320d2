"""Sizes against accounts whose best size is known."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.position_size import SizedReturns, kelly_size, largest_size, size_outcomes


def accounts(returns: np.ndarray, **changes: float) -> SizedReturns:
    """Always fully long."""
    return SizedReturns(returns, np.ones_like(returns), 252.0, **changes)


def test_size_one_is_the_account_itself() -> None:
    """The equity that was given comes back, ruined universes included."""
    random = np.random.default_rng(1)
    equity = 1000.0 * np.vstack([np.ones((1, 20)), np.cumprod(1 + random.normal(0, 0.05, (30, 20)), axis=0)])
    equity[12:, 3] = 0.0
    found = SizedReturns.of(equity, np.ones((30, 20)), 252.0)
    assert found.equity(1.0) == pytest.approx(equity / 1000.0, rel=1e-12)


def test_the_best_size_of_a_biased_coin() -> None:
    """A bet that doubles or loses with chances p and 1-p is sized 2p - 1 (Kelly 1956)."""
    random = np.random.default_rng(2)
    coin = np.where(random.uniform(size=(400, 400)) < 0.55, 1.0, -1.0)
    won = (coin > 0).mean()
    assert kelly_size(accounts(coin), most=0.99).size == pytest.approx(2 * won - 1, abs=2e-3)
    assert kelly_size(accounts(-coin), most=0.99).size == 0.0


@pytest.mark.slow
def test_an_uncertain_edge_tightens_limits_but_not_the_size_of_best_growth() -> None:
    """Log growth is linear in the edge; drawdowns are not (Browne & Whitt 1996)."""
    random = np.random.default_rng(3)
    noise, spread = random.normal(0, 0.01, (252, 2000)), random.normal(0, 0.0015, 2000)
    noise -= noise.mean()
    known, unsure = accounts(noise + 0.0004), accounts(noise + 0.0004 + spread - spread.mean())
    assert kelly_size(known, most=20).size == pytest.approx(4.0, abs=0.1)
    assert kelly_size(unsure, most=20).size == pytest.approx(4.0, abs=0.3)
    assert largest_size(unsure, 0.2, 0.05).size < 0.85 * largest_size(known, 0.2, 0.05).size


def test_the_largest_size_meets_its_limit_and_no_larger_one_does() -> None:
    """P(drawdown > 20%) is at most 5% there and above it a little further on; the interval holds the estimate."""
    found = accounts(np.random.default_rng(4).normal(0.0003, 0.01, (252, 800)))
    largest = largest_size(found, 0.2, 0.05)
    here, beyond = size_outcomes(found, 0.2, (largest.size, largest.size + 0.05))
    assert here.drawdown.value <= 0.05 < beyond.drawdown.value
    assert largest.low <= largest.size <= largest.high
    upper, lower = size_outcomes(found, 0.2, (largest.low, largest.high))
    assert upper.drawdown.high <= 0.05
    assert lower.drawdown.low <= 0.05
    assert largest.limited
    assert not largest_size(found, 0.99, 0.5, most=1.0).limited


def test_outcomes_are_counted_by_hand() -> None:
    """Loss, drawdown and ruin of three universes."""
    returns = np.array([[0.1, -0.3, -0.6], [0.1, 0.5, 0.1]])
    (found,) = size_outcomes(accounts(returns), 0.25, (2.0,))
    assert (found.loss.value, found.drawdown.value, found.ruin.value) == pytest.approx((2 / 3, 2 / 3, 1 / 3))
    assert found.median_return == pytest.approx(0.4 * 2.0 - 1)
    assert found.growth == -np.inf


def test_what_is_borrowed_costs() -> None:
    """Twice the equity pays interest on one of them, once the equity on nothing."""
    nothing = accounts(np.zeros((252, 1)), borrow_rate=0.05)
    assert nothing.equity(1.0)[-1, 0] == 1.0
    assert nothing.equity(2.0)[-1, 0] == pytest.approx(np.exp(-0.05), rel=1e-3)
