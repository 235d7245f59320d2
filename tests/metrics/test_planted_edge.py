"""Edges planted into accounts: what goes in comes out."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.metrics.market_timing import series_timing
from stresslab.metrics.planted_edge import planted_equity, timing_risk

YEAR = 252.0


def accounts(held: np.ndarray, earned: np.ndarray) -> np.ndarray:
    """Equity of positions without costs."""
    return 100.0 * np.concatenate([np.ones((1, held.shape[1])), np.cumprod(1 + held * earned, axis=0)])


def paths(seed: int = 1, steps: int = 250, count: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """Positions of +1, -1 and 0 without an edge, and returns of a volatility that differs between universes."""
    rng = np.random.default_rng(seed)
    held = np.repeat(rng.choice([-1.0, 0.0, 1.0], (steps // 5, count)), 5, axis=0)
    return held, rng.standard_t(6, (steps, count)) * rng.uniform(0.005, 0.02, count)


def test_the_planted_ratio_is_found_again() -> None:
    """The timing ratio of planted returns is the one that was planted, whatever exposure and volatility."""
    held, earned = paths()
    risk = timing_risk(held, earned, YEAR)
    assert risk is not None
    equity = planted_equity(accounts(held, earned), risk, np.full(held.shape[1], 1.5), YEAR)
    extra = equity[1:] / equity[:-1] - 1 - held * earned
    ratios = series_timing(held, earned + np.divide(extra, held, out=np.zeros_like(held), where=held != 0))
    assert np.mean(ratios) * np.sqrt(YEAR / len(held)) == pytest.approx(1.5, abs=0.1)
    assert abs(risk.own) < 0.15


def test_the_planted_ratio_is_that_of_all_universes_together() -> None:
    """Real bars of calm and wild times are taken together where a ratio is measured, and so are universes."""
    held, earned = paths()
    risk = timing_risk(held, earned, YEAR)
    assert risk is not None
    equity = planted_equity(accounts(held, earned), risk, risk.own + risk.chance + 1.5, YEAR, risk.spread)
    extra = equity[1:] / equity[:-1] - 1 - held * earned
    together = np.sqrt(np.mean(((held - held.mean()) * (earned - earned.mean())) ** 2))
    apart = np.sqrt(np.mean(((held - held.mean()) * (earned - earned.mean())) ** 2, axis=0)).mean()
    assert together > 1.04 * apart
    assert extra.mean() / together * np.sqrt(YEAR) == pytest.approx(1.5, rel=0.02)


def test_what_the_universes_hold_is_replaced() -> None:
    """A generator's own timing does not add to the planted one."""
    held, earned = paths(2)
    leaning = earned + 0.1 * held * earned.std(axis=0)
    risk = timing_risk(held, leaning, YEAR)
    assert risk is not None
    assert risk.own == pytest.approx(0.1 * np.sqrt(YEAR) * np.sqrt(2 / 3), abs=0.15)
    zero = np.zeros(held.shape[1])
    ends = planted_equity(accounts(held, leaning), risk, zero, YEAR)[-1]
    assert (ends < 100).mean() == pytest.approx(0.5, abs=0.06)


def test_uncertain_edges_widen_the_distribution() -> None:
    """Estimation error is inside the distribution: draws that differ spread the outcomes more than their mean."""
    held, earned = paths(3)
    risk = timing_risk(held, earned, YEAR)
    assert risk is not None
    edges = np.random.default_rng(4).normal(1.0, 1.0, held.shape[1])
    certain, uncertain = (
        planted_equity(accounts(held, earned), risk, edge, YEAR)[-1] for edge in (np.full_like(edges, 1.0), edges)
    )
    assert uncertain.std() > 1.15 * certain.std()


def test_spells_of_the_generator_are_taken_out() -> None:
    """A rule that blocks of history put right or wrong for long spreads no more than one whose timing is chance."""
    rng = np.random.default_rng(7)
    held = np.tile(np.where(np.arange(250) % 2 == 0, 1.0, -1.0)[:, None], (1, 1500))
    earned = rng.normal(0, 0.01, held.shape)
    aligned = np.repeat(rng.choice([-1.0, 1.0], (10, 1500)), 25, axis=0)
    zero = np.zeros(1500)
    ends = []
    for returns in (earned, earned + 0.004 * aligned * held):
        risk = timing_risk(held, returns, YEAR)
        assert risk is not None
        ends.append(np.log(planted_equity(accounts(held, returns), risk, zero, YEAR)[-1]).std())
        raw = np.log(accounts(held, returns)[-1]).std()
    assert raw > 1.6 * ends[0]  # the generator's spells are there to be taken out
    assert ends[1] == pytest.approx(ends[0], rel=0.12)
    assert risk.spread > 3


def test_spells_of_the_market_are_put_in() -> None:
    """Asked for more variance of timing, universes spread by its root."""
    held, earned = paths(8)
    risk = timing_risk(held, earned, YEAR)
    assert risk is not None
    assert risk.spread == pytest.approx(1.0, abs=0.2)
    zero = np.zeros(held.shape[1])
    calm, spells = (
        np.log(planted_equity(accounts(held, earned), risk, zero, YEAR, spells)[-1]).std() for spells in (1.0, 2.25)
    )
    assert spells == pytest.approx(1.5 * calm, rel=0.15)


def test_constant_exposure_has_no_timing() -> None:
    """Nothing can be planted where exposure never varies, or nothing is held."""
    _, earned = paths(5)
    assert timing_risk(np.ones_like(earned), earned, YEAR) is None
    assert timing_risk(np.zeros_like(earned), earned, YEAR) is None


def test_a_ruined_account_stays_ruined() -> None:
    """No edge brings back what is gone, and none leaves less than nothing."""
    held, earned = paths(6, 50, 3)
    risk = timing_risk(held, earned, YEAR)
    assert risk is not None
    equity = accounts(held, earned)
    equity[20:, 0] = -5.0
    planted = planted_equity(equity, risk, np.array([50.0, -1e6, 1.0]), YEAR)
    assert (planted[20:, 0] == -5.0).all()
    assert (planted[:, 1] >= 0).all()
    assert planted[-1, 1] == 0
