"""What files of Jesse's import: indicators and sizes by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import StrategyError
from stresslab.strategy.frameworks import jesse_names as names

CLOSE = np.array([10.0, 11.0, 12.0, 11.0, 13.0, 12.0])
CANDLES = np.column_stack([np.arange(6.0), CLOSE - 1, CLOSE, CLOSE + 1, CLOSE - 2, np.ones(6)])


@pytest.mark.parametrize("sequential", [False, True])
def test_indicators_are_those_of_their_definition(sequential: bool) -> None:
    """Of the last bar, or of each."""
    asked = {"period": 2, "sequential": sequential}
    assert np.atleast_1d(names.sma(CANDLES, **asked))[-1] == 12.5
    assert np.atleast_1d(names.ema(CLOSE[:3], **asked))[-1] == pytest.approx(10 / 9 + 22 / 9 + 12 * 2 / 3)
    upper, middle, lower = (np.atleast_1d(one)[-1] for one in names.donchian(CANDLES, **asked))
    assert (upper, middle, lower) == (14.0, 12.0, 10.0)
    upper, middle, lower = (np.atleast_1d(one)[-1] for one in names.bollinger_bands(CANDLES, **asked))
    assert (upper, middle, lower) == (13.5, 12.5, 11.5)
    assert np.atleast_1d(names.rsi(CLOSE[:4], **asked))[-1] == pytest.approx(50.0)  # gains (1+1)/2, then with loss 1
    high = CANDLES.copy()
    high[-1, 3] = 20.0
    assert np.atleast_1d(names.atr(high, **asked))[-1] == pytest.approx(6.5)
    assert np.isnan(np.atleast_1d(names.sma(CANDLES, period=7, sequential=sequential))[-1])


def test_what_an_indicator_does_not_have_is_refused() -> None:
    """By name."""
    with pytest.raises(StrategyError, match="source_type='x' is none of close"):
        names.sma(CANDLES, source_type="x")
    with pytest.raises(StrategyError, match="matype=1"):
        names.bollinger_bands(CANDLES, matype=1)


def test_sizes() -> None:
    """Units are rounded down; a risk is the loss at the stop, for no more than the capital."""
    assert names.size_to_qty(100.0, 3.0) == 33.333
    assert names.size_to_qty(100.0, 3.0, fee_rate=0.01) == 32.333
    assert names.risk_to_qty(1000.0, 1.0, 100.0, 98.0) == 5.0
    assert names.risk_to_size(1000.0, 50.0, 1.0, 100.0) == 1000.0
    assert names.limit_stop_loss(100.0, 80.0, "long", 5) == 95.0
    assert names.limit_stop_loss(100.0, 120.0, "short", 5) == 105.0


def test_crossings() -> None:
    """Of a series with another, or with a number, one way or both."""
    assert names.crossed(CLOSE, 12.5, "below")
    assert not names.crossed(CLOSE, 12.5, "above")
    assert names.crossed(CLOSE, 11.5, sequential=True).tolist() == [False, False, True, True, True, False]
