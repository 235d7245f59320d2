"""Calibration of simulated origins whose law is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stresslab.metrics import stylized_facts
from stresslab.realism.calibration import (
    LEVELS,
    calibration,
    growth_by_displacement,
    leads,
    maximum_drawdown,
    quantities,
    score_ratios,
    stylised_facts,
)
from tests.realism.cases import simulate


def test_calibration_of_true_universes() -> None:
    """Over many origins intervals cover what they should, drawdowns and volatility included."""
    origins = [origin for seed in range(12) for origin in simulate(None, seed, 20)]
    table = calibration(origins)
    assert set(table) == {"return_1", "return_5", "return_20", "volatility", "max_drawdown", "energy_score"}
    for name in quantities(origins[0]):
        for level in LEVELS[:3]:
            assert table[name]["coverage"][str(level)]["value"] == pytest.approx(level, abs=0.06)
        assert table[name]["coverage"]["0.98"] is None  # 64 universes cannot tell
        sides = table[name]["coverage_calm"]["value"], table[name]["coverage_turbulent"]["value"]
        assert sides == pytest.approx((0.9, 0.9), abs=0.08)
    assert table["return_20"]["value_at_risk"]["0.01"] is None
    assert table["return_20"]["value_at_risk"]["0.05"]["kupiec"] > 0.01


def test_leads() -> None:
    """Returns are compared at the usual leads before the horizon, and at the horizon."""
    assert leads(1) == [1]
    assert leads(60) == [1, 5, 20, 60]
    assert leads(200) == [1, 5, 20, 60, 120, 200]


def test_facts_stand_side_by_side() -> None:
    """Universes and reality by the same formula, reality with an interval around it; lags up to 50."""
    origins = simulate(None, 1, 60)
    facts = stylised_facts(origins)
    real = np.concatenate([origin.real_returns for origin in origins])
    for name, fact in stylized_facts.FACTS.items():
        assert facts[name]["real"] == fact(real)
        assert facts[name]["real_low"] <= facts[name]["real"] <= facts[name]["real_high"]
    assert facts["autocorrelation_of_absolute_returns"]["lags"] == list(range(1, 51))
    assert facts["volume_volatility"] == {"universes": None, "real": None, "real_low": None, "real_high": None}
    assert stylised_facts(origins[:1])["kurtosis"]["real_low"] is None


def test_growth_shows_a_reversion() -> None:
    """Universes that are led back to the past's mean grow after low prices and shrink after high ones."""
    origins = [origin for seed in range(4) for origin in simulate("all the way back to the mean", seed, 60)]
    low, near, high = growth_by_displacement(origins)
    assert low["universes"] > 1.02
    assert high["universes"] < 0.98
    assert low["origins"] + near["origins"] + high["origins"] == 96


def test_the_deepest_fall_by_hand() -> None:
    """Log paths from 0: up 0.1, down to -0.2, up again: a fall of 0.3; a path that only rises never falls."""
    paths = np.array([[0.1, -0.2, 0.0], [0.1, 0.2, 0.3], [-0.5, 0.0, -0.1]])
    np.testing.assert_allclose(maximum_drawdown(paths), np.expm1([-0.3, 0.0, -0.5]))


def test_a_generator_scores_like_itself() -> None:
    """Ratios of CRPS are 1 to the same universes, and well above 1 for universes three times as wide."""
    ours = simulate(None, 1, 20)
    wide = [replace(one, paths=3 * one.paths) for one in ours]
    for row in score_ratios(ours, ours).values():
        assert row["value"] == pytest.approx(1)
    assert score_ratios(wide, ours)["return_20"]["value"] > 1.2
    assert score_ratios(ours, wide)["return_20"]["value"] < 1 / 1.2
    assert score_ratios(ours, []) == {}
