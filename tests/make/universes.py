"""What every generated universe must satisfy."""

from __future__ import annotations

import numpy as np


def assert_valid(values: np.ndarray) -> None:
    """Bars as `Bars` demands them: positive prices, high and low outside the rest, nothing negative."""
    opened, high, low, close, volume, amount = np.moveaxis(values, -1, 0)
    assert np.all(np.isfinite(values))
    assert np.all(low > 0)
    assert np.all((high >= opened) & (high >= close) & (low <= opened) & (low <= close))
    assert np.all((volume >= 0) & (amount >= 0))
