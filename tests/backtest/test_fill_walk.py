"""One account of fills: what its extremes know of trades that leave inside a bar."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.backtest.fill_walk import Books, walk_fills

PRICES = np.array([[100.0, 110.0, 80.0, 105.0]])


@pytest.mark.parametrize(("price", "low", "high"), [(90.0, 90.0, 110.0), (108.0, 80.0, 108.0)])
def test_extremes_end_where_a_trade_leaves(price: float, low: float, high: float) -> None:
    """A trade that left at its stop never saw the low, and one that left at its target never the high."""
    fills = np.full((1, 2, 3), np.nan)
    fills[0, 0], fills[0, 1] = (1, 100.0, 1.0), (-1, price, 1.0)
    books = Books(np.array([100.0, 1.0]), np.zeros(6), np.zeros(1), np.zeros(1), (0.0,) * 6 + (1.0,), np.zeros((0, 6)))
    equity, position, extremes = np.empty(2), np.zeros(1), np.empty((2, 1))
    walk_fills(fills, False, np.zeros(1), PRICES, books, (equity, position, extremes))
    assert equity[-1] == pytest.approx(price)
    assert position[0] == pytest.approx(1.0)
    assert extremes[:, 0] == pytest.approx([low, high])
