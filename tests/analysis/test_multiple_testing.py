"""What choosing among strategies does to their backtests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.analysis.multiple_testing import selection
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from tests.make.strategies import hold, trend


def test_selection_discounts_the_best_of_many() -> None:
    """The best of fifty random strategies is deflated; a single one with an edge is not."""
    rng = np.random.default_rng(0)
    noise = {f"s{number}": rng.normal(0, 0.01, 1000) for number in range(50)}
    found = selection(noise, rng.normal(0.0002, 0.01, 1000), None)
    assert found["effective_trials"] == pytest.approx(50, rel=0.2)
    best = max(found["deflated_sharpe"].values(), key=lambda one: one["sharpe"])
    assert best["probabilistic"] > 0.95 > best["deflated"]
    assert 0.3 < found["overfitting"]["probability"] < 0.9
    assert found["superior_ability"]["superior"] == []
    alone = selection({"one": rng.normal(0.003, 0.01, 1000)}, rng.normal(0.0, 0.01, 1000), None)
    assert alone["deflated_sharpe"]["one"]["deflated"] > 0.99
    assert alone["overfitting"] is None


def test_trials_elsewhere_are_no_less_varied_than_chance() -> None:
    """Three near copies spread little among themselves; the other 497 of the 500 that were tried did not."""
    rng = np.random.default_rng(2)
    base, market = rng.normal(0.0008, 0.01, 1000), rng.normal(0, 0.01, 1000)
    alike = {f"s{number}": base + rng.normal(0, 1e-5, 1000) for number in range(3)}
    many = selection(alike, market, 500.0)["deflated_sharpe"]["s0"]
    alone = selection({"s0": alike["s0"]}, market, 500.0)["deflated_sharpe"]["s0"]
    assert many["deflated"] == pytest.approx(alone["deflated"], abs=1e-9)
    silent = selection(alike, market, 1.0)["deflated_sharpe"]["s0"]
    assert silent["deflated"] > 0.9 > many["deflated"]


@pytest.mark.slow
def test_fewer_trials_than_a_run_holds_are_not_believed(nasdaq: Bars) -> None:
    """With `trials=1` the strategies of a run are judged as the best of as many as they amount to."""

    def late(bars: Any) -> Any:
        up = bars.close > bars.close.shift(200)
        return up, ~up

    found = sl.stress_test(
        [trend, late, hold],
        nasdaq,
        StationaryBootstrap(),
        30,
        20,
        studies=sl.Studies(realism_origins=0, trials=1, permutations=19),
    )
    tried = found.studies.selection.effective_trials
    assert tried > 2
    assert found.strategies[0].edge is not None
    assert f"as the best of {tried:.3g} trials" in found.strategies[0].edge.checks[1].note
