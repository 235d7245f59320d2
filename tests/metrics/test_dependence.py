"""Rank correlations and joint losses of several symbols."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stresslab.metrics.dependence import joint_losses, pairs, spearman


def test_spearman_is_scipys() -> None:
    """The matrix holds scipy's coefficients, ties included."""
    x = np.round(np.random.default_rng(0).normal(size=(300, 3)), 1)
    np.testing.assert_allclose(spearman(x), stats.spearmanr(x).statistic)


def test_joint_losses_of_known_dependence() -> None:
    """Independent symbols have their worst bars together by chance, identical ones always, opposite ones never."""
    x = np.random.default_rng(1).normal(size=(40_000, 2))
    found = joint_losses(np.column_stack([x, x[:, 0], -x[:, 0]]))
    assert found[0, 1] == pytest.approx(0.05, abs=0.012)
    assert found[0, 2] == pytest.approx(1.0)
    assert found[0, 3] == 0.0


def test_pairs_are_above_the_diagonal() -> None:
    """Each pair once, row by row."""
    assert pairs(np.arange(9.0).reshape(3, 3)).tolist() == [1.0, 2.0, 5.0]
