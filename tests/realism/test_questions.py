"""The gate's questions: what each of them answers to origins whose faults are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stresslab.realism import Origin
from tests.realism.cases import checks, flat, simulate


def test_universes_that_do_not_move_fail() -> None:
    """Flat universes in a market that moves fail the check of volatility, although their logarithm is undefined."""
    origins = [flat(origin, universes=True, real=False) for origin in simulate(None, 2, 20)]
    found = checks(origins)
    assert found["volatility"].outcome == found["coverage_90"].outcome == found["spread"].outcome == "failed"


def test_a_reversion_that_reality_shows_is_accepted() -> None:
    """Universes that go back to the past's mean are not blamed where what followed did so clearly, too."""
    origins = simulate("all the way back to the mean", 4, 20)
    assert checks(origins)["reversion"].outcome == "failed"
    steps = np.arange(1, 21)
    back = [replace(one, real=-one.displacement * (1 - np.exp(-3 * steps / 20)) + 0.1 * one.real) for one in origins]
    assert checks(back)["reversion"].outcome in ("passed", "open")


def test_no_reason_has_an_empty_figure_or_a_share_beyond_all() -> None:
    """A few origins that overlap say nothing of reality's own return, and a share ends at 0% and 100%."""
    origins = simulate("all the way back to the mean", 4, 60, count=4, step=5)
    found = checks([replace(one, real=-0.01 * np.arange(1.0, 61.0)) for one in origins])
    assert "what followed are too few origins that do not overlap" in found["reversion"].reason
    assert "–" not in found["reversion"].reason + found["drawdown"].reason
    assert ", 100%] of the universes'" in found["drawdown"].reason


@pytest.mark.parametrize(("share", "outcome"), [(0.0, "passed"), (0.04, "passed"), (0.2, "failed")])
def test_repairs_and_support(share: float, outcome: str) -> None:
    """Many repaired bars, or many universes at the model's last price, fail; a model without an end has none."""
    origins = simulate(None, 5, 20)
    found = checks([replace(one, repaired=share, support=share) for one in origins])
    assert found["repaired_bars"].outcome == found["support"].outcome == outcome
    assert checks(origins)["support"].outcome == "not assessable"


def test_autocorrelation_and_clustering() -> None:
    """Universes whose returns alternate, or whose volatility clusters unlike reality's, are found out."""
    origins = simulate(None, 6, 60)
    signs = np.where(np.arange(60) % 2, 1.0, -1.0)
    alternating = [replace(one, paths=np.cumsum(np.abs(one.returns) * signs, axis=1)) for one in origins]
    assert checks(alternating)["lag_one"].outcome == "failed"
    swell = np.where(np.arange(60) < 30, 4.0, 0.2)
    waves = [replace(one, paths=np.cumsum(one.returns * swell, axis=1)) for one in origins]
    assert checks(waves)["clustering"].outcome == "failed"


def test_a_common_jump_is_measured_in_sigmas() -> None:
    """A first bar that lifts all universes by a known number of sigmas is found with that number."""
    rng = np.random.default_rng(7)
    returns = 0.01 * rng.normal(size=(24, 64, 20))
    returns[:, :, 0] += 0.007
    origins = [
        Origin(pd.Timestamp("2020-01-01"), np.cumsum(one, axis=1), 0.01 * rng.normal(size=20).cumsum(), 0.1 * k, 0.01)
        for k, one in enumerate(returns)
    ]
    found = checks(origins)["first_bar_jump"]
    assert found.value == pytest.approx(0.7, abs=0.06)
    assert found.low < 0.7 < found.high
    assert found.outcome == "failed"
