"""Overlapping origins: how far their bars are the same, and what their figures are worth."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.realism.overlap import apart, design_effect, shared
from tests.realism.cases import simulate


def test_shares_of_bars() -> None:
    """Origins a third of the horizon apart share two thirds, one third and none of the bars after them."""
    origins = simulate(None, 0, 30, count=4, step=10)
    assert shared(origins, 30)[0] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert shared(origins, 10) == pytest.approx(np.eye(4))
    assert design_effect(origins) == pytest.approx((4 + 2 * (3 * 2 / 3 + 2 / 3)) / 4)
    assert design_effect(origins, squares=True) == pytest.approx((4 + 2 * (3 * 4 / 9 + 2 / 9)) / 4)
    assert design_effect([]) == 1.0


def test_origins_a_horizon_apart_count_whole() -> None:
    """They have no effect; of overlapping ones only those a horizon apart are independent."""
    whole = simulate(None, 0, 30, count=4)
    assert design_effect(whole) == 1.0
    assert apart(whole) == 4
    assert apart(simulate(None, 0, 30, count=7, step=10)) == 3
    assert apart([]) == 0


def test_the_error_of_overlapping_distances() -> None:
    """The mean distance of overlapping sums scatters as the design effect says, within a tenth."""
    rng = np.random.default_rng(0)
    bars, step, count = 30, 10, 22
    sums = np.cumsum(rng.normal(size=(4000, count * step + bars)), axis=1)
    at = np.arange(count) * step
    distances = np.abs(sums[:, at + bars] - sums[:, at])
    effect = design_effect(simulate(None, 0, bars, count=count, step=step), squares=True)
    assert distances.mean(axis=1).var() / (distances.var() / count) == pytest.approx(effect, rel=0.1)
